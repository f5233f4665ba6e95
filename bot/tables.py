"""The bot's tables: conversations, their messages, answers, feedback, contacts. Knows columns only.

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
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

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
)

message = Table(
    "message",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # order of arrival
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("id", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("conversation_id", "id", name="uq_message_conversation_id_id"),
    sqlite_autoincrement=True,
)

answer = Table(
    "answer",
    metadata,
    Column("message_number", Integer, ForeignKey("message.number"), primary_key=True),
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
    Column("message_number", Integer, ForeignKey("message.number"), primary_key=True),
    Column("helpful", Boolean, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation_id", String(64), ForeignKey("conversation.id"), nullable=False),
    Column("contact", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_contact_conversation_id", "conversation_id"),
)
