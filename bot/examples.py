"""Examples for training, from the log: kept with what staff decided of each. Knows not how they are found or used."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Engine, func, insert, select, update

from bot import tables
from knowledge_base.database import writing
from knowledge_base.types import Language

Label = Literal["staff", "correction", "confirmed"]
"""Where the answer comes from, strongest first: a person at the desk, a correction, a customer who is content."""
Status = Literal["new", "approved", "rejected"]
_EXAMPLE = tables.example.c


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the answer that was right for it, without personal data.

    sure: approved once more, after its label had been doubted.
    """

    id: str
    conversation_id: str
    label: Label
    language: Language
    question: str
    answer: str
    source_id: str = ""
    masked: Mapping[str, int] = field(default_factory=dict)
    status: Status = "new"
    staff_name: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    decided: datetime | None = None
    sure: bool = False


class Examples:
    """The table. A connection per call, so any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, examples: Iterable[Example]) -> int:
        """Keep those that are new, decided ones staying as they are; returns how many."""
        given = {example.id: example for example in examples}
        with writing(self._engine) as connection:
            known = set(connection.execute(select(_EXAMPLE.id)).scalars())
            rows = [_row(example) for id, example in given.items() if id not in known]
            if rows:
                connection.execute(insert(tables.example), rows)
        return len(rows)

    def page(self, status: Status | None = None, limit: int = 50, offset: int = 0) -> tuple[list[Example], int]:
        """Examples, newest first, and how many there are in all."""
        wanted = _EXAMPLE.status == status if status else _EXAMPLE.id.is_not(None)
        statement = select(tables.example).where(wanted).order_by(_EXAMPLE.at.desc(), _EXAMPLE.id)
        with self._engine.connect() as connection:
            rows = connection.execute(statement.limit(limit).offset(offset)).mappings().all()
            total = connection.execute(select(func.count()).select_from(tables.example).where(wanted)).scalar_one()
        return [Example(**row) for row in rows], int(total)

    def approved(self) -> list[Example]:
        """All that may be used, in an order that does not change."""
        statement = select(tables.example).where(_EXAMPLE.status == "approved").order_by(_EXAMPLE.id)
        with self._engine.connect() as connection:
            return [Example(**row) for row in connection.execute(statement).mappings()]

    def some(self, ids: Collection[str]) -> dict[str, Example]:
        """Those of these ids that there are, by id."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(tables.example).where(_EXAMPLE.id.in_(ids))).mappings().all()
        return {row["id"]: Example(**row) for row in rows}

    def counts(self) -> dict[str, int]:
        """How many there are of each status."""
        statement = select(_EXAMPLE.status, func.count()).group_by(_EXAMPLE.status)
        with self._engine.connect() as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(statement)}
        return {status: found.get(status, 0) for status in ("new", "approved", "rejected")}

    def decide(
        self,
        example_id: str,
        status: Status,
        staff_name: str,
        *,
        question: str | None = None,
        answer: str | None = None,
        sure: bool = False,
    ) -> tuple[Example, Example] | None:
        """Approve or reject an example, with other words if given; returns it before and after, None if unknown.

        sure: approve a label that is doubted.
        """
        words = {name: text for name, text in (("question", question), ("answer", answer)) if text is not None}
        values: dict[str, Any] = {"status": status, "staff_name": staff_name, "decided": datetime.now(UTC), **words}
        values["sure"] = sure and status == "approved"
        wanted = select(tables.example).where(_EXAMPLE.id == example_id)
        with writing(self._engine) as connection:
            before = connection.execute(wanted).mappings().first()
            if before is None:
                return None
            connection.execute(update(tables.example).where(_EXAMPLE.id == example_id).values(**values))
            after = connection.execute(wanted).mappings().one()
        return Example(**before), Example(**after)


def _row(example: Example) -> dict[str, Any]:
    row = {name: getattr(example, name) for name in _EXAMPLE.keys()}
    return row | {"masked": dict(example.masked)}
