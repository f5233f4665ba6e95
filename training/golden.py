"""Golden sets: a knowledge base with labelled questions, read from a folder and checked line by line.

Knows the format, nothing of models or scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.load import load
from knowledge_base.types import Document, Faq, Language
from training.rows import Row, RowError, read_rows

LONGEST_QUESTION = 4_000  # characters; twice what a customer may send


class GoldenSetError(ValueError):
    """A golden set that cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Question:
    """One labelled question. `history` holds (role, text) pairs, oldest first."""

    id: str
    text: str
    language: Language
    relevant: frozenset[str]
    answers: tuple[str, ...]
    answerable: bool
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """A small knowledge base and the questions that are put to it."""

    name: str
    documents: tuple[Document, ...]
    faqs: tuple[Faq, ...]
    questions: tuple[Question, ...]


def read_golden_set(folder: Path) -> GoldenSet:
    """Read `folder` (questions.jsonl with faq.jsonl, passages.jsonl or documents/).

    Raises GoldenSetError naming file and line for a row that is no JSON object, not UTF-8 or too long, a missing
    or wrong field, an id used twice, a relevant id that does not exist, a set without an answerable question, or
    no knowledge base at all. A file in documents/ that cannot be read raises KnowledgeBaseError.
    """
    try:
        return _read(folder)
    except RowError as error:
        raise GoldenSetError(str(error)) from error


def _read(folder: Path) -> GoldenSet:
    places: dict[str, str] = {}
    faqs = tuple(_faq(row, places) for row in _rows(folder / "faq.jsonl"))
    documents = tuple(_document(row, places) for row in _rows(folder / "passages.jsonl"))
    documents += tuple(_file(path, places) for path in sorted((folder / "documents").glob("*")))
    if not places:
        raise GoldenSetError(f"{folder} holds no faq.jsonl, passages.jsonl or documents/: nothing to search in")
    path = folder / "questions.jsonl"
    if not path.exists():
        raise GoldenSetError(f"{path} is missing: nothing to ask")
    asked: dict[str, str] = {}
    questions = tuple(_question(row, places, asked) for row in _rows(path))
    if not any(question.answerable for question in questions):
        raise GoldenSetError(f"{path} holds no answerable question; add one")
    return GoldenSet(folder.resolve().name, documents, faqs, questions)


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a file; none where it is missing."""
    return read_rows(path) if path.exists() else iter(())


def _faq(row: Row, places: dict[str, str]) -> Faq:
    return Faq(
        id=_claim(row.id(), row.at, places),
        question=row.text("question"),
        answer=row.text("answer"),
        language=row.language(),
        similar=row.texts("similar"),
        never=row.texts("never"),
    )


def _document(row: Row, places: dict[str, str]) -> Document:
    id = _claim(row.id(), row.at, places)
    return Document(id, row.text("title", blank=True), row.text("text"), row.language())


def _file(path: Path, places: dict[str, str]) -> Document:
    return load(path, id=_claim(path.name, str(path), places))


def _question(row: Row, places: Mapping[str, str], asked: dict[str, str]) -> Question:
    relevant = frozenset(row.texts("relevant", optional=False))
    answerable = row.flag("answerable")
    if unknown := relevant - places.keys():
        raise row.wrong(f"relevant id {min(unknown)!r} is not in the knowledge base")
    if answerable and not relevant:
        raise row.wrong("answerable, but no relevant id is named")
    return Question(
        id=_claim(row.id(), row.at, asked),
        text=row.text("question", LONGEST_QUESTION),
        language=row.language(),
        relevant=relevant,
        answers=row.texts("answers"),
        answerable=answerable,
        history=row.turns("history"),
    )


def _claim(id: str, at: str, places: dict[str, str]) -> str:
    """The id, noted with the place where it stands."""
    if id in places:
        raise GoldenSetError(f"{at}: the id {id!r} is used twice; it stands in {places[id]} too")
    places[id] = at
    return id
