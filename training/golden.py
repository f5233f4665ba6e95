"""Golden sets: a knowledge base with labelled questions, read from a folder and checked line by line.

Knows the format, nothing of models or scores.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.load import load
from knowledge_base.types import Document, Faq, Language


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

    Raises GoldenSetError naming file and line for a missing field, an id used twice, a relevant id that does
    not exist, a set without an answerable question, or no knowledge base at all.
    """
    faqs = tuple(_faq(row, at) for row, at in _rows(folder / "faq.jsonl"))
    documents = tuple(_document(row, at) for row, at in _rows(folder / "passages.jsonl"))
    documents += tuple(load(path, id=path.name) for path in sorted((folder / "documents").glob("*")))
    known = _unique([*(f.id for f in faqs), *(d.id for d in documents)], f"{folder}: id")
    if not known:
        raise GoldenSetError(f"{folder} holds no faq.jsonl, passages.jsonl or documents/: nothing to search in")
    questions = tuple(_question(row, at, known) for row, at in _rows(folder / "questions.jsonl"))
    _unique([q.id for q in questions], f"{folder / 'questions.jsonl'}: question id")
    if not any(question.answerable for question in questions):
        raise GoldenSetError(f"{folder / 'questions.jsonl'} holds no answerable question; add one")
    return GoldenSet(folder.name, documents, faqs, questions)


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows of a JSON Lines file, each with "file, line n" for messages; none where the file is missing."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            at = f"{path}, line {number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                raise GoldenSetError(f"{at} is not JSON ({error})") from error
            if not isinstance(row, dict):
                raise GoldenSetError(f"{at} is not a JSON object")
            yield row, at


def _field(row: dict[str, Any], name: str, at: str, kind: type = str) -> Any:
    if name not in row:
        raise GoldenSetError(f"{at}: the field {name!r} is missing")
    if not isinstance(row[name], kind):
        raise GoldenSetError(f"{at}: the field {name!r} must be of type {kind.__name__}")
    return row[name]


def _language(row: dict[str, Any], at: str) -> Language:
    language: Language = _field(row, "language", at)
    if language not in ("zh", "en"):
        raise GoldenSetError(f'{at}: language {language!r} must be "zh" or "en"')
    return language


def _faq(row: dict[str, Any], at: str) -> Faq:
    return Faq(
        id=_field(row, "id", at),
        question=_field(row, "question", at),
        answer=_field(row, "answer", at),
        language=_language(row, at),
        similar=tuple(row.get("similar") or ()),
        never=tuple(row.get("never") or ()),
    )


def _document(row: dict[str, Any], at: str) -> Document:
    return Document(_field(row, "id", at), _field(row, "title", at), _field(row, "text", at), _language(row, at))


def _question(row: dict[str, Any], at: str, known: set[str]) -> Question:
    relevant = frozenset(_field(row, "relevant", at, list))
    answerable: bool = _field(row, "answerable", at, bool)
    if unknown := relevant - known:
        raise GoldenSetError(f"{at}: relevant id {sorted(unknown)[0]!r} is not in the knowledge base")
    if answerable and not relevant:
        raise GoldenSetError(f"{at}: answerable, but no relevant id is named")
    return Question(
        id=_field(row, "id", at),
        text=_field(row, "question", at),
        language=_language(row, at),
        relevant=relevant,
        answers=tuple(row.get("answers") or ()),
        answerable=answerable,
        history=tuple((turn["role"], turn["text"]) for turn in row.get("history") or ()),
    )


def _unique(ids: Sequence[str], what: str) -> set[str]:
    seen: set[str] = set()
    for i in ids:
        if i in seen:
            raise GoldenSetError(f"{what} {i!r} is used twice")
        seen.add(i)
    return seen
