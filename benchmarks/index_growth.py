"""Both indexes at growing sizes, over synthetic vectors and sentences: latency against bare FAISS and bare tantivy.

The vectors lie in clusters as texts on one matter do: a centre for each 50, and noise. There is no store behind them:
a million rows in a database would take longer to write than all of this takes.
"""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import faiss
import numpy as np
import tantivy

from benchmarks.passages import passage, questions
from benchmarks.rows import RATIO, Row, at_least, at_most
from benchmarks.server_speed import quantile
from benchmarks.work import Say, Work
from knowledge_base.index import DenseIndex
from knowledge_base.keywords import KeywordIndex
from knowledge_base.types import Encoder, Vectors
from knowledge_base.words import words

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUERIES = 100
_JUDGED = 1_000  # queries for the recall: lists miss whole clusters together, so that few say little
_DIMENSION = 384
_CHUNK = 20_000  # vectors
_TEXTS = 50_000  # committed together
_NOISE = 0.7
_DEPTH, _NEAREST = 50, 10
_FOR_GOOD = 20  # searches after which the dense index begins to make lists, where it should have them

Times = dict[str, list[float]]


def rows(work: Work) -> list[Row]:
    """Each size, the smallest first, and how much slower the largest is."""
    encoder = work.retrieval().encoder
    found: list[Row] = []
    slow: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        indexes = Growing(Path(folder), max(SIZES), work.say)
        for size in SIZES:
            indexes.grow(size)
            times, recall = indexes.measure(encoder, questions(2 * QUERIES, seed=size))
            found += _rows(size, times, recall)
            slow[size] = quantile(times["whole"], 0.95)
        first, last = 10_000, max(SIZES)
    what, bar = f"search in {last:,} passages, p95", at_most(4, RATIO)
    return [*found, Row(what, slow[last], "ms", slow[first], f"the same in {first:,}", bar)]


def _rows(size: int, times: Times, recall: float) -> list[Row]:
    found = []
    for name, own, bare, beside in (
        ("query encoded, both indexes searched", "whole", "parts", "encode + FAISS + tantivy"),
        ("dense index", "dense", "faiss", "bare FAISS, exact"),
        ("keyword index", "keyword", "tantivy", "bare tantivy, words cut before"),
    ):
        for label, share in (("p50", 0.5), ("p95", 0.95)):
            what = f"{size:,} passages: {name}, {label}"
            found.append(Row(what, quantile(times[own], share), "ms", quantile(times[bare], share), beside))
    return [*found, Row(f"{size:,} passages: recall@10 against exact", recall, "", bar=at_least(0.98, ""))]


class Growing:
    """Both indexes, and the bare ones beside them, over the first so many of the same rows."""

    def __init__(self, folder: Path, most: int, say: Say) -> None:
        self.dense = DenseIndex(_DIMENSION)
        self.keywords = KeywordIndex(folder)
        self._bare: Any = faiss.IndexFlatIP(_DIMENSION)
        self._folder, self._say = folder, say
        self._random, self._dice = np.random.default_rng(7), random.Random(7)
        self._centres = unit(self._random.standard_normal((max(1, most // 50), _DIMENSION)))
        self._cut = cache(words)  # a few thousand sentences make up all texts; queries are cut as ever
        self._rows = 0

    def grow(self, size: int) -> None:
        """Add rows until there are so many; lists are made while words are indexed."""
        for start in range(self._rows, size, _CHUNK):
            self._say(f"{start:,} of {size:,} vectors")
            ids = range(start, min(start + _CHUNK, size))
            vectors = near(self._centres, len(ids), self._random)
            self.dense.add(list(ids), vectors)
            self._bare.add(vectors)
        for query in near(self._centres, _FOR_GOOD, self._random):
            self.dense.search(query, 1)
        for start in range(self._rows, size, _TEXTS):
            self._say(f"{start:,} of {size:,} texts")
            ids = range(start, min(start + _TEXTS, size))
            with self.keywords.lock, mock.patch("knowledge_base.keywords.words", self._cut):
                self.keywords.apply([(n, passage(n, self._dice)) for n in ids], (), ids[-1] + 1)
        self._rows = size
        self._say(f"an index of {size:,} settles")
        self.dense.settle()

    def measure(self, encoder: Encoder, asked: Sequence[str]) -> tuple[Times, float]:
        """Milliseconds of Kefu's and of the bare parts, in turns, and recall@10 of the dense index, of more queries."""
        self._say(f"search in {self._rows:,}")
        ours = near(self._centres, len(asked) // 2, self._random)
        bare_words = _bare_tantivy(self._folder)
        times: Times = {name: [] for name in ("whole", "parts", "dense", "faiss", "keyword", "tantivy")}
        for vector, own, other in zip(ours, asked[::2], asked[1::2], strict=True):
            encoding, _ = _timed(lambda own=own: encoder.encode_queries([own]))  # type: ignore[misc]
            dense, _ = _timed(lambda v=vector: self.dense.search(v, _DEPTH))  # type: ignore[misc]
            keyword, _ = _timed(lambda own=own: self.keywords.search(own, _DEPTH))  # type: ignore[misc]
            encoding2, _ = _timed(lambda other=other: encoder.encode_queries([other]))  # type: ignore[misc]
            row = np.ascontiguousarray(vector[None])
            exact, _ = _timed(lambda row=row: self._bare.search(row, _DEPTH))  # type: ignore[misc]
            cut = words(own)
            tantivy_, _ = _timed(lambda cut=cut: bare_words(cut))  # type: ignore[misc]
            for name, value in zip(times, (encoding + dense + keyword, encoding2 + exact + tantivy_, dense, exact,
                                           keyword, tantivy_), strict=True):  # fmt: skip
                times[name].append(value)
        return times, self._recall()

    def _recall(self) -> float:
        asked = near(self._centres, _JUDGED if self.dense.settle() else QUERIES, self._random)
        _, nearest = self._bare.search(asked, _NEAREST)
        found = [{i for i, _ in self.dense.search(query, _NEAREST)} for query in asked]
        return float(
            np.mean([len(own & {*best}) / _NEAREST for own, best in zip(found, nearest.tolist(), strict=True)])
        )


def _bare_tantivy(folder: Path) -> Callable[[Sequence[str]], object]:
    """A search in the same files, by words that are cut already."""
    index = tantivy.Index.open(str(folder))
    searcher = index.searcher()

    def search(cut: Sequence[str]) -> object:
        terms = [(tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "words", word, "freq")) for word in cut]
        return searcher.search(tantivy.Query.boolean_query(terms), _DEPTH, count=False).hits

    return search


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what was returned."""
    began = time.perf_counter()
    found = call()
    return (time.perf_counter() - began) * 1000, found


def near(centres: Vectors, count: int, dice: np.random.Generator) -> Vectors:
    """Unit vectors, each near one of the centres."""
    noise = dice.standard_normal((count, _DIMENSION), dtype=np.float32) * (_NOISE / _DIMENSION**0.5)
    return unit(centres[dice.integers(len(centres), size=count)] + noise)


def unit(rows: Vectors) -> Vectors:
    """The rows at length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
