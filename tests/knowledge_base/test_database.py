from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database, writing
from knowledge_base.tables import metadata
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
    with pytest.raises(KnowledgeBaseError, match="restore it from a backup"):
        migrate(engine, MIGRATIONS, "v")
    engine.dispose()


def test_a_data_folder_under_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(KnowledgeBaseError, match="KEFU_DATA"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'data' / 'k.sqlite'}")
