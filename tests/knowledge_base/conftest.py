"""A knowledge base without weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.store import Store
from tests.fakes import HashEncoder

OpenKnowledge = Callable[..., KnowledgeBase]


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def open_knowledge(tmp_path: Path, encoder: HashEncoder) -> OpenKnowledge:
    """Opens the knowledge base of tmp_path, again and again like processes do."""

    def open_(other: HashEncoder | None = None) -> KnowledgeBase:
        used = other or encoder
        engine = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
        migrate(engine, MIGRATIONS, "knowledge_base_version")
        return KnowledgeBase(Store(engine, used.fingerprint), used, tmp_path / "keywords")

    return open_


@pytest.fixture
def knowledge(open_knowledge: OpenKnowledge) -> KnowledgeBase:
    return open_knowledge()
