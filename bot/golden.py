"""Golden questions: what staff chose to judge releases by, with the sources that must answer them.

Reads and writes their table and the golden-set format. Knows nothing of how answers are judged.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, delete, func, insert, select

from bot import tables
from knowledge_base.types import Language

_GOLDEN = tables.golden.c


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """One question, what was said before it, and what a right answer rests on."""

    question: str
    language: Language
    relevant: tuple[str, ...] = ()  # ids of FAQs and documents
    answers: tuple[str, ...] = ()  # one of these must stand in the answer; none: any text will do
    answerable: bool = True
    history: tuple[dict[str, str], ...] = ()  # {"role", "text"}, oldest first
    staff_name: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class GoldenQuestions:
    """The table. A connection per call, so any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, question: GoldenQuestion) -> None:
        """Keep a question; raises ValueError when its sources and its answerability disagree."""
        if question.answerable != bool(question.relevant):
            raise ValueError("name the sources that answer the question, or say that it has no answer; not both")
        values = {name: getattr(question, name) for name in _GOLDEN.keys()}
        with self._engine.begin() as connection:
            connection.execute(insert(tables.golden).values(**values))

    def delete(self, question_id: str) -> GoldenQuestion | None:
        """Take a question out; returns it, or None when there is none of that id."""
        with self._engine.begin() as connection:
            row = connection.execute(select(tables.golden).where(_GOLDEN.id == question_id)).first()
            connection.execute(delete(tables.golden).where(_GOLDEN.id == question_id))
        return None if row is None else _question(row._mapping)

    def page(self, limit: int, offset: int = 0) -> tuple[list[GoldenQuestion], int]:
        """Questions, newest first, and how many there are in all."""
        statement = select(tables.golden).order_by(_GOLDEN.at.desc(), _GOLDEN.id).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
            total = connection.execute(select(func.count()).select_from(tables.golden)).scalar_one()
        return [_question(row) for row in rows], int(total)

    def export(self) -> Iterator[str]:
        """All questions as lines of a golden set's `questions.jsonl`, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(tables.golden).order_by(_GOLDEN.at, _GOLDEN.id)).mappings().all()
        return (_line(_question(row)) for row in rows)


def _question(row: Any) -> GoldenQuestion:
    lists: dict[str, Sequence[Any]] = {name: tuple(row[name]) for name in ("relevant", "answers", "history")}
    return GoldenQuestion(**{**row, **lists})


def _line(question: GoldenQuestion) -> str:
    names = ("id", "question", "language", "relevant", "answers", "answerable", "history")
    return json.dumps({name: getattr(question, name) for name in names}, ensure_ascii=False) + "\n"
