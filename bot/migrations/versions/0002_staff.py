"""What staff work with: handoffs, notes, corrections, golden questions, and which sources answers cite."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("conversation", sa.Column("solved", sa.Boolean))
    op.create_index("ix_conversation_opened", "conversation", ["opened"])
    op.add_column("message", sa.Column("author", sa.String(64)))
    op.create_index("ix_message_at", "message", ["at"])
    _create_sources()
    _create_handoffs()
    _create_labels()


def _create_sources() -> None:
    made = op.create_table(
        "answer_source",
        sa.Column("message_number", NUMBER, sa.ForeignKey("message.number"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("source_id", sa.String(512), primary_key=True),
    )
    op.create_index("ix_answer_source_source", "answer_source", ["kind", "source_id"])
    connection = op.get_bind()
    for number, citations in connection.execute(sa.text("SELECT message_number, citations FROM answer")).all():
        cited = json.loads(citations) if isinstance(citations, str) else citations
        sources = dict.fromkeys((one["kind"], one["source_id"]) for one in cited)
        if sources:
            rows = [{"message_number": number, "kind": kind, "source_id": source} for kind, source in sources]
            connection.execute(sa.insert(made), rows)


def _create_handoffs() -> None:
    op.create_table(
        "handoff",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("asked", sa.DateTime, nullable=False),
        sa.Column("claimed", sa.DateTime),
        sa.Column("staff_id", sa.String(32)),
        sa.Column("staff_name", sa.String(64)),
        sa.Column("ended", sa.DateTime),
        sa.Column("outcome", sa.String(16)),
    )
    op.create_index("ix_handoff_conversation_id", "handoff", ["conversation_id"])
    op.create_index("ix_handoff_ended", "handoff", ["ended"])
    op.create_table(
        "note",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("staff_name", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_note_conversation_id", "note", ["conversation_id"])


def _create_labels() -> None:
    op.create_table(
        "correction",
        sa.Column("message_number", NUMBER, sa.ForeignKey("message.number"), primary_key=True),
        sa.Column("staff_name", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "golden",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("relevant", sa.JSON, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("answerable", sa.Boolean, nullable=False),
        sa.Column("history", sa.JSON, nullable=False),
        sa.Column("staff_name", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
