"""What could be learned from the log, and what staff decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "example",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("source_id", sa.String(512), nullable=False),
        sa.Column("masked", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("staff_name", sa.String(64)),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("decided", sa.DateTime),
    )
    op.create_index("ix_example_status", "example", ["status", "at"])
    op.create_index("ix_example_conversation_id", "example", ["conversation_id"])
