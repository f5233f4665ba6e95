"""Copies every row of one database into another that is empty: from SQLite to PostgreSQL, when one server is outgrown.

Knows the tables of all packages, nothing of what is in them. All or nothing is copied.
"""

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Engine, Table, func, insert, inspect, select

from bot import tables as bot
from bot.log import MIGRATIONS as BOT
from bot.log import VERSION_TABLE as BOT_VERSION
from knowledge_base import tables as knowledge_base
from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE_BASE
from knowledge_base.database import migrate, writing
from knowledge_base.types import Progress
from web.errors import WebError
from web.staff import tables as web
from web.staff.access import MIGRATIONS as WEB
from web.staff.access import VERSION_TABLE as WEB_VERSION

_ROWS = 500


def move(source: Engine, target: Engine, progress: Progress | None = None) -> dict[str, int]:
    """Copy everything; returns how many rows of each table. The source is brought up to date, else left alone.

    progress: (rows done, rows in all). Raises WebError when the target holds anything.
    """
    for engine in (source, target):
        migrate(engine, KNOWLEDGE_BASE, "knowledge_base_version")
        migrate(engine, BOT, BOT_VERSION)
        migrate(engine, WEB, WEB_VERSION)
    done: dict[str, int] = {}
    with writing(source) as reading, writing(target) as connection:  # nobody changes either meanwhile
        if full := [table.name for table in _tables() if _count(connection, table)]:
            raise WebError(f"the database to move to is not empty: it has rows in {', '.join(full)}; make a new one")
        total = sum(_count(reading, table) for table in _tables())
        for table in _tables():
            done[table.name] = 0
            for rows in _read(reading, table):
                connection.execute(insert(table), rows)
                done[table.name] += len(rows)
                if progress:
                    progress(sum(done.values()), total)
            _count_on(connection, table)
    return done


def _tables() -> Iterator[Table]:
    """All tables, each after those that it refers to."""
    for metadata in (knowledge_base.metadata, bot.metadata, web.metadata):
        yield from metadata.sorted_tables


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _read(connection: Connection, table: Table) -> Iterator[list[dict[str, object]]]:
    found = connection.execute(select(table), execution_options={"yield_per": _ROWS})
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _count_on(connection: Connection, table: Table) -> None:
    """Let the numbers of new rows go on after those that were copied."""
    column: Column[int] | None = table.autoincrement_column
    if column is None or inspect(connection).dialect.name == "sqlite":  # which sees to it by itself
        return
    last = connection.execute(select(func.max(column))).scalar()
    if last is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, last)))
