"""The knowledge base's tables. Knows their columns, nothing of what is done with them.

An entry is one searchable text: a passage of a document or a phrasing of an FAQ. Its id is never used twice;
FAISS and the keyword index know it by that id. `change` tells every process what came and went.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()
Number = BigInteger().with_variant(Integer(), "sqlite")
"""Counts what never ends. SQLite's integers have 64 bits under the name of INTEGER only."""


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _source_columns() -> list[Column[object]]:
    return [
        Column("id", String(512), primary_key=True),
        Column("language", String(2), nullable=False),
        Column("content_hash", String(64), nullable=False),
        Column("version", Integer, nullable=False),
        Column("updated", DateTime, nullable=False),  # UTC
    ]


document = Table(
    "document",
    metadata,
    *_source_columns(),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("trashed", DateTime),  # UTC; in the trash since then: it has no entries
    Index("ix_document_content_hash", "content_hash"),
    Index("ix_document_trashed", "trashed"),
)

faq = Table(
    "faq",
    metadata,
    *_source_columns(),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("similar", JSON, nullable=False),
    Column("never", JSON, nullable=False),
    Column("category", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("status", String(16), nullable=False),
)

revision = Table(  # what every document and FAQ said before, and that it was deleted
    "revision",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("source_id", String(512), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", DateTime, nullable=False),  # UTC
    Column("action", String(16), nullable=False),  # put | delete
    Column("content", JSON, nullable=False),
    Index("ix_revision_source", "kind", "source_id"),
)

entry = Table(
    "entry",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # faq | document
    Column("source_id", String(512), nullable=False),
    Column("role", String(16), nullable=False),  # passage | question | clause | never
    Column("ordinal", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    Column("headings", JSON, nullable=False),
    Column("text", Text, nullable=False),  # shown; for an FAQ the phrasing
    Column("search_text", Text, nullable=False),  # encoded and split into search words
    Column("content_hash", String(64), nullable=False),  # of search_text
    Column("normal", String(512), nullable=False),  # normalised phrasing for exact match; "" for passages
    Index("ix_entry_source", "kind", "source_id"),
    Index("ix_entry_content_hash", "content_hash"),
    Index("ix_entry_normal", "normal"),
    sqlite_autoincrement=True,
)

vector = Table(
    "vector",
    metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("encoder", String(64), primary_key=True),  # the encoder's fingerprint
    Column("data", LargeBinary, nullable=False),  # float32, little endian
)

change = Table(
    "change",
    metadata,
    Column("revision", Number, primary_key=True, autoincrement=True),
    Column("entry_id", Number, nullable=False),
    Column("added", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
