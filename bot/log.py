"""The conversation log: every message, answer, judgement and contact, as it happened.

A connection per call, so any thread may call. Knows nothing of how answers come about. Not the operator's
log: that one never holds a customer's words.
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, bindparam, delete, insert, select

from bot import said, tables
from bot.handoffs import Handoffs
from bot.record import from_row, to_row
from bot.turns import Turns
from bot.types import Answer, Conversation, Message
from knowledge_base.database import writing

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "bot_version"
_LOADED = (  # one row without a message where nothing has been said yet
    select(tables.message, tables.answer)
    .select_from(
        tables.conversation.outerjoin(tables.message).outerjoin(
            tables.answer, tables.answer.c.message_number == tables.message.c.number
        )
    )
    .where(tables.conversation.c.id == bindparam("conversation_id"))
    .order_by(tables.message.c.number)
)
_ANSWERED, _CITED = insert(tables.answer), insert(tables.answer_source)


class ConversationLog:
    """Reads and writes conversations in a migrated database.

    handoffs: those that people have or wait for; turns: which server answers.
    """

    def __init__(self, engine: Engine) -> None:
        self.handoffs = Handoffs(engine)
        self.turns = Turns(engine)
        self._engine = engine

    def open(self) -> Conversation:
        """Begin a conversation."""
        opened = Conversation(uuid4().hex)
        with self._engine.begin() as connection:
            connection.execute(insert(tables.conversation).values(id=opened.id, opened=datetime.now(UTC)))
        return opened

    def load(self, conversation_id: str) -> Conversation | None:
        """A conversation with all its messages, oldest first; None when there is none of that id."""
        with self._engine.connect() as connection:
            rows = connection.execute(_LOADED, {"conversation_id": conversation_id}).mappings().all()
        if not rows:
            return None
        messages = (
            Message(
                id=row["id"],
                role=row["role"],
                text=row["text"],
                at=row["at"],
                author=row["author"] or "",
                answer=from_row(row["id"], row["text"], dict(row)) if row["kind"] is not None else None,
            )
            for row in rows
            if row["number"] is not None
        )
        return Conversation(conversation_id, tuple(messages))

    def ask(self, conversation_id: str, message: Message) -> None:
        """Log what the customer (or staff) said. A conversation of an unknown id is begun."""
        with self._engine.begin() as connection:
            said.add(connection, conversation_id, message)

    def answer(self, conversation_id: str, answer: Answer) -> None:
        """Log the bot's answer as the message it was; not if the conversation has been erased meanwhile."""
        message = Message(answer.id, "bot", answer.text, datetime.now(UTC))
        with self._engine.begin() as connection:
            number = said.put(connection, conversation_id, message)
            if number is None:
                return
            connection.execute(_ANSWERED, {"message_number": number, **to_row(answer)})
            cited = dict.fromkeys((one.kind, one.source_id) for one in answer.citations)
            rows = [{"message_number": number, "kind": kind, "source_id": source} for kind, source in cited]
            if rows:
                connection.execute(_CITED, rows)

    def feedback(
        self, conversation_id: str, message_id: str, helpful: bool, reason: str = "", comment: str = ""
    ) -> bool:
        """Log the customer's judgement on an answer; a later one replaces it. False: no such answer there."""
        sought = (
            select(tables.message.c.number)
            .join(tables.answer, tables.answer.c.message_number == tables.message.c.number)
            .where(tables.message.c.conversation_id == conversation_id, tables.message.c.id == message_id)
        )
        with writing(self._engine, conversation_id) as connection:
            number = connection.execute(sought).scalar_one_or_none()
            if number is None:
                return False
            connection.execute(delete(tables.feedback).where(tables.feedback.c.message_number == number))
            connection.execute(
                insert(tables.feedback).values(
                    message_number=number, helpful=helpful, reason=reason, comment=comment, at=datetime.now(UTC)
                )
            )
        return True

    def contact(self, conversation_id: str, contact: str, text: str = "") -> bool:
        """Log how a person can reach the customer, and what about. False: no such conversation, or erased."""
        with self._engine.begin() as connection:
            if not said.exists(connection, conversation_id):
                return False
            connection.execute(
                insert(tables.contact).values(
                    conversation_id=conversation_id, contact=contact, text=text, at=datetime.now(UTC)
                )
            )
        return True

    def close(self) -> None:
        """Give back the database's connections."""
        self.turns.close()
        self._engine.dispose()
