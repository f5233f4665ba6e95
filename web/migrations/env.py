"""Alembic's entry for the web's tables."""

from alembic import context

from knowledge_base.database import run_migrations
from web.staff.tables import metadata

run_migrations(context, metadata)
