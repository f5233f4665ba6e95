from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, func, insert, select, text
from sqlalchemy.exc import OperationalError

from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database, writing
from knowledge_base.tables import metadata, vector
from knowledge_base.types import KnowledgeBaseError


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'k.sqlite'}")
    migrate(engine, MIGRATIONS, "v")
    with engine.connect() as connection:
        own = {"include_object": lambda thing, name, kind, *_: name != "v"}
        differences = compare_metadata(MigrationContext.configure(connection, opts=own), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_is_migrating_once(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'k.sqlite'}")
    migrate(engine, MIGRATIONS, "v")
    migrate(engine, MIGRATIONS, "v")
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_with_a_remedy(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'k.sqlite'}")
    migrate(engine, MIGRATIONS, "v")
    with writing(engine) as connection:
        connection.execute(text("UPDATE v SET version_num = '9999'"))
    with pytest.raises(KnowledgeBaseError, match="written by a newer one"):
        migrate(engine, MIGRATIONS, "v")
    engine.dispose()


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
