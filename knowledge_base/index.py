"""Dense search: vectors by row id in FAISS, a cache of the store's vectors. Knows no text and no database.

It lives in memory and is filled from the stored vectors at start, so there is no file to be torn or stale.
"""

from collections.abc import Sequence
from threading import Lock

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge_base.types import Vectors

Ids = NDArray[np.int64]


class DenseIndex:
    """Exact inner-product search. All methods may be called from any thread."""

    def __init__(self, dimension: int) -> None:
        self._faiss = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._known: set[int] = set()
        self._lock = Lock()

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add rows; an id that is already there is replaced. vectors: (len(ids), dimension) float32."""
        if not len(ids):
            return
        with self._lock:
            self._remove([i for i in ids if i in self._known])
            self._faiss.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.asarray(ids, np.int64))
            self._known.update(ids)

    def remove(self, ids: Sequence[int]) -> None:
        """Remove rows; unknown ids are ignored."""
        with self._lock:
            self._remove([i for i in ids if i in self._known])

    def search(self, query: Vectors, limit: int) -> list[tuple[int, float]]:
        """The `limit` nearest rows to one query vector, shape (dimension,): (id, cosine), best first."""
        with self._lock:
            scores, ids = self._faiss.search(query.reshape(1, -1), min(limit, len(self._known)) or 1)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def cosines(self, query: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """The cosine of each given row with the query vector; unknown ids are left out."""
        with self._lock:
            known = [i for i in ids if i in self._known]
            if not known:
                return {}
            rows = self._faiss.reconstruct_batch(np.asarray(known, np.int64))
        return dict(zip(known, (rows @ query).tolist(), strict=True))

    def ids(self) -> set[int]:
        """All row ids, as FAISS itself holds them."""
        with self._lock:
            return set(faiss.vector_to_array(self._faiss.id_map).tolist())

    def _remove(self, ids: Sequence[int]) -> None:
        if ids:
            self._faiss.remove_ids(faiss.IDSelectorBatch(np.asarray(ids, np.int64)))
            self._known.difference_update(ids)
