"""What documents and FAQs said before: the history of a source, newest first. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, func, select

from knowledge_base import tables
from knowledge_base.types import Faq, SourceKind

_REVISION = tables.revision.c


@dataclass(frozen=True, slots=True)
class Revision:
    """One version as it was until `ended` (UTC), when it was replaced ("put") or deleted ("delete")."""

    version: int
    ended: datetime
    action: str
    content: Mapping[str, Any]


class Revisions:
    """Reads the history; safe from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, kind: SourceKind, source_id: str, limit: int = 50, offset: int = 0) -> tuple[list[Revision], int]:
        """The earlier versions of a source, newest first, and how many there are."""
        mine = (_REVISION.kind == kind) & (_REVISION.source_id == source_id)
        rows = select(tables.revision).where(mine).order_by(_REVISION.id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            found = [Revision(row.version, row.at, row.action, row.content) for row in connection.execute(rows)]
            total = connection.execute(select(func.count()).select_from(tables.revision).where(mine)).scalar_one()
        return found, int(total)

    def get(self, kind: SourceKind, source_id: str, version: int) -> Revision | None:
        """One earlier version; None when there is none of that number."""
        mine = (_REVISION.kind == kind) & (_REVISION.source_id == source_id) & (_REVISION.version == version)
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.revision).where(mine).order_by(_REVISION.id.desc())).first()
        return Revision(row.version, row.at, row.action, row.content) if row else None


def faq_of_content(content: Mapping[str, Any]) -> Faq:
    """The FAQ that a revision's content says."""
    known = {field.name: content[field.name] for field in fields(Faq) if field.name in content}
    for name in ("similar", "never"):
        known[name] = tuple(known.get(name, ()))
    for name in ("valid_from", "valid_until"):
        known[name] = date.fromisoformat(known[name]) if known.get(name) else None
    return Faq(**known)
