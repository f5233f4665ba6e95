"""Opens the one database and brings its tables up to date. Knows no table: each package owns its own.

What an operator can mend (a full disk, a folder without the right to write, a damaged file) is raised as a
KnowledgeBaseError with its remedy, whichever statement meets it.
SQLite in the data folder by default (write-ahead log, so readers never wait for a writer); PostgreSQL when one
process or one box is outgrown.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    MetaData,
    column,
    create_engine,
    event,
    func,
    inspect,
    select,
    table,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from knowledge_base.failures import remedy
from knowledge_base.types import KnowledgeBaseError

_BUSY_SECONDS = 30  # as long as an import of very many FAQs may hold the right to write
_CONNECT_SECONDS = 10
_migrating = Lock()  # Alembic keeps what it is doing in a global
_POOL, _MORE = 3, 7  # connections of one engine that stay, and that come and go; a server has three engines


def open_database(url: str) -> Engine:
    """An engine for `url`, its folder created. Raises KnowledgeBaseError for a URL that cannot be used."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            _prepare_folder(Path(parsed.database))
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _configure_sqlite)
    else:
        from knowledge_base.postgresql import configure

        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=_POOL,
            max_overflow=_MORE,
            connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "kefu"},
        )
        event.listen(engine, "connect", configure)
    event.listen(engine, "handle_error", _explain)
    return engine


@contextmanager
def writing(engine: Engine, subject: str = "") -> Iterator[Connection]:
    """One transaction that holds the right to write from its start, so that what it reads stays true.

    subject: what it is about, where PostgreSQL need not let those wait who write about something else.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(select(func.pg_advisory_xact_lock(lock_key(subject))))
        yield connection


def lock_key(subject: str) -> int:
    """The number under which PostgreSQL knows the lock on a subject."""
    return int.from_bytes(hashlib.blake2b(f"kefu {subject}".encode(), digest_size=8).digest(), "big", signed=True)


def migrate(engine: Engine, migrations: Path, version_table: str) -> None:
    """Upgrade the tables of one package to the newest version.

    migrations: its Alembic folder, whose files begin with their revision, in order; version_table: where its version
    stands, one per package.
    Raises KnowledgeBaseError when the database is newer than this program, damaged or not writable.
    """
    revisions = sorted(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))
    version = _version(engine, version_table)
    if version == revisions[-1]:
        return
    if version is not None and version not in revisions:
        raise KnowledgeBaseError(
            f"The database is of version {version!r}, which this Kefu does not know: it was written by a "
            "newer one. Install that version, or point KEFU_DATA to another folder."
        )
    _upgrade(engine, migrations, version_table)


def run_migrations(context: Any, metadata: MetaData) -> None:
    """The whole body of a package's Alembic env.py; `context` is alembic.context."""
    attributes = context.config.attributes
    with writing(attributes["engine"]) as connection:  # servers that start at once take turns
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table=attributes["version_table"],
            render_as_batch=True,
        )
        context.run_migrations()


def _upgrade(engine: Engine, migrations: Path, version_table: str) -> None:
    from alembic import command  # a quarter of a second that a server of today's tables does not spend
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["engine"] = engine
    config.attributes["version_table"] = version_table
    with _migrating:
        command.upgrade(config, "head")


def _version(engine: Engine, version_table: str) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table(version_table):
            return None
        version: str | None = connection.scalar(select(column("version_num")).select_from(table(version_table)))
        return version


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, ImportError):
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise KnowledgeBaseError(
            "KEFU_DATABASE_URL is no address of a database that Kefu knows. Write it like "
            "postgresql://user:password@host/kefu, or leave it empty for SQLite in the data folder."
        )
    return parsed


def _prepare_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnowledgeBaseError(
            f"The data folder {file.parent} cannot be made ({error.strerror}). "
            "Make it writable, or point KEFU_DATA to another folder."
        ) from error


def _explain(context: ExceptionContext) -> None:
    """Raise what an operator can mend as a KnowledgeBaseError; such messages hold no value of a statement."""
    error = context.original_exception
    advice = remedy(error)
    if advice and context.engine:
        url = context.engine.url
        name = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
        said = " ".join(str(error).split())
        raise KnowledgeBaseError(f"The database {name} fails: {said}. {advice}") from error


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
