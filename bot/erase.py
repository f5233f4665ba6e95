"""Erases a customer's conversation from the log, with a receipt. Knows nothing of what else keeps text.

On SQLite the freed pages are overwritten and the write-ahead log is emptied, so that the words are gone from the
files as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, delete, func, select

from bot import tables
from knowledge_base.database import writing

_MESSAGE = tables.message.c
_OF_MESSAGES = (tables.answer_source, tables.feedback, tables.correction, tables.answer)
_OF_CONVERSATION = (tables.contact, tables.note, tables.handoff, tables.example, tables.message)


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone, in rows by table, and golden questions that were made from what the customer said.

    opened: when it began; examples: ids of those that it taught, whatever staff decided of them.
    """

    conversation_id: str
    counts: Mapping[str, int]
    opened: datetime
    golden: tuple[str, ...] = ()  # their ids; they are kept
    examples: tuple[str, ...] = ()


def would_erase(engine: Engine, conversation_id: str) -> Erased | None:
    """What `erase` would do; None when there is no such conversation."""
    with engine.connect() as connection:
        return _counted(connection, conversation_id)


def erase(engine: Engine, conversation_id: str) -> Erased | None:
    """Delete the conversation and everything that belongs to it; None when there is none of that id."""
    is_sqlite = engine.dialect.name == "sqlite"
    with writing(engine, conversation_id) as connection:
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        found = _counted(connection, conversation_id)
        if found is None:
            return None
        numbers = _numbers(conversation_id)
        for table in _OF_MESSAGES:
            connection.execute(delete(table).where(table.c.message_number.in_(numbers)))
        for table in _OF_CONVERSATION:
            connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
        connection.execute(delete(tables.conversation).where(tables.conversation.c.id == conversation_id))
    if is_sqlite:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def _numbers(conversation_id: str) -> Select[tuple[int]]:
    return select(_MESSAGE.number).where(_MESSAGE.conversation_id == conversation_id)


def _counted(connection: Connection, conversation_id: str) -> Erased | None:
    conversation, example = tables.conversation.c, tables.example.c
    opened = connection.execute(select(conversation.opened).where(conversation.id == conversation_id)).scalar()
    if opened is None:
        return None
    counts = {"conversation": 1}
    for table in _OF_CONVERSATION:
        counts[table.name] = _count(connection, table, table.c.conversation_id == conversation_id)
    for table in _OF_MESSAGES:
        counts[table.name] = _count(connection, table, table.c.message_number.in_(_numbers(conversation_id)))
    taught = select(example.id).where(example.conversation_id == conversation_id).order_by(example.id)
    examples = tuple(connection.execute(taught).scalars())
    return Erased(conversation_id, counts, opened, _golden_from(connection, conversation_id), examples)


def _golden_from(connection: Connection, conversation_id: str) -> tuple[str, ...]:
    """Golden questions that hold, as question or as history, what the customer said."""
    mine = (_MESSAGE.conversation_id == conversation_id) & (_MESSAGE.role == "customer")
    said = set(connection.execute(select(_MESSAGE.text).where(mine)).scalars())
    golden = tables.golden.c
    rows = connection.execute(select(golden.id, golden.question, golden.history).order_by(golden.id))
    return tuple(row.id for row in rows if said.intersection([row.question, *map(_text_of, row.history)]))


def _text_of(turn: Any) -> str:
    return str(turn.get("text", turn.get("content", ""))) if isinstance(turn, dict) else str(turn)


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(table).where(condition)
    return int(connection.execute(statement).scalar_one())
