"""Entries as customers may see them: passages by row id, and FAQs by exact phrasing, sections by name. Reads only.

Keeps the passages that it has read until the store changes. Knows no index and no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import Engine, Row, and_, bindparam, func, literal, or_, select

from knowledge_base import tables
from knowledge_base.language import normalise
from knowledge_base.store import REVISION
from knowledge_base.types import Passage, is_valid_on

_CACHE_SIZE = 20_000
_ENTRY = tables.entry.c
_DOCUMENT = tables.document.c
_FAQ = tables.faq.c
_EXACT = (  # the store's revision beside it: every search asks for both
    select(REVISION.scalar_subquery().label("revision"), _ENTRY.id)
    .select_from(select(literal(1)).subquery().outerjoin(tables.entry, _ENTRY.normal == bindparam("normal")))
    .order_by(_ENTRY.id)
)
_OF_DOCUMENT = (_ENTRY.kind == "document") & (_ENTRY.source_id == _DOCUMENT.id)
_OF_FAQ = (_ENTRY.kind == "faq") & (_ENTRY.source_id == _FAQ.id)
_SHOWN = (  # both kinds at once: a statement takes longer than what it finds
    select(
        _ENTRY.id,
        _ENTRY.kind,
        _ENTRY.source_id,
        _ENTRY.headings,
        _ENTRY.text,
        func.coalesce(_DOCUMENT.title, _FAQ.question).label("title"),
        func.coalesce(_DOCUMENT.version, _FAQ.version).label("version"),
        func.coalesce(_DOCUMENT.updated, _FAQ.updated).label("updated"),
        func.coalesce(_FAQ.language, _ENTRY.language).label("language"),
        _FAQ.answer,
        _FAQ.valid_from,
        _FAQ.valid_until,
    )
    .select_from(tables.entry.outerjoin(tables.document, _OF_DOCUMENT).outerjoin(tables.faq, _OF_FAQ))
    .where(
        _ENTRY.id.in_(bindparam("ids", expanding=True)),
        or_(
            and_(_DOCUMENT.id.is_not(None), _ENTRY.role == "passage"),
            and_(_FAQ.id.is_not(None), _ENTRY.role != "never"),
        ),
    )
)
_FIRST = (_ENTRY.kind == "faq", _ENTRY.role == "question", _ENTRY.ordinal == 0)


class Passages:
    """Reads passages; safe from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cache: dict[int, _Dated] = {}
        self._first: dict[str, int | None] = {}
        self._revision = -1
        self._lock = Lock()

    def read(self, ids: Sequence[int], revision: int, today: date) -> dict[int, Passage]:
        """The passages among `ids` that may be shown today; `revision` is the store's, as the caller knows it."""
        cache, _ = self._kept(revision)
        missing = [i for i in ids if i not in cache]
        if missing:
            cache.update(self._read(missing))
        found = ((i, cache.get(i)) for i in ids)
        return {i: dated.passage for i, dated in found if dated and dated.valid_on(today)}

    def exact(self, query: str) -> tuple[list[int], int]:
        """Row ids of what is, normalised, the query itself, and the store's revision.

        FAQ phrasings, those to refuse too, and sections' names.
        """
        with self._engine.connect() as connection:
            rows = connection.execute(_EXACT, {"normal": _normal(query) or None}).all()
        return [row.id for row in rows if row.id is not None], rows[0].revision

    def is_phrasing(self, query: str) -> bool:
        """Whether it is, normalised, how an FAQ is asked."""
        phrased = (_ENTRY.kind == "faq", _ENTRY.role != "never", _ENTRY.normal == _normal(query))
        with self._engine.connect() as connection:
            return connection.execute(select(_ENTRY.id).where(*phrased).limit(1)).first() is not None

    def first_rows(self, faq_ids: Sequence[str], revision: int) -> list[int]:
        """Row ids of the first phrasings of those FAQs that are published; revision: as in `read`."""
        _, first = self._kept(revision)
        if missing := [id for id in faq_ids if id not in first]:
            statement = select(_ENTRY.source_id, _ENTRY.id).where(*_FIRST, _ENTRY.source_id.in_(missing))
            with self._engine.connect() as connection:
                rows = {row.source_id: row.id for row in connection.execute(statement)}
            first.update((id, rows.get(id)) for id in missing)
        return [row for id in faq_ids if (row := first.get(id)) is not None]

    def newest(self, most: int) -> list[int]:
        """Row ids of published FAQs, one each, then of documents' passages; the last that were written first."""
        shown = or_(and_(*_FIRST), _ENTRY.role == "passage")
        statement = select(_ENTRY.id).where(shown).order_by(_ENTRY.kind.desc(), _ENTRY.id.desc()).limit(most)
        with self._engine.connect() as connection:
            return list(connection.execute(statement).scalars())

    def _kept(self, revision: int) -> tuple[dict[int, "_Dated"], dict[str, int | None]]:
        """What has been read of the store's revision; another one begins anew."""
        with self._lock:
            if revision != self._revision or len(self._cache) > _CACHE_SIZE:
                self._cache, self._first, self._revision = {}, {}, revision
            return self._cache, self._first

    def _read(self, ids: Sequence[int]) -> dict[int, "_Dated"]:
        with self._engine.connect() as connection:
            rows = connection.execute(_SHOWN, {"ids": ids}).all()
        return {row.id: _dated(row) for row in rows}


def _normal(query: str) -> str:
    return normalise(query)[:512]  # as much as an entry keeps


@dataclass(frozen=True, slots=True)
class _Dated:
    passage: Passage
    valid_from: date | None = None
    valid_until: date | None = None

    def valid_on(self, day: date) -> bool:
        return is_valid_on(day, self.valid_from, self.valid_until)


def _dated(row: Row[*tuple[Any, ...]]) -> _Dated:
    faq = row.kind == "faq"
    passage = Passage(
        id=row.id,
        kind=row.kind,
        source_id=row.source_id,
        title=row.title,
        headings=() if faq else tuple(row.headings),
        text=row.answer if faq else row.text,
        language=row.language,
        version=row.version,
        updated=row.updated,
        phrasing=row.text if faq else "",
    )
    return _Dated(passage, row.valid_from, row.valid_until)
