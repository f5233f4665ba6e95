import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, func, insert, select, text
from sqlalchemy.exc import OperationalError

from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database, writing
from knowledge_base.tables import metadata, vector
from knowledge_base.types import KnowledgeBaseError
from tests.postgresql import Postgresql

MIGRATE = """
import sys
from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database
migrate(open_database(sys.argv[1]), MIGRATIONS, "v0")
"""


def test_the_migrations_make_exactly_the_tables(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine, MIGRATIONS, "v")
    with engine.connect() as connection:
        own = {"include_object": lambda thing, name, kind, *_: name != "v"}
        differences = compare_metadata(MigrationContext.configure(connection, opts=own), metadata)
    engine.dispose()
    assert differences == []


def test_servers_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-c", MIGRATE, empty_database_url]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    engine = open_database(empty_database_url)
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(migrate, engine, MIGRATIONS, f"v{n}") for n in (0, 0, 0)]:
            done.result()
    with engine.connect() as connection:
        assert len(connection.execute(text("SELECT version_num FROM v0")).all()) == 1
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_with_a_remedy(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine, MIGRATIONS, "v")
    with writing(engine) as connection:
        connection.execute(text("UPDATE v SET version_num = '9999'"))
    with pytest.raises(KnowledgeBaseError, match="written by a newer one"):
        migrate(engine, MIGRATIONS, "v")
    engine.dispose()


def test_who_writes_about_the_same_waits_and_nobody_else(postgresql: Postgresql) -> None:
    with postgresql.nothing() as url, ThreadPoolExecutor(1) as threads:
        engine = open_database(url)
        begun = Event()

        def second() -> None:
            begun.set()
            with writing(engine, "one"):
                pass

        with writing(engine, "one"):
            with writing(engine, "another"):
                pass
            waiting = threads.submit(second)
            assert begun.wait(30)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result(30)


def test_text_with_nul_is_kept_and_found_again(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine, MIGRATIONS, "v")
    with writing(engine) as connection:
        connection.execute(insert(vector).values(content_hash="a\0b", encoder="e", data=b"\0"))
        assert len(connection.execute(select(vector).where(vector.c.content_hash == "a\0b")).all()) == 1
        assert not connection.execute(select(vector).where(vector.c.content_hash == "ab")).all()
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("postgres:@/postgres", "postgres:hush@/nowhere"), "nowhere.*Create the database first: createdb"),
        (("postgres:@/postgres", "nobody:hush@/postgres"), "nobody.*lets this account in"),
        (("host=/", "host=/nowhere/"), "nowhere.*PostgreSQL runs there"),
    ],
)
def test_a_postgresql_that_lets_nobody_in_is_named_with_a_remedy_and_without_the_password(
    postgresql: Postgresql, change: tuple[str, str], words: str
) -> None:
    engine = open_database(postgresql.uri.replace(*change))
    with pytest.raises(KnowledgeBaseError, match=words) as refused:
        migrate(engine, MIGRATIONS, "v")
    assert "hush" not in str(refused.value)
    engine.dispose()


def test_a_standby_that_takes_no_writes_is_named(postgresql: Postgresql) -> None:
    with postgresql.nothing() as url:
        engine = open_database(url)
        migrate(engine, MIGRATIONS, "v")
        with pytest.raises(KnowledgeBaseError, match="KEFU_DATABASE_URL to the primary"), writing(engine) as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.execute(insert(vector).values(content_hash="h", encoder="e", data=b""))


def test_a_connection_that_was_cut_is_replaced(postgresql: Postgresql) -> None:
    with postgresql.nothing() as url:
        engine = open_database(url)
        with engine.connect() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        postgresql.run(f"SELECT pg_terminate_backend({number})")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != number


@pytest.mark.parametrize("url", ["mysql://localhost/kefu", "postgres", "postgresql+nothing://localhost/kefu"])
def test_an_address_of_no_database_that_kefu_knows_is_refused(url: str) -> None:
    with pytest.raises(KnowledgeBaseError, match=re.escape("Write it like postgresql://user:password@host/kefu")):
        open_database(url)


def test_a_file_that_is_no_database_is_refused_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "k.sqlite"
    file.write_bytes(b"not a database at all" * 100)
    engine = open_database(f"sqlite:///{file}")
    with pytest.raises(KnowledgeBaseError, match="Restore it from a backup"):
        migrate(engine, MIGRATIONS, "v")
    engine.dispose()


def test_a_data_folder_under_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(KnowledgeBaseError, match="KEFU_DATA"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'data' / 'k.sqlite'}")


def failing(file: Path, pragma: str) -> Engine:
    """An up to date database whose every connection gets a limit: what a read-only or a full disk is to SQLite."""
    engine = open_database(f"sqlite:///{file}")
    migrate(engine, MIGRATIONS, "v")
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))
    engine.dispose()
    return engine


@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("query_only=ON", r"k\.sqlite fails: attempt to write a readonly database\. Make the data folder .*KEFU_DATA"),
        ("max_page_count=1", r"k\.sqlite fails: database or disk is full\. Free some disk space"),
    ],
)
def test_a_write_that_the_disk_refuses_names_the_remedy_and_leaves_all_as_it_was(
    tmp_path: Path, pragma: str, words: str
) -> None:
    engine = failing(tmp_path / "k.sqlite", pragma)
    with pytest.raises(KnowledgeBaseError, match=words), writing(engine) as connection:
        for number in range(100):
            values = {"content_hash": str(number), "encoder": "e", "data": bytes(5_000)}
            connection.execute(insert(vector).values(**values))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(vector)).scalar() == 0
    engine.dispose()


def test_a_database_that_another_program_holds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge_base.database._BUSY_SECONDS", 0)
    engine = open_database(f"sqlite:///{tmp_path / 'k.sqlite'}")
    with writing(engine), pytest.raises(KnowledgeBaseError, match="Another program holds it"), writing(engine):
        pass
    engine.dispose()


def test_damage_found_while_reading_names_the_remedy(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'k.sqlite'}")
    migrate(engine, MIGRATIONS, "v")
    with writing(engine) as connection:
        connection.execute(insert(vector).values(content_hash="h", encoder="e", data=bytes(100_000)))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    whole = (tmp_path / "k.sqlite").read_bytes()
    (tmp_path / "k.sqlite").write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(KnowledgeBaseError, match=r"fails: .*\. Restore it from a backup"):
        migrate(engine, MIGRATIONS, "v")
    with pytest.raises(KnowledgeBaseError, match=r"fails: .*\. Restore it from a backup"), engine.connect() as reading:
        reading.execute(select(vector)).all()
    engine.dispose()


def test_our_own_mistakes_are_not_blamed_on_the_operator(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'k.sqlite'}")
    with pytest.raises(OperationalError, match="no such table"), engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    engine.dispose()
