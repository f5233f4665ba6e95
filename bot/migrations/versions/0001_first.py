"""The first tables: conversations, messages, answers, feedback, contacts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_conversations()
    _create_answers()


def _create_conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("opened", sa.DateTime, nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("conversation_id", "id", name="uq_message_conversation_id_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "contact",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_contact_conversation_id", "contact", ["conversation_id"])


def _create_answers() -> None:
    op.create_table(
        "answer",
        sa.Column("message_number", NUMBER, sa.ForeignKey("message.number"), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("hits", sa.JSON, nullable=False),
        sa.Column("citations", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("release", sa.String(128), nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("latency_ms", sa.JSON, nullable=False),
    )
    op.create_index("ix_answer_kind", "answer", ["kind"])
    op.create_table(
        "feedback",
        sa.Column("message_number", NUMBER, sa.ForeignKey("message.number"), primary_key=True),
        sa.Column("helpful", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
