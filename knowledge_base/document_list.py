"""Documents as staff look through them: a page of the list, and how one was cut. Reads only; knows no index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, func, or_, select

from knowledge_base import tables
from knowledge_base.types import Document, Language

Sort = Literal["title", "-title", "updated", "-updated"]
_DOCUMENT = tables.document.c
_ENTRY = tables.entry.c
_ORDER: dict[str, Any] = {"title": _DOCUMENT.title, "updated": _DOCUMENT.updated}
_COLUMNS = (
    _DOCUMENT.id,
    _DOCUMENT.title,
    _DOCUMENT.language,
    _DOCUMENT.source,
    _DOCUMENT.version,
    _DOCUMENT.updated,
    _DOCUMENT.trashed,
    func.length(_DOCUMENT.text).label("characters"),
)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One line of the list. Times are UTC; a document in the trash has no passages."""

    id: str
    title: str
    language: Language
    source: str
    version: int
    updated: datetime
    trashed: datetime | None
    characters: int
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """One passage, as the document was cut."""

    number: int  # from 1
    headings: tuple[str, ...]
    text: str
    language: Language
    tokens: int  # as the encoder counts


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents to list. text: stands in title, id or text; trashed: those in the trash, not the others."""

    text: str = ""
    language: Language | None = None
    trashed: bool = False
    sort: Sort = "-updated"

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for the database."""
        found: list[ColumnElement[bool]] = [_DOCUMENT.trashed.is_not(None) if self.trashed else _is_live()]
        if self.language is not None:
            found.append(_DOCUMENT.language == self.language)
        if text := self.text.strip():
            places = (_DOCUMENT.title, _DOCUMENT.id, _DOCUMENT.text)
            found.append(or_(*(place.icontains(text, autoescape=True) for place in places)))
        return found


class DocumentList:
    """Reads the documents page by page. A connection per call, so any thread may call."""

    def __init__(self, engine: Engine, count_tokens: Callable[[Sequence[str]], list[int]]) -> None:
        self._engine = engine
        self._count_tokens = count_tokens

    def page(self, wanted: Wanted, limit: int = 50, offset: int = 0) -> tuple[list[DocumentRow], int]:
        """Documents in the wanted order, and how many there are in all."""
        conditions = wanted.conditions()
        column = _ORDER[wanted.sort.lstrip("-")]
        order = column.desc() if wanted.sort.startswith("-") else column
        statement = select(*_COLUMNS).where(*conditions).order_by(order, _DOCUMENT.id).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
            total = connection.execute(select(func.count()).select_from(tables.document).where(*conditions)).scalar()
        counts = self._counts([row.id for row in rows])
        return [_row(row, counts.get(row.id, 0)) for row in rows], int(total or 0)

    def row(self, document_id: str) -> DocumentRow | None:
        """One document's line, be it in the trash or not."""
        with self._engine.connect() as connection:
            row = connection.execute(select(*_COLUMNS).where(_DOCUMENT.id == document_id)).first()
        return None if row is None else _row(row, self._counts([document_id]).get(document_id, 0))

    def document(self, document_id: str, trashed: bool = False) -> Document | None:
        """A document with its text, from the trash or from outside it."""
        state = _DOCUMENT.trashed.is_not(None) if trashed else _is_live()
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.document).where(_DOCUMENT.id == document_id, state)).first()
        return None if row is None else Document(row.id, row.title, row.text, row.language, row.source)

    def passages(self, document_id: str, limit: int = 100, offset: int = 0) -> tuple[list[Cut], int]:
        """Passages in the document's order, and how many there are in all."""
        mine = (_ENTRY.kind == "document") & (_ENTRY.source_id == document_id)
        statement = select(tables.entry).where(mine).order_by(_ENTRY.ordinal).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
            total = connection.execute(select(func.count()).select_from(tables.entry).where(mine)).scalar()
        tokens = self._count_tokens([row.text for row in rows])
        cuts = [
            Cut(row.ordinal + 1, tuple(row.headings), row.text, row.language, count)
            for row, count in zip(rows, tokens, strict=True)
        ]
        return cuts, int(total or 0)

    def _counts(self, ids: Sequence[str]) -> dict[str, int]:
        mine = (_ENTRY.kind == "document") & _ENTRY.source_id.in_(ids)
        statement = select(_ENTRY.source_id, func.count().label("passages")).where(mine).group_by(_ENTRY.source_id)
        with self._engine.connect() as connection:
            return {row.source_id: row.passages for row in connection.execute(statement)}


def _is_live() -> ColumnElement[bool]:
    return _DOCUMENT.trashed.is_(None)


def _row(row: Any, passages: int) -> DocumentRow:
    return DocumentRow(**row._mapping, passages=passages)
