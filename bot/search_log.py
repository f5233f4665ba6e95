"""Finds conversations in the log by what was said, when, how it ended and what answered. Reads only.

Everything is filtered and paged in the database. Knows no web and no knowledge base.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, or_, select

from bot import tables
from bot.outcome import Outcome, ended
from bot.types import Kind
from knowledge_base.types import Language

_CONVERSATION = tables.conversation.c
_MESSAGE = tables.message.c
_ANSWER = tables.answer.c
_SOURCE = tables.answer_source.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are sought; what is empty or None does not matter. `text` stands in a message or a contact.

    kind, language, release and source are those of one and the same answer; since and until (exclusive) bound
    when the conversation was opened.
    """

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    language: Language | None = None
    outcome: Outcome | None = None
    kind: Kind | None = None
    source: str = ""  # id of an FAQ or a document
    release: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One conversation of a list."""

    id: str
    opened: datetime
    last: datetime  # when the last message came
    question: str  # what the customer said first
    messages: int
    outcome: Outcome
    kind: Kind | None  # of the last answer
    language: Language | None


def search(
    engine: Engine, wanted: Wanted, limit: int = 50, offset: int = 0, oldest_first: bool = False
) -> tuple[list[Found], int]:
    """A page of the conversations that are wanted, newest first, and how many there are in all."""
    ids = matching(wanted)
    order = _CONVERSATION.opened if oldest_first else _CONVERSATION.opened.desc()
    counted = ids.add_columns(func.count().over().label("total")).order_by(order, _CONVERSATION.id)
    with engine.connect() as connection:
        page = connection.execute(counted.limit(limit).offset(offset)).all()
        if not page and offset:  # beyond the last page
            return [], int(connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one())
    return _described(engine, [row.id for row in page]), page[0].total if page else 0


def ids_of(engine: Engine, wanted: Wanted, most: int, group: int = 100) -> Iterator[Sequence[str]]:
    """Ids of the newest `most` wanted conversations in groups, for reading them one after the other."""
    ids = matching(wanted).order_by(_CONVERSATION.opened.desc(), _CONVERSATION.id).limit(most)
    with engine.connect() as connection:
        found = connection.execute(ids).scalars().all()
    for start in range(0, len(found), group):
        yield found[start : start + group]


def releases(engine: Engine, most: int = 50) -> list[str]:
    """The releases that answers came from."""
    with engine.connect() as connection:
        return list(connection.execute(select(_ANSWER.release).distinct().limit(most)).scalars())


def matching(wanted: Wanted) -> Select[Any]:
    """A select of the ids of the wanted conversations; those in which nothing was said are none."""
    said = select(_MESSAGE.number).where(_MESSAGE.conversation_id == _CONVERSATION.id).exists()
    conditions: list[ColumnElement[bool]] = [said]
    if wanted.since:
        conditions.append(_CONVERSATION.opened >= wanted.since)
    if wanted.until:
        conditions.append(_CONVERSATION.opened < wanted.until)
    if wanted.text:
        holding = [
            select(table.c.conversation_id).where(column.icontains(wanted.text, autoescape=True))
            for table, column in ((tables.message, _MESSAGE.text), (tables.contact, tables.contact.c.contact))
        ]
        conditions.append(or_(*(_CONVERSATION.id.in_(ids) for ids in holding)))
    if answers := _answer_conditions(wanted):
        joined = tables.message.join(tables.answer, _ANSWER.message_number == _MESSAGE.number)
        conditions.append(_CONVERSATION.id.in_(select(_MESSAGE.conversation_id).select_from(joined).where(*answers)))
    ids = select(_CONVERSATION.id).where(*conditions)
    if wanted.outcome is None:
        return ids
    columns, statement = ended(ids)
    return statement.where(columns.outcome == wanted.outcome)


def _answer_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.kind:
        conditions.append(_ANSWER.kind == wanted.kind)
    if wanted.language:
        conditions.append(_ANSWER.language == wanted.language)
    if wanted.release:
        conditions.append(_ANSWER.release == wanted.release)
    if wanted.source:
        citing = select(_SOURCE.message_number).where(
            _SOURCE.kind.in_(("faq", "document")), _SOURCE.source_id == wanted.source
        )
        conditions.append(_ANSWER.message_number.in_(citing))
    return conditions


def _described(engine: Engine, ids: Sequence[str]) -> list[Found]:
    columns, statement = ended(select(_CONVERSATION.id).where(_CONVERSATION.id.in_(ids)))
    statement = statement.add_columns(
        _CONVERSATION.opened,
        columns.outcome.label("outcome"),
        columns.kind.label("kind"),
        columns.language.label("language"),
    )
    mine = _MESSAGE.conversation_id.in_(ids)
    counted = select(_MESSAGE.conversation_id, func.count().label("messages"), func.max(_MESSAGE.number).label("last"))
    first = (
        select(func.min(_MESSAGE.number)).where(mine, _MESSAGE.role == "customer").group_by(_MESSAGE.conversation_id)
    )
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(statement)}
        counts = {
            row.conversation_id: row
            for row in connection.execute(counted.where(mine).group_by(_MESSAGE.conversation_id))
        }
        last = select(_MESSAGE.number, _MESSAGE.at).where(_MESSAGE.number.in_([row.last for row in counts.values()]))
        times = {row.number: row.at for row in connection.execute(last)}
        asked = select(_MESSAGE.conversation_id, _MESSAGE.text).where(_MESSAGE.number.in_(first))
        questions = {row.conversation_id: row.text for row in connection.execute(asked)}
    return [
        Found(
            id=id,
            opened=rows[id].opened,
            last=times[counts[id].last],
            question=questions.get(id, ""),
            messages=counts[id].messages,
            outcome=rows[id].outcome,
            kind=rows[id].kind,
            language=rows[id].language,
        )
        for id in ids
        if id in rows and id in counts
    ]
