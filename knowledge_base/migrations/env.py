"""Alembic's entry for the knowledge base's tables."""

from alembic import context

from knowledge_base.database import run_migrations
from knowledge_base.tables import metadata

run_migrations(context, metadata)
