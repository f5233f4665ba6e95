"""Dense search: vectors by row id in FAISS, a cache of the store's vectors. Knows no text and no database.

It lives in memory and is filled from the stored vectors at start, so there is no file to be torn or stale. Vectors are
kept in half precision: half the memory, and looked through in a half to a third of the time. Up to MOST_EXACT rows
every one is compared; beyond, once it is searched for good, lists are made beside it in a thread.
"""

import logging
import weakref
from collections.abc import Sequence
from threading import Event, Lock, Thread, current_thread
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge_base import lists
from knowledge_base.lists import Lists
from knowledge_base.types import Vectors

Ids = NDArray[np.int64]
MOST_EXACT = 100_000
"""Rows up to which every vector is compared with the query."""
_FOR_GOOD = 20  # searches after which lists are worth their making: a command that asks once needs none
_SETTLING = 3
_GROWN = 4  # times as many rows as the lists were made for: make new ones
_log = logging.getLogger(__name__)


class DenseIndex:
    """Inner-product search. All methods may be called from any thread."""

    def __init__(self, dimension: int, most_exact: int = MOST_EXACT) -> None:
        self._dimension = dimension
        self._most_exact = most_exact
        self._faiss: Any = _exact(dimension)
        self._lists: Lists | None = None
        self._made_for = 0
        self._searches = 0
        self._known: set[int] = set()
        self._changed: set[int] | None = None  # while lists are made: the rows that came or went meanwhile
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add rows; an id that is already there is replaced. vectors: (len(ids), dimension) float32."""
        if not len(ids):
            return
        with self._lock:
            self._remove([i for i in ids if i in self._known])
            self._faiss.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.asarray(ids, np.int64))
            self._known.update(ids)
            self._note(ids)

    def remove(self, ids: Sequence[int]) -> None:
        """Remove rows; unknown ids are ignored."""
        with self._lock:
            known = [i for i in ids if i in self._known]
            self._remove(known)
            self._note(known)

    def search(self, query: Vectors, limit: int) -> list[tuple[int, float]]:
        """The `limit` nearest rows to one query vector, shape (dimension,): (id, cosine), best first."""
        with self._lock:
            self._searches += 1
            if self._searches >= _FOR_GOOD and self._unfit():
                self._begin()
            scores, ids = self._faiss.search(query.reshape(1, -1), min(limit, len(self._known)) or 1)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def cosines(self, query: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """The cosine of each given row with the query vector; unknown ids are left out."""
        known, rows = self._read(ids)
        return dict(zip(known, (rows @ query).tolist(), strict=True)) if known else {}

    def ids(self) -> set[int]:
        """All row ids, as FAISS itself holds them."""
        with self._lock:
            if self._lists is not None:
                return lists.held(self._faiss)
            return set(faiss.vector_to_array(self._faiss.id_map).tolist())

    def settle(self) -> Lists | None:
        """How it searches once it is as it should be for so many rows: None is exactly. Makes the lists if need be."""
        for _ in range(_SETTLING):  # it may grow meanwhile
            with self._lock:
                if not self._unfit():
                    break
                self._begin()
                thread = self._thread
            if thread is not None:
                thread.join()
        return self._lists

    # --- with the lock held

    def _remove(self, ids: Sequence[int]) -> None:
        if ids:
            select = faiss.IDSelectorArray if self._lists else faiss.IDSelectorBatch  # each can use one of them only
            self._faiss.remove_ids(select(np.asarray(ids, np.int64)))
            self._known.difference_update(ids)

    def _note(self, ids: Sequence[int]) -> None:
        if self._changed is not None:
            self._changed.update(ids)

    def _unfit(self) -> bool:
        """Whether it should search otherwise, for so many rows."""
        rows = len(self._known)
        if self._lists is None:
            return rows > self._most_exact
        return rows > _GROWN * self._made_for or rows <= self._most_exact // 2

    def _begin(self) -> None:
        if self._changed is None and not self._stop.is_set():
            self._changed = set()
            self._thread = Thread(target=self._make, args=(sorted(self._known),), name="index", daemon=True)
            # a thread inside FAISS must not outlive the interpreter
            weakref.finalize(self, _end, self._stop, self._thread)
            self._thread.start()

    # --- in the thread that makes it

    def _make(self, ids: list[int]) -> None:
        faiss.omp_set_num_threads(1)  # of this thread: the others go on answering
        try:
            made = lists.make(self._dimension, ids, self._read, self._stop.is_set) if self._many(ids) else None
            with self._lock:
                if not self._stop.is_set() and (made or not self._many(ids)):
                    self._swap(made, made.index if made else self._copied())
        except Exception:  # whatever FAISS or memory say; exact search goes on
            self._stop.set()
            _log.exception("The index of %d rows could not be made anew; the old one goes on.", len(ids))
        finally:
            with self._lock:
                self._changed = None

    def _many(self, ids: Sequence[int]) -> bool:
        return len(ids) > self._most_exact // 2

    def _swap(self, made: Lists | None, index: Any) -> None:
        """Let the new one take over, with what came and went while it was made. The lock is held."""
        changed = np.asarray(sorted(self._changed or ()), np.int64)
        if made and len(changed):
            index.remove_ids(faiss.IDSelectorArray(changed))
            came = [int(i) for i in changed if int(i) in self._known]
            if came:
                index.add_with_ids(self._faiss.reconstruct_batch(np.asarray(came, np.int64)), np.asarray(came))
        self._faiss, self._lists, self._made_for = index, made, len(self._known)
        if made:
            _log.info("%d rows in %d lists, %d probed, recall %.3f", index.ntotal, made.lists, made.probed, made.recall)

    def _copied(self) -> Any:
        exact, ids = _exact(self._dimension), np.asarray(sorted(self._known), np.int64)
        if len(ids):
            exact.add_with_ids(self._faiss.reconstruct_batch(ids), ids)
        return exact

    def _read(self, ids: Sequence[int]) -> tuple[Sequence[int], Vectors]:
        with self._lock:
            known = [i for i in ids if i in self._known]
            if not known:
                return [], np.zeros((0, self._dimension), np.float32)
            return known, self._faiss.reconstruct_batch(np.asarray(known, np.int64))


def _exact(dimension: int) -> Any:
    half = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexIDMap2(faiss.IndexScalarQuantizer(dimension, half, faiss.METRIC_INNER_PRODUCT))


def _end(stop: Event, thread: Thread) -> None:
    stop.set()
    if thread is not current_thread():
        thread.join()
