"""FAQs as they are stored, page by page: searched, filtered and sorted by the database. Reads only."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Row, Text, and_, cast, func, or_, select, true

from knowledge_base import tables
from knowledge_base.batches import batches
from knowledge_base.records import to_source
from knowledge_base.types import Faq, Language, Status

Sort = Literal["updated", "question", "category", "status", "language", "id"]
_FAQ = tables.faq.c


@dataclass(frozen=True, slots=True)
class StoredFaq:
    """An FAQ with the number of its version, from 1, and when that was written (UTC)."""

    faq: Faq
    version: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class FaqFilter:
    """Which FAQs, in which order; None and "" filter nothing. `category` "-" stands for no category."""

    text: str = ""
    language: Language | None = None
    status: Status | None = None
    category: str = ""
    sort: Sort = "updated"
    descending: bool = True


class FaqList:
    """Reads FAQs; safe from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, wanted: FaqFilter, limit: int = 50, offset: int = 0) -> tuple[list[StoredFaq], int]:
        """The FAQs of one page, and how many the filter lets through in all."""
        where = _where(wanted)
        column = _FAQ[wanted.sort]
        order = (column.desc() if wanted.descending else column.asc(), _FAQ.id)
        rows = select(tables.faq).where(where).order_by(*order).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            found = [stored_faq(row) for row in connection.execute(rows)]
            total = connection.execute(select(func.count()).select_from(tables.faq).where(where)).scalar_one()
        return found, int(total)

    def get(self, faq_id: str) -> StoredFaq | None:
        """The FAQ of that id."""
        return self.some([faq_id]).get(faq_id)

    def some(self, ids: Iterable[str]) -> dict[str, StoredFaq]:
        """Those of the FAQs that are stored, by id."""
        found = {}
        with self._engine.connect() as connection:
            for batch in batches(ids):
                for row in connection.execute(select(tables.faq).where(_FAQ.id.in_(batch))):
                    found[row.id] = stored_faq(row)
        return found

    def categories(self) -> list[str]:
        """The categories in use, in order; without the empty one."""
        named = select(_FAQ.category).where(_FAQ.category != "").distinct().order_by(_FAQ.category).limit(1000)
        with self._engine.connect() as connection:
            return list(connection.execute(named).scalars())

    def family(self, faq_id: str) -> list[StoredFaq]:
        """The FAQ and its translation, those of them that are stored."""
        family = Faq.family(faq_id)
        return list(self.some([family, f"{family}.zh", f"{family}.en"]).values())

    def phrased(self, normals: Sequence[str]) -> list[tuple[str, str, str]]:
        """(FAQ id, role, phrasing) of the published phrasings, to match or to refuse, of these normal forms."""
        entry = tables.entry.c
        found: list[tuple[str, str, str]] = []
        with self._engine.connect() as connection:
            for batch in batches(normals):
                same = select(entry.source_id, entry.role, entry.text).where(
                    entry.kind == "faq", entry.normal.in_(batch), entry.role.in_(("question", "never"))
                )
                found += [(row.source_id, row.role, row.text) for row in connection.execute(same.order_by(entry.id))]
        return found

    def asked(self, questions: Sequence[str]) -> list[tuple[str, str]]:
        """(id, question) of the FAQs, drafts too, whose own question is one of these."""
        with self._engine.connect() as connection:
            return [
                (row.id, row.question)
                for batch in batches(questions)
                for row in connection.execute(select(_FAQ.id, _FAQ.question).where(_FAQ.question.in_(batch)))
            ]


def stored_faq(row: Row[Any]) -> StoredFaq:
    """The FAQ of a row of its table."""
    faq = to_source("faq", row)
    assert isinstance(faq, Faq)
    return StoredFaq(faq, row.version, row.updated)


def _where(wanted: FaqFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if wanted.language:
        conditions.append(_FAQ.language == wanted.language)
    if wanted.status:
        conditions.append(_FAQ.status == wanted.status)
    if wanted.category:
        conditions.append(_FAQ.category == ("" if wanted.category == "-" else wanted.category))
    for word in wanted.text.split():
        conditions.append(or_(*(_has(column, word) for column in (_FAQ.question, _FAQ.answer, _FAQ.id)), _lists(word)))
    return and_(*conditions)


def _lists(word: str) -> ColumnElement[bool]:
    """Whether a similar question has the word; stored as JSON, which writes what is not ASCII as escapes."""
    return _has(cast(_FAQ.similar, Text), json.dumps(word)[1:-1])


def _has(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)
