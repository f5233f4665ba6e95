"""Which conversations are old enough to be erased. Reads only; knows not who decides on the age."""

from datetime import datetime

from sqlalchemy import Engine, func, select

from bot import tables

_CONVERSATION, _MESSAGE, _HANDOFF = tables.conversation.c, tables.message.c, tables.handoff.c


def expired(engine: Engine, before: datetime, most: int = 100) -> list[str]:
    """Ids of up to `most` conversations whose last word came before that moment, oldest first.

    A conversation that people have, or that waits for them, is none.
    """
    last = func.coalesce(func.max(_MESSAGE.at), _CONVERSATION.opened)
    joined = tables.conversation.outerjoin(tables.message, _MESSAGE.conversation_id == _CONVERSATION.id)
    held = select(_HANDOFF.conversation_id).where(_HANDOFF.ended.is_(None))
    statement = (
        select(_CONVERSATION.id)
        .select_from(joined)
        .where(_CONVERSATION.opened < before, _CONVERSATION.id.not_in(held))
        .group_by(_CONVERSATION.id, _CONVERSATION.opened)
        .having(last < before)
        .order_by(_CONVERSATION.opened, _CONVERSATION.id)
        .limit(most)
    )
    with engine.connect() as connection:
        return list(connection.execute(statement).scalars())
