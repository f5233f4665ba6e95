"""Writes one message of a conversation in a transaction of its caller. Knows columns, not who is speaking to whom.

Every message passes here, so the statements are made once: making one costs as much as running it.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select

from bot import tables
from bot.types import Message

_CONVERSATION, _MESSAGE = tables.conversation.c, tables.message.c
_COLUMNS = (_MESSAGE.conversation_id, _MESSAGE.id, _MESSAGE.role, _MESSAGE.text, _MESSAGE.at, _MESSAGE.author)
_EXISTS = select(_CONVERSATION.id).where(_CONVERSATION.id == bindparam("conversation_id"))
_PUT = (
    insert(tables.message)
    .from_select(
        [column.name for column in _COLUMNS],
        select(*(bindparam(column.name, type_=column.type) for column in _COLUMNS)).where(_EXISTS.exists()),
    )
    .returning(_MESSAGE.number)
)
IS_SAID = select(_MESSAGE.number).where(
    _MESSAGE.conversation_id == bindparam("conversation_id"), _MESSAGE.id == bindparam("message_id")
)


def add(connection: Connection, conversation_id: str, message: Message) -> int:
    """Log a message and give its number. A conversation of an unknown id is begun."""
    number = put(connection, conversation_id, message)
    if number is None:
        begun = {"id": conversation_id, "opened": datetime.now(UTC)}
        connection.execute(insert(tables.conversation).values(begun))
        number = put(connection, conversation_id, message)
    assert number is not None
    return number


def put(connection: Connection, conversation_id: str, message: Message) -> int | None:
    """Log a message and give its number; None, nothing being logged, when there is no conversation of that id."""
    values = {"id": message.id, "role": message.role, "text": message.text, "at": message.at}
    values |= {"conversation_id": conversation_id, "author": message.author or None}
    number = connection.execute(_PUT, values).scalar_one_or_none()
    return None if number is None else int(number)


def exists(connection: Connection, conversation_id: str) -> bool:
    """Whether there is a conversation of that id."""
    return connection.execute(_EXISTS, {"conversation_id": conversation_id}).first() is not None


def is_said(connection: Connection, conversation_id: str, message_id: str) -> bool:
    """Whether the conversation has a message of that id."""
    found = connection.execute(IS_SAID, {"conversation_id": conversation_id, "message_id": message_id})
    return found.first() is not None
