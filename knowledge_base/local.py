"""The backend on this machine: FAISS in memory beside tantivy on disk. Knows which of the two is filled from where."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from knowledge_base.index import DenseIndex
from knowledge_base.keywords import KeywordIndex, KeywordsDamaged
from knowledge_base.lists import Lists
from knowledge_base.records import IndexRow
from knowledge_base.store import Store
from knowledge_base.types import Vectors

T = TypeVar("T")
_log = logging.getLogger(__name__)


class LocalBackend:
    """See Backend. The vectors are this process's own; the words' files are shared, and know their own revision."""

    def __init__(self, store: Store, keywords: KeywordIndex, dimension: int) -> None:
        self._store = store
        self._keywords = keywords
        self._dimension = dimension
        self._dense = DenseIndex(dimension)

    def follow(self, rows: Sequence[IndexRow], removed: Sequence[int]) -> None:
        _add(self._dense, rows)
        self._dense.remove(removed)
        self._follow_keywords()

    def refill(self, rows: Sequence[IndexRow]) -> None:
        dense = DenseIndex(self._dimension)
        _add(dense, rows)
        self._dense = dense
        self._follow_keywords()

    def renew(self) -> None:
        with self._keywords.lock:
            self._keywords.clear()

    def near(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        return self._dense.search(vector, limit)

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        return self._dense.cosines(vector, ids)

    def by_words(self, query: str, limit: int) -> list[tuple[int, float]]:
        return self._mended(lambda: self._keywords.search(query, limit))

    def weights(self, query: str) -> dict[str, float]:
        return self._mended(lambda: self._keywords.weights(query))

    def ids(self) -> tuple[set[int], set[int]]:
        return self._dense.ids(), self._keywords.ids()

    def settle(self) -> Lists | None:
        return self._dense.settle()

    def close(self) -> None:
        """Nothing: the files are open as long as the process is."""

    def _mended(self, ask: Callable[[], T]) -> T:
        """What the keyword index says, built anew first if its files have been damaged meanwhile."""
        try:
            return ask()
        except KeywordsDamaged:
            with self._keywords.lock:
                try:
                    return ask()  # another thread was faster
                except KeywordsDamaged:
                    _log.warning("The keyword index was damaged while it was open; it is built anew from the store.")
                    self._keywords.renew()
                    self._follow_keywords()
        return ask()

    def _follow_keywords(self) -> None:
        """The files are shared: whichever process comes first brings them up to date, the others reload."""
        with self._keywords.lock:
            if self._keywords.revision() > self._store.revision():  # filled from another database, or a later state
                self._keywords.clear()
            added, removed, revision = self._store.changes(self._keywords.revision())
            if added or removed:
                texts = [(row.id, row.search_text) for row in self._store.index_rows(added) if row.role != "never"]
                self._keywords.apply(texts, removed, revision)
        self._keywords.reload()


def _add(dense: DenseIndex, rows: Sequence[IndexRow]) -> None:
    vectors = {row.id: row.vector for row in rows if row.vector is not None}
    if vectors:
        dense.add(list(vectors), np.stack(list(vectors.values())))
