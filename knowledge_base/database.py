"""Opens the one database and brings its tables up to date. Knows no table: each package owns its own.

What an operator can mend (a full disk, a folder without the right to write, a damaged file) is raised as a
KnowledgeBaseError with its remedy, whichever statement meets it.
SQLite in the data folder by default (write-ahead log, so readers never wait for a writer); any other
SQLAlchemy URL when one box is outgrown.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, ExceptionContext, MetaData, create_engine, event
from sqlalchemy.engine import make_url

from knowledge_base.types import KnowledgeBaseError

_BUSY_SECONDS = 10
_UNWRITABLE = "Make the data folder and its files writable, or point KEFU_DATA to another folder."
_DAMAGED = "Restore it from a backup, or move it away to begin anew."
_REMEDIES = {
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_FULL: "Free some disk space, then try again.",
    sqlite3.SQLITE_IOERR: "Check the disk and its free space, then try again.",
    sqlite3.SQLITE_BUSY: "Another program holds it: wait for it or end it, then try again.",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


def open_database(url: str) -> Engine:
    """An engine for `url`, its folder created. Raises KnowledgeBaseError when the folder cannot be made."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        _prepare_folder(Path(parsed.database))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "handle_error", _explain)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that holds the right to write from its start, so that what it reads stays true."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def migrate(engine: Engine, migrations: Path, version_table: str) -> None:
    """Upgrade the tables of one package to the newest version.

    migrations: its Alembic folder; version_table: where its version stands, one per package.
    Raises KnowledgeBaseError when the database is newer than this program, damaged or not writable.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["engine"] = engine
    config.attributes["version_table"] = version_table
    script = ScriptDirectory.from_config(config)
    version = _version(engine, version_table)
    if version == script.get_current_head():
        return
    if version is not None and version not in {s.revision for s in script.walk_revisions()}:
        raise KnowledgeBaseError(
            f"The database is of version {version!r}, which this Kefu does not know: it was written by a "
            "newer one. Install that version, or point KEFU_DATA to another folder."
        )
    command.upgrade(config, "head")


def run_migrations(context: Any, metadata: MetaData) -> None:
    """The whole body of a package's Alembic env.py; `context` is alembic.context."""
    attributes = context.config.attributes
    with attributes["engine"].begin() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table=attributes["version_table"],
            render_as_batch=True,
        )
        context.run_migrations()


def _version(engine: Engine, version_table: str) -> str | None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": version_table})
        return context.get_current_revision()


def _prepare_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnowledgeBaseError(
            f"The data folder {file.parent} cannot be made ({error.strerror}). "
            "Make it writable, or point KEFU_DATA to another folder."
        ) from error


def _explain(context: ExceptionContext) -> None:
    """Raise what an operator can mend as a KnowledgeBaseError; SQLite's words hold no value of a statement."""
    error = context.original_exception
    code = getattr(error, "sqlite_errorcode", None)
    remedy = None if code is None else _REMEDIES.get(code & 0xFF)
    if remedy and context.engine:
        raise KnowledgeBaseError(f"The database {context.engine.url.database} fails: {error}. {remedy}") from error


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
