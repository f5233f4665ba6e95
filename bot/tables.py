"""The bot's tables: conversations, messages, answers, feedback, contacts, handoffs, labels. Knows columns only.

Times are UTC. JSON columns hold what is read as a whole; everything that is counted has a column of its own.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

from knowledge_base.tables import Number

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware point in time, stored as naive UTC; every database gives it back aware."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


conversation = Table(
    "conversation",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("opened", Moment, nullable=False),
    Column("solved", Boolean),  # what the customer said to "did this solve it?"
    Index("ix_conversation_opened", "opened"),
)

message = Table(
    "message",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),  # order of arrival
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("id", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("author", String(64)),  # on staff's messages: their name
    UniqueConstraint("conversation_id", "id", name="uq_message_conversation_id_id"),
    Index("ix_message_at", "at"),
    sqlite_autoincrement=True,
)

answer = Table(
    "answer",
    metadata,
    Column("message_number", Number, ForeignKey("message.number"), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("query", Text, nullable=False),
    Column("hits", JSON, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("release", String(128), nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("latency_ms", JSON, nullable=False),
    Index("ix_answer_kind", "kind"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_number", Number, ForeignKey("message.number"), primary_key=True),
    Column("helpful", Boolean, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("contact", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_contact_conversation_id", "conversation_id"),
)

answer_source = Table(  # what an answer cites, one row a source: counted per FAQ and document
    "answer_source",
    metadata,
    Column("message_number", Number, ForeignKey("message.number"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("source_id", String(512), primary_key=True),
    Index("ix_answer_source_source", "kind", "source_id"),
)

handoff = Table(  # from the bot to a person and back; the open one, if any, is the conversation's state
    "handoff",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    Column("asked", Moment, nullable=False),
    Column("claimed", Moment),
    Column("staff_id", String(32)),
    Column("staff_name", String(64)),
    Column("ended", Moment),
    Column("outcome", String(16)),
    Index("ix_handoff_conversation_id", "conversation_id"),
    Index("ix_handoff_ended", "ended"),
)

note = Table(  # among staff; customers never see it
    "note",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("staff_name", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_note_conversation_id", "conversation_id"),
)

correction = Table(  # what an answer should have been, as staff say: a candidate for a training example
    "correction",
    metadata,
    Column("message_number", Number, ForeignKey("message.number"), primary_key=True),
    Column("staff_name", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

golden = Table(  # questions that staff chose for judging releases, in the golden-set format
    "golden",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("question", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("relevant", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("answerable", Boolean, nullable=False),
    Column("history", JSON, nullable=False),
    Column("staff_name", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

example = Table(  # what could be learned from the log: redacted, and used only once staff approve it
    "example",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of what it teaches, so that nothing is taught twice
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("label", String(16), nullable=False),  # where the answer comes from: staff | correction | confirmed
    Column("language", String(2), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("source_id", String(512), nullable=False),  # the FAQ or document that gave the answer; "": a person did
    Column("masked", JSON, nullable=False),  # kind of personal data → how many
    Column("status", String(16), nullable=False),  # new | approved | rejected
    Column("staff_name", String(64)),  # who decided
    Column("at", Moment, nullable=False),
    Column("decided", Moment),
    Column("sure", Boolean, nullable=False, server_default=false()),  # its label was doubted, and staff say it is right
    Index("ix_example_status", "status", "at"),
    Index("ix_example_conversation_id", "conversation_id"),
)
