"""A knowledge base without weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder

OpenKnowledge = Callable[..., KnowledgeBase]


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def open_knowledge(tmp_path: Path, database_url: str, encoder: HashEncoder) -> OpenKnowledge:
    """Opens the knowledge base of tmp_path, again and again like processes do."""

    def open_(other: HashEncoder | None = None) -> KnowledgeBase:
        return open_in(tmp_path, Retrieval(other or encoder), database_url)

    return open_


@pytest.fixture
def knowledge(open_knowledge: OpenKnowledge) -> KnowledgeBase:
    return open_knowledge()
