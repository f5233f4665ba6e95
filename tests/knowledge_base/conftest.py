"""A knowledge base without weights: a small encoder that places texts by the words they share."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.store import Store
from knowledge_base.types import Progress, Vectors
from knowledge_base.words import words


class HashEncoder:
    """Each search word points in a direction of its own; a text is the sum of its words, normalised."""

    dimension = 256
    max_tokens = 512

    def __init__(self, fingerprint: str = "hash-1") -> None:
        self.fingerprint = fingerprint
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.encoded += texts
        return self.encode_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension, np.float32)
        for word in words(text):
            seed = int.from_bytes(hashlib.sha256(f"{self.fingerprint[:4]} {word}".encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / (np.linalg.norm(total) or 1.0)


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
