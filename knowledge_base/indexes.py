"""Both indexes together, following the store. Knows ids, roles and scores, never what a customer sees.

Any process may change the store; each finds out by the store's revision and catches up before it searches.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from knowledge_base.index import DenseIndex
from knowledge_base.keywords import KeywordIndex, KeywordsDamaged
from knowledge_base.lists import Lists
from knowledge_base.records import IndexRow, Role
from knowledge_base.store import Store
from knowledge_base.types import Language, SourceKind, Vectors
from knowledge_base.words import words

_DEPTH = 50  # candidates from each search
_SAMPLE = 500  # texts
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry that a search found, with both scores."""

    id: int
    role: Role
    source: tuple[SourceKind, str]
    language: Language
    dense: float
    keyword: float


@dataclass(frozen=True, slots=True)
class _Fact:
    role: Role
    source: tuple[SourceKind, str]
    language: Language


class Indexes:
    """Dense and keyword index over the store's entries. All methods may be called from any thread."""

    def __init__(self, store: Store, keywords: KeywordIndex, dimension: int) -> None:
        self._store = store
        self._keywords = keywords
        self._dimension = dimension
        self._dense = DenseIndex(dimension)
        self._facts: dict[int, _Fact] = {}
        self._revision = 0
        self._lock = Lock()
        self.follow()

    def follow(self, wait: bool = True) -> int:
        """Catch up with the store; returns the revision that searches now reflect.

        wait: False: while another thread is catching up, as it may for long after an import, stay behind meanwhile.
        """
        if self._store.revision() == self._revision or not self._lock.acquire(wait):
            return self._revision
        try:
            added, removed, revision = self._store.changes(self._revision)
            self._follow_dense(added, removed)
            self._follow_keywords()
            self._revision = revision
        finally:
            self._lock.release()
        return revision

    def candidates(self, vector: Vectors, query: str, extra: Collection[int] = ()) -> list[Candidate]:
        """Entries near the query by meaning or by words, and those of `extra`; every one has both scores."""
        dense = dict(self._dense.search(vector, _DEPTH))
        keyword = dict(self._by_words(query, 4 * _DEPTH))
        ids = {*dense, *list(keyword)[:_DEPTH], *extra}
        facts = {i: fact for i in ids if (fact := self._facts.get(i))}
        dense |= self._dense.cosines(vector, [i for i in facts if i not in dense])
        return [
            Candidate(i, fact.role, fact.source, fact.language, dense[i], keyword.get(i, 0.0))
            for i, fact in facts.items()
            if i in dense
        ]

    def entries(self, ids: Collection[int]) -> list[Candidate]:
        """Those of the entries that are indexed, as found by their very words."""
        facts = {i: fact for i in ids if (fact := self._facts.get(i))}
        return [Candidate(i, fact.role, fact.source, fact.language, 1.0, 1.0) for i, fact in facts.items()]

    def found(self, vector: Vectors, query: str) -> set[int]:
        """The row ids that either index gives, known or not: what would show that a deleted entry is still there."""
        return {i for i, _ in (*self._dense.search(vector, _DEPTH), *self._by_words(query, _DEPTH))}

    def shares(self, query: str, texts: Sequence[Counter[str]], average: float) -> list[float]:
        """The keyword scores that texts of these words would have; see KeywordIndex.shares."""
        return self._keywords.shares(query, texts, average)

    def average_length(self) -> float:
        """The mean number of words of an indexed text, of a sample of them; 0 when there is none."""
        indexed = [i for i, fact in self._facts.copy().items() if fact.role != "never"]
        lengths = [
            len(words(row.search_text)) for row in self._store.index_rows(indexed[:: -(-len(indexed) // _SAMPLE) or 1])
        ]
        return sum(lengths) / len(lengths) if lengths else 0.0

    def ids(self) -> tuple[set[int], set[int]]:
        """The row ids that the dense and the keyword index hold."""
        return self._dense.ids(), self._keywords.ids()

    def settle(self) -> Lists | None:
        """How the dense index searches so many rows: None is exactly. Makes what it should be if need be."""
        return self._dense.settle()

    def rebuild(self) -> None:
        """Forget both indexes and fill them from the store."""
        with self._lock:
            self._facts = {}
            self._dense.remove(list(self._dense.ids()))
            with self._keywords.lock:
                self._keywords.clear()
            self._revision = 0
        self.follow()

    def refill(self) -> None:
        """Fill the dense index from the store, as after texts got vectors; it answers as before until that is done."""
        with self._lock:
            added, _, revision = self._store.changes(0)
            dense = DenseIndex(self._dimension)
            facts = self._fill(dense, added)
            self._dense, self._facts, self._revision = dense, facts, revision
        self.follow()

    def _fill(self, dense: DenseIndex, added: Sequence[int]) -> dict[int, _Fact]:
        rows = [row for row in self._store.index_rows(added) if row.vector is not None]
        if rows:
            dense.add([row.id for row in rows], np.stack([row.vector for row in rows if row.vector is not None]))
        return {row.id: _fact(row) for row in rows}

    def _follow_dense(self, added: Sequence[int], removed: Sequence[int]) -> None:
        self._facts.update(self._fill(self._dense, added))
        self._dense.remove(removed)
        for i in removed:
            self._facts.pop(i, None)

    def _by_words(self, query: str, limit: int) -> list[tuple[int, float]]:
        """What the keyword index finds; it is built anew first if its files have been damaged meanwhile."""
        try:
            return self._keywords.search(query, limit)
        except KeywordsDamaged:
            with self._keywords.lock:
                try:
                    return self._keywords.search(query, limit)  # another thread was faster
                except KeywordsDamaged:
                    _log.warning("The keyword index was damaged while it was open; it is built anew from the store.")
                    self._keywords.renew()
                    self._follow_keywords()
        return self._keywords.search(query, limit)

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


def _fact(row: IndexRow) -> _Fact:
    return _Fact(row.role, (row.kind, row.source_id), row.language)
