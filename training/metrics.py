"""Scores of answers against labels, as the golden-set format defines them. Pure; knows no model."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from training.golden import Question

ANSWERED = ("faq", "grounded")


@dataclass(frozen=True, slots=True)
class Judged:
    """What of one logged answer is judged."""

    kind: str
    text: str
    confidence: float
    hits: tuple[str, ...]  # ids of documents and FAQs in rank order
    citations: tuple[str, ...]


def normalised(text: str) -> str:
    """NFKC, lower case, without punctuation, symbols, spaces and control characters."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "PZSC")


def is_correct(question: Question, answer: Judged) -> bool:
    """It answers, cites a relevant id and, where the question has reference answers, contains one of them."""
    if answer.kind not in ANSWERED or not question.answerable:
        return False
    if not question.relevant.intersection(answer.citations):
        return False
    text = normalised(answer.text)
    return not question.answers or any(normalised(wanted) in text for wanted in question.answers)


def hit_at(rank: int, relevant: Collection[str], ranking: Sequence[str]) -> bool:
    """Whether one of the relevant ids stands among the first `rank` ids."""
    return any(i in relevant for i in ranking[:rank])


def reciprocal_rank(relevant: Collection[str], ranking: Sequence[str], depth: int = 10) -> float:
    """1 / rank of the first relevant id, rank from 1; 0 when none stands among the first `depth`."""
    return next((1 / rank for rank, i in enumerate(ranking[:depth], 1) if i in relevant), 0.0)


def summary(questions: Sequence[Question], answers: Sequence[Judged]) -> dict[str, float]:
    """Rates over one set, 0..1, with the number of questions.

    hit@k and MRR are over answerable questions; coverage is the share of those that were answered;
    false_answer_rate is the share of all questions answered wrongly or without an answer to be had.
    """
    pairs = list(zip(questions, answers, strict=True))
    able = [(q, a) for q, a in pairs if q.answerable]
    answered = [(q, a) for q, a in pairs if a.kind in ANSWERED]
    correct = sum(is_correct(q, a) for q, a in answered)

    def share(part: float, whole: int) -> float:
        return round(part / whole, 4) if whole else 0.0

    return {
        "questions": len(pairs),
        "hit@1": share(sum(hit_at(1, q.relevant, a.hits) for q, a in able), len(able)),
        "hit@5": share(sum(hit_at(5, q.relevant, a.hits) for q, a in able), len(able)),
        "mrr@10": share(sum(reciprocal_rank(q.relevant, a.hits) for q, a in able), len(able)),
        "coverage": share(sum(a.kind in ANSWERED for _, a in able), len(able)),
        "correct_of_answered": share(correct, len(answered)),
        "resolved": share(correct, len(able)),
        "false_answer_rate": share(len(answered) - correct, len(pairs)),
        "refused_unanswerable": share(
            sum(a.kind not in ANSWERED for q, a in pairs if not q.answerable), len(pairs) - len(able)
        ),
    }
