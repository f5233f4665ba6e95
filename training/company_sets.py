"""The company's own golden sets: what it knows, with questions to judge by and questions to fit thresholds to.

Of one conversation nothing stands in two of the three: train, fit, judge. Knows no score.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.examples import Example
from bot.golden import GoldenQuestions
from knowledge_base.language import normalise
from knowledge_base.store import Store
from knowledge_base.types import Document, Faq
from training.dataset import held_out, question_rows

_FITTED = 4  # of the conversations that are trained on, one of so many is kept for fitting
_GONE = 3  # of the sources that are asked about, one of so many is taken out of the set that thresholds are fitted to
_LONGEST = 900_000  # characters of a document; a row of a golden set may hold a million


@dataclass(frozen=True, slots=True)
class Company:
    """What the company has published."""

    faqs: tuple[Faq, ...]
    documents: tuple[Document, ...]

    @property
    def ids(self) -> set[str]:
        """Ids of all of it."""
        return {faq.id for faq in self.faqs} | {document.id for document in self.documents}


def company(engine: Engine) -> Company:
    """What the database holds of it; no model is loaded for it."""
    store = Store(engine, "")
    faqs = [faq for faq in store.sources("faq") if faq.status == "published"]
    documents = [one for one in store.sources("document") if len(one.text) <= _LONGEST]
    return Company(tuple(faqs), tuple(documents))


def parted(examples: Sequence[Example], trains: bool) -> tuple[list[Example], list[Example]]:
    """Those to train with and those to fit with, by conversation; without training all are for fitting."""
    usable = [one for one in examples if not held_out(one)]
    fit = [one for one in usable if not trains or _kept_for_fitting(one)]
    ids = {one.id for one in fit}
    return [one for one in usable if one.id not in ids], fit


def write_set(folder: Path, known: Company, questions: Iterable[dict[str, Any]]) -> int:
    """Write a golden set in place of what stands there; how many questions it has, 0 where none can be answered."""
    shutil.rmtree(folder, ignore_errors=True)
    rows = list(questions)
    if not any(row["answerable"] for row in rows):
        return 0
    folder.mkdir(parents=True)
    _write(folder / "faq.jsonl", map(_faq, known.faqs))
    _write(folder / "passages.jsonl", map(_document, known.documents))
    _write(folder / "questions.jsonl", rows)
    return len(rows)


def judged_questions(examples: Sequence[Example], engine: Engine, known: Company) -> list[dict[str, Any]]:
    """What is held out of the examples, and the golden questions that staff have made in the console."""
    rows = list(question_rows([one for one in examples if held_out(one)], known.ids))
    for line in GoldenQuestions(engine).export():
        row = json.loads(line)
        row["relevant"] = [id for id in row["relevant"] if id in known.ids]
        if bool(row["relevant"]) == row["answerable"]:  # else its sources are gone
            rows.append(row)
    return rows


def without_wordings(known: Company, asked: Collection[str]) -> Company:
    """The company as if staff had not added these questions to its FAQs, as they do with what they have answered.

    With them every one would be answered word for word, and tell neither a good release nor a threshold from a bad.
    An FAQ that has no other wording keeps its own.
    """
    normals = {normalise(text) for text in asked}

    def rid(faq: Faq) -> Faq:
        left = [text for text in (faq.question, *faq.similar) if normalise(text) not in normals]
        return replace(faq, question=left[0], similar=tuple(left[1:])) if left else replace(faq, similar=())

    return Company(tuple(map(rid, known.faqs)), known.documents)


def without_some(known: Company, questions: Iterable[dict[str, Any]]) -> tuple[Company, list[dict[str, Any]]]:
    """The set without a third of the sources that are asked about, with all their questions.

    Examples are what somebody could answer; thresholds need questions that nothing answers as well. Translations go
    together.
    """
    rows = list(questions)
    gone = {id for row in rows for id in row["relevant"] if _is_gone(id)}
    twins = {_whole(id) for id in gone}
    left = Company(
        tuple(faq for faq in known.faqs if _whole(faq.id) not in twins),
        tuple(document for document in known.documents if _whole(document.id) not in twins),
    )
    ids = left.ids
    asked = []
    for row in rows:
        relevant = [id for id in row["relevant"] if id in ids]
        asked.append(row | {"relevant": relevant, "answerable": bool(relevant)})
    return left, asked


def _is_gone(source_id: str) -> bool:
    return hashlib.sha256(f"gone {_whole(source_id)}".encode()).digest()[0] % _GONE == 0


def _whole(source_id: str) -> str:
    return source_id.removesuffix(".zh").removesuffix(".en")


def _kept_for_fitting(example: Example) -> bool:
    return hashlib.sha256(f"fit {example.conversation_id}".encode()).digest()[0] % _FITTED == 0


def _faq(faq: Faq) -> dict[str, Any]:
    fields = {"id": faq.id, "question": faq.question, "answer": faq.answer, "language": faq.language}
    return fields | {"similar": list(faq.similar), "never": list(faq.never)}


def _document(document: Document) -> dict[str, Any]:
    fields = {"id": document.id, "title": document.title, "text": document.text}
    return fields | {"language": document.language}


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf8")
