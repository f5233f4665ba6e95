"""Everything that is logged of one conversation, for staff: what was said, why, what was thought of it. Reads only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from bot import tables
from bot.types import Role

_MESSAGE = tables.message.c


@dataclass(frozen=True, slots=True)
class Line:
    """One message with what belongs to it; the parts have the columns of their tables."""

    id: str
    role: Role
    text: str
    at: datetime
    author: str | None  # on staff's messages
    answer: Mapping[str, Any] | None
    feedback: Mapping[str, Any] | None
    correction: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation."""

    id: str
    opened: datetime
    solved: bool | None
    lines: tuple[Line, ...]
    handoffs: tuple[Mapping[str, Any], ...]
    notes: tuple[Mapping[str, Any], ...]
    contacts: tuple[Mapping[str, Any], ...]


def transcript(engine: Engine, conversation_id: str) -> Transcript | None:
    """The conversation of that id; None when there is none."""
    return next(iter(transcripts(engine, [conversation_id])), None)


def transcripts(engine: Engine, ids: Sequence[str]) -> list[Transcript]:
    """The conversations of those ids that exist, in the order of `ids`."""
    with engine.connect() as connection:
        table = tables.conversation
        found = {row.id: row for row in connection.execute(select(table).where(table.c.id.in_(ids)))}
        lines = _lines(connection, ids)
        parts = [_parts(connection, table, ids) for table in (tables.handoff, tables.note, tables.contact)]
    return [
        Transcript(
            id,
            found[id].opened,
            found[id].solved,
            tuple(lines[id]),
            *(tuple(part[id]) for part in parts),
        )
        for id in ids
        if id in found
    ]


def _lines(connection: Connection, ids: Sequence[str]) -> dict[str, list[Line]]:
    mine = _MESSAGE.conversation_id.in_(ids)
    numbers = select(_MESSAGE.number).where(mine)
    answers, feedback, corrections = (
        {
            row["message_number"]: dict(row)
            for row in connection.execute(select(table).where(table.c.message_number.in_(numbers))).mappings()
        }
        for table in (tables.answer, tables.feedback, tables.correction)
    )
    lines: dict[str, list[Line]] = defaultdict(list)
    for row in connection.execute(select(tables.message).where(mine).order_by(_MESSAGE.number)):
        line = Line(
            row.id,
            row.role,
            row.text,
            row.at,
            row.author,
            _without_number(answers.get(row.number)),
            _without_number(feedback.get(row.number)),
            _without_number(corrections.get(row.number)),
        )
        lines[row.conversation_id].append(line)
    return lines


def _parts(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(
        select(table).where(table.c.conversation_id.in_(ids)).order_by(table.c.id)
    ).mappings():
        parts[row["conversation_id"]].append({name: row[name] for name in row if name not in ("id", "conversation_id")})
    return parts


def _without_number(row: dict[str, Any] | None) -> Mapping[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name != "message_number"}
