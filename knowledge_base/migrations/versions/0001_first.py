"""The first tables: documents, FAQs, their revisions, entries, vectors, changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_sources()
    _create_entries()


def _create_sources() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.String(512), primary_key=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_index("ix_document_content_hash", "document", ["content_hash"])
    op.create_table(
        "faq",
        sa.Column("id", sa.String(512), primary_key=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("similar", sa.JSON, nullable=False),
        sa.Column("never", sa.JSON, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("status", sa.String(16), nullable=False),
    )
    op.create_table(
        "revision",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(512), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_index("ix_revision_source", "revision", ["kind", "source_id"])


def _create_entries() -> None:
    op.create_table(
        "entry",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(512), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("headings", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("normal", sa.String(512), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entry_source", "entry", ["kind", "source_id"])
    op.create_index("ix_entry_content_hash", "entry", ["content_hash"])
    op.create_index("ix_entry_normal", "entry", ["normal"])
    op.create_table(
        "vector",
        sa.Column("content_hash", sa.String(64), primary_key=True),
        sa.Column("encoder", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("revision", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("entry_id", NUMBER, nullable=False),
        sa.Column("added", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
