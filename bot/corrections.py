"""What an answer should have been, as staff say: one correction an answer, a candidate for a training example."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, insert, select

from bot import tables
from knowledge_base.database import writing

_CORRECTION = tables.correction.c
_MESSAGE = tables.message.c


def correct(engine: Engine, conversation_id: str, message_id: str, text: str, staff_name: str) -> str | None:
    """Keep the correction of an answer in place of an earlier one, whose text is returned ("": none was there).

    None: that conversation has no such answer.
    """
    with writing(engine) as connection:
        number = _answer_number(connection, conversation_id, message_id)
        if number is None:
            return None
        before = _removed(connection, number)
        values = {"staff_name": staff_name, "text": text, "at": datetime.now(UTC)}
        connection.execute(insert(tables.correction).values(message_number=number, **values))
    return before


def withdraw(engine: Engine, conversation_id: str, message_id: str) -> str | None:
    """Delete the correction of an answer and return its text; None when there is none."""
    with writing(engine) as connection:
        number = _answer_number(connection, conversation_id, message_id)
        return (number is not None and _removed(connection, number)) or None


def _answer_number(connection: Connection, conversation_id: str, message_id: str) -> int | None:
    sought = (
        select(_MESSAGE.number)
        .join(tables.answer, tables.answer.c.message_number == _MESSAGE.number)
        .where(_MESSAGE.conversation_id == conversation_id, _MESSAGE.id == message_id)
    )
    return connection.execute(sought).scalar_one_or_none()


def _removed(connection: Connection, number: int) -> str:
    mine = _CORRECTION.message_number == number
    before = connection.execute(select(_CORRECTION.text).where(mine)).scalar_one_or_none()
    connection.execute(delete(tables.correction).where(mine))
    return before or ""
