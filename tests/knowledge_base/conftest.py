"""A knowledge base without weights."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from milvus_lite.server_manager import server_manager_instance

from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder

_NONE = SimpleNamespace(params={})
OpenKnowledge = Callable[..., KnowledgeBase]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """SQLite with FAISS and tantivy, as on one box; PostgreSQL with either, as past it."""
    unlike = {"database_url": "sqlite", "milvus": "milvus"}.items()
    items[:] = [item for item in items if not unlike <= getattr(item, "callspec", _NONE).params.items()]


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture(params=["local", "milvus"])
def milvus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """KEFU_MILVUS: none, and then a file that milvus-lite opens."""
    if request.param == "local":
        yield ""
        return
    file = str(tmp_path / "milvus.db")
    yield file
    server_manager_instance.release_server(file)


@pytest.fixture
def open_knowledge(tmp_path: Path, database_url: str, milvus: str, encoder: HashEncoder) -> Iterator[OpenKnowledge]:
    """Opens the knowledge base of tmp_path, again and again like processes do, on either backend."""
    opened: list[KnowledgeBase] = []

    def open_(other: HashEncoder | None = None) -> KnowledgeBase:
        opened.append(open_in(tmp_path, Retrieval(other or encoder), database_url, milvus))
        return opened[-1]

    yield open_
    for knowledge in opened:
        knowledge.close()


@pytest.fixture
def local(tmp_path: Path, database_url: str, encoder: HashEncoder) -> KnowledgeBase:
    """A knowledge base that FAISS and tantivy search."""
    return open_in(tmp_path, Retrieval(encoder), database_url)


@pytest.fixture
def knowledge(open_knowledge: OpenKnowledge) -> KnowledgeBase:
    return open_knowledge()
