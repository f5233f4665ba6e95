"""Both searches together, following the store. Knows ids, roles and scores, never what a customer sees.

Any process may change the store; each finds out by the store's revision and catches up before it searches.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from knowledge_base.backend import Backend
from knowledge_base.lists import Lists
from knowledge_base.records import IndexRow, Role
from knowledge_base.store import Store
from knowledge_base.types import Language, SourceKind, Vectors
from knowledge_base.words import words

_DEPTH = 50  # candidates from each search
_SAMPLE = 500  # texts
_beside = ThreadPoolExecutor(thread_name_prefix="words")  # both searches leave Python's lock to others


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
    """Vectors and words of the store's entries, by what each entry is. All methods may be called from any thread."""

    def __init__(self, store: Store, backend: Backend) -> None:
        self._store = store
        self._backend = backend
        self._facts: dict[int, _Fact] = {}
        self._revision = 0
        self._lock = Lock()
        try:
            self.follow()
        except BaseException:
            self.close()
            raise

    def follow(self, wait: bool = True, stored: int | None = None) -> int:
        """Catch up with the store; returns the revision that searches now reflect.

        wait: False: while another thread is catching up, as it may for long after an import, stay behind meanwhile.
        stored: the store's revision, where the caller has just read it.
        """
        if stored is None:
            stored = self._store.revision()
        if stored == self._revision or not self._lock.acquire(wait):
            return self._revision
        try:
            added, removed, revision = self._store.changes(self._revision)
            rows = list(self._store.index_rows(added))
            self._backend.follow(rows, removed)
            self._facts.update(_facts(rows))
            for i in removed:
                self._facts.pop(i, None)
            self._revision = revision
        finally:
            self._lock.release()
        return revision

    def candidates(self, query: str, encode: Callable[[], Vectors], extra: Collection[int] = ()) -> list[Candidate]:
        """Entries near the query by meaning or by words, and those of `extra`; every one has both scores.

        encode: gives the query's vector; its words are looked for meanwhile, which hides most of what they take.
        """
        by_words = _beside.submit(self._backend.by_words, query, 4 * _DEPTH)
        vector = encode()
        dense = dict(self._backend.near(vector, _DEPTH))
        keyword = dict(by_words.result())
        ids = {*dense, *list(keyword)[:_DEPTH], *extra}
        facts = {i: fact for i in ids if (fact := self._facts.get(i))}
        dense |= self._backend.cosines(vector, [i for i in facts if i not in dense])
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
        return {i for i, _ in (*self._backend.near(vector, _DEPTH), *self._backend.by_words(query, _DEPTH))}

    def weights(self, query: str) -> dict[str, float]:
        """What each of a query's words weighs; see Backend.weights."""
        return self._backend.weights(query)

    def average_length(self) -> float:
        """The mean number of words of an indexed text, of a sample of them; 0 when there is none."""
        indexed = [i for i, fact in self._facts.copy().items() if fact.role != "never"]
        lengths = [
            len(words(row.search_text)) for row in self._store.index_rows(indexed[:: -(-len(indexed) // _SAMPLE) or 1])
        ]
        return sum(lengths) / len(lengths) if lengths else 0.0

    def ids(self) -> tuple[set[int], set[int]]:
        """The row ids that are searched by meaning, and by words."""
        return self._backend.ids()

    def settle(self) -> Lists | None:
        """How the vectors of so many rows are searched: None is exactly. Makes what there should be if need be."""
        return self._backend.settle()

    def rebuild(self) -> None:
        """Fill both searches anew from the store."""
        with self._lock:
            self._backend.renew()
        self.refill()

    def refill(self) -> None:
        """Fill them from the store, as after texts got vectors; searches answer as before until that is done."""
        with self._lock:
            added, _, revision = self._store.changes(0)
            rows = list(self._store.index_rows(added))
            self._backend.refill(rows)
            self._facts, self._revision = _facts(rows), revision
        self.follow()

    def close(self) -> None:
        """Give back what the backend holds open."""
        self._backend.close()


def _facts(rows: Sequence[IndexRow]) -> dict[int, _Fact]:
    """What is known of the rows that can be searched: those with a vector."""
    return {row.id: _Fact(row.role, (row.kind, row.source_id), row.language) for row in rows if row.vector is not None}
