"""Writes one message of a conversation in a transaction of its caller. Knows columns, not who is speaking to whom."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from bot import tables
from bot.types import Message

_CONVERSATION, _MESSAGE = tables.conversation.c, tables.message.c


def add(connection: Connection, conversation_id: str, message: Message) -> int:
    """Log a message and give its number. A conversation of an unknown id is begun."""
    begin(connection, conversation_id)
    values = {"id": message.id, "role": message.role, "text": message.text, "at": message.at}
    added = connection.execute(
        insert(tables.message)
        .values(conversation_id=conversation_id, author=message.author or None, **values)
        .returning(_MESSAGE.number)
    )
    return int(added.scalar_one())


def begin(connection: Connection, conversation_id: str) -> None:
    """Make sure that there is a conversation of that id."""
    if not exists(connection, conversation_id):
        connection.execute(insert(tables.conversation).values(id=conversation_id, opened=datetime.now(UTC)))


def exists(connection: Connection, conversation_id: str) -> bool:
    """Whether there is a conversation of that id."""
    statement = select(_CONVERSATION.id).where(_CONVERSATION.id == conversation_id)
    return connection.execute(statement).first() is not None


def is_said(connection: Connection, conversation_id: str, message_id: str) -> bool:
    """Whether the conversation has a message of that id."""
    wanted = (_MESSAGE.conversation_id == conversation_id, _MESSAGE.id == message_id)
    return connection.execute(select(_MESSAGE.number).where(*wanted)).first() is not None
