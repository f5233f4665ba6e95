"""The audit log: who changed what, when, before and after. Never a password, never a customer's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, insert, select

from web.staff import tables

_AUDIT = tables.audit.c


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log."""

    id: int
    at: datetime
    staff_name: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Audit:
    """Writes and reads the log. Nothing changes or deletes an entry."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(
        self,
        staff_name: str,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Log that a person did something. before, after: values that JSON has."""
        values = {"staff_name": staff_name, "action": action, "subject": subject[:512], "at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(insert(tables.audit).values(**values, before=before, after=after))

    def page(self, limit: int = 50, offset: int = 0, subject: str = "") -> tuple[list[Change], int]:
        """Entries, newest first, and how many there are in all. subject: only those about it."""
        wanted = _AUDIT.subject == subject if subject else _AUDIT.id > 0
        statement = select(tables.audit).where(wanted).order_by(_AUDIT.id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
            total = connection.execute(select(func.count()).select_from(tables.audit).where(wanted)).scalar_one()
        return [Change(**row._mapping) for row in rows], total
