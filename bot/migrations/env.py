"""Alembic's entry for the bot's tables."""

from alembic import context

from bot.tables import metadata
from knowledge_base.database import run_migrations

run_migrations(context, metadata)
