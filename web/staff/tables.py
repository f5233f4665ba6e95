"""The staff's tables: accounts, sessions, keys, the audit log, settings kept in the console. Knows columns only."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

from bot.tables import Moment
from knowledge_base.tables import Number

metadata = MetaData()

staff = Table(
    "staff",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # what one signs in with, and customers read
    Column("role", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("password", Text, nullable=False),  # argon2
    Column("active", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
    Column("failures", Integer, nullable=False),  # wrong passwords since the last right one
    Column("locked_until", Moment),
)

session = Table(
    "staff_session",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of what the cookie holds
    Column("staff_id", String(32), ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Index("ix_staff_session_staff_id", "staff_id"),
)

key = Table(
    "staff_key",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the key
    Column("staff_id", String(32), ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("label", String(64), nullable=False),
    Column("created", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("staff_name", String(64), nullable=False),
    Column("action", String(64), nullable=False),  # e.g. faq.publish
    Column("subject", String(512), nullable=False),  # id of what was changed
    Column("before", JSON),
    Column("after", JSON),
    Index("ix_audit_subject", "subject"),
)

setting = Table(
    "setting",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)
