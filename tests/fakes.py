"""Small real classes that stand for models, for the tests of more than one package."""

import hashlib
from collections.abc import Sequence

import numpy as np

from knowledge_base.types import Progress, Vectors
from knowledge_base.words import words


class HashEncoder:
    """Each search word points in a direction of its own; a text is the sum of its words, normalised."""

    dimension = 256
    max_tokens = 512

    def __init__(self, fingerprint: str = "hash-1") -> None:
        self.fingerprint = self.files_sha256 = fingerprint
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.encoded += texts
        if progress:
            progress(len(texts), len(texts))
        return self.encode_queries(texts)

    def encode_tokens(self, texts: Sequence[str], query: bool = False, patient: bool = False) -> list[Vectors]:
        return [np.stack([self._vector(word) for word in words(text)] or [self._vector("")]) for text in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension, np.float32)
        for word in words(text):
            seed = int.from_bytes(hashlib.sha256(f"{self.fingerprint[:4]} {word}".encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / (np.linalg.norm(total) or 1.0)
