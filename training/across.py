"""Makes a golden set of passages from one of FAQs: the answers become documents, the questions stay.

With questions in another language than the answers it measures the search for passages across languages.
"""

import json
from pathlib import Path

from training.golden import read_golden_set


def answers_as_passages(faq_set: Path, out: Path) -> int:
    """Write the golden set; returns how many documents it holds. Raises GoldenSetError for an unusable set.

    FAQs with the same answer become one document, and questions name it.
    """
    golden = read_golden_set(faq_set)
    first: dict[str, str] = {}
    for faq in golden.faqs:
        first.setdefault(faq.answer, faq.id)
    kept = {faq.id: first[faq.answer] for faq in golden.faqs}
    documents = [
        {"id": faq.id, "title": "", "text": faq.answer, "language": faq.language}
        for faq in golden.faqs
        if kept[faq.id] == faq.id
    ]
    questions = [
        {
            "id": question.id,
            "question": question.text,
            "language": question.language,
            "relevant": sorted({kept[i] for i in question.relevant}),
            "answers": [],
            "answerable": question.answerable,
        }
        for question in golden.questions
    ]
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("passages", documents), ("questions", questions)):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (out / f"{name}.jsonl").write_text("".join(lines), "utf8")
    return len(documents)
