"""An index of lists (IVF) for very many vectors: made beside the exact one, its recall measured against exact search.

Its vectors are kept in half precision: half the memory, and twice as fast to look through. Knows how to read vectors
by id, not where they come from or who searches.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from knowledge_base.types import Vectors

TARGET = 0.98  # recall@10 against exact search
_MARGIN = 0.01  # what it is aimed higher: the questions are made from the passages that they are to find
_PER_LIST = 40  # vectors of each list that its centre is found from
_ROUNDS = 10
_CHUNK = 10_000
_QUESTIONS = 1_000  # among 200, chance hid a loss of five points
_NEAREST = 10
_NOISE = 0.6  # a question lies about as far from its passage as this noise puts it: a cosine of 0.86

Read = Callable[[Sequence[int]], tuple[Sequence[int], Vectors]]
"""Ids → those of them that are still there, with their vectors."""


@dataclass(frozen=True, slots=True)
class Lists:
    """A made index and how it searches; recall: the share of the ten nearest that it finds, of `questions`."""

    index: Any
    lists: int
    probed: int
    recall: float
    questions: int


def make(dimension: int, ids: Sequence[int], read: Read, stopped: Callable[[], bool]) -> Lists | None:
    """Put the vectors into lists, as few of which are probed as the recall allows; None when stopped meanwhile."""
    count = 2 ** round(math.log2(4 * math.sqrt(len(ids))))  # half as many made a million rows probe a quarter of all
    index = _empty(dimension, count)
    index.cp.niter = _ROUNDS
    index.cp.min_points_per_centroid = 1
    random = np.random.default_rng(len(ids))
    _, sample = read(random.choice(np.asarray(ids), min(len(ids), _PER_LIST * count), replace=False).tolist())
    if stopped() or len(sample) < count:
        return None
    index.train(sample)
    index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined]
    questions = _questions(sample, random)
    nearest = _Nearest(questions)
    for start in range(0, len(ids), _CHUNK):
        there, vectors = read(ids[start : start + _CHUNK])
        if stopped():
            return None
        if len(there):
            index.add_with_ids(vectors, np.asarray(there, np.int64))
            nearest.see(np.asarray(there, np.int64), vectors)
    return _probed(index, count, questions, nearest)


def _empty(dimension: int, count: int) -> Any:
    half, whole = faiss.ScalarQuantizer.QT_fp16, False  # whole: of each vector, not of what parts it from its centre
    centres = faiss.IndexFlatIP(dimension)
    return faiss.IndexIVFScalarQuantizer(centres, dimension, count, half, faiss.METRIC_INNER_PRODUCT, whole)


def held(index: Any) -> set[int]:
    """All ids that an index of lists holds."""
    lists, found = index.invlists, set[int]()
    for number in range(index.nlist):
        if size := lists.list_size(number):
            found.update(faiss.rev_swig_ptr(lists.get_ids(number), size).tolist())
    return found


class _Nearest:
    """The nearest vectors to each question, by looking at all."""

    def __init__(self, questions: Vectors) -> None:
        self._questions = questions
        self.ids = np.full((len(questions), _NEAREST), -1, np.int64)
        self._scores = np.full((len(questions), _NEAREST), -np.inf, np.float32)

    def see(self, ids: Any, vectors: Vectors) -> None:
        scores = np.hstack([self._scores, self._questions @ vectors.T])
        known = np.hstack([self.ids, np.broadcast_to(ids, (len(self._questions), len(ids)))])
        best = np.argpartition(-scores, _NEAREST - 1, axis=1)[:, :_NEAREST]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self.ids = np.take_along_axis(known, best, axis=1)


def _questions(sample: Vectors, random: np.random.Generator) -> Vectors:
    chosen = sample[random.choice(len(sample), min(_QUESTIONS, len(sample)), replace=False)]
    noisy = chosen + _NOISE / math.sqrt(chosen.shape[1]) * random.standard_normal(chosen.shape)
    return np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), np.float32)


def _probed(index: Any, count: int, questions: Vectors, nearest: _Nearest) -> Lists:
    probed = 4
    while True:
        index.nprobe = probed = min(probed, count)
        _, found = index.search(questions, _NEAREST)
        recall = float(np.mean([len({*a} & {*b}) / len({*b}) for a, b in zip(found, nearest.ids, strict=True)]))
        if recall >= TARGET + _MARGIN or probed == count:
            return Lists(index, count, probed, recall, len(questions))
        probed *= 2
