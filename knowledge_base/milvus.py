"""The backend on a Milvus server, which any number of processes share: it follows the store, whoever comes first.

Needs no lock between processes: whatever is written may be written twice, and in any order with what others write.
What BM25 asks of all texts each process reads from there once, and keeps.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import TypeVar

from knowledge_base.batches import batches
from knowledge_base.lexicon import Counted, Lexicon, number, numbered
from knowledge_base.lists import Lists
from knowledge_base.milvus_collection import CollectionLost, MilvusCollection, Record
from knowledge_base.records import IndexRow
from knowledge_base.store import Store
from knowledge_base.types import Encoder, Vectors
from knowledge_base.words import PROBE, words

_writing = RLock()  # within this process, as a file cannot be written to by two threads
_SAMPLE = 20  # rows compared with the store at the start
_log = logging.getLogger(__name__)
T = TypeVar("T")


def open_milvus(store: Store, encoder: Encoder, uri: str, token: str = "") -> "MilvusBackend":
    """The backend at `uri`, in a collection for this encoder and these search words. Raises KnowledgeBaseError."""
    name = hashlib.sha256(f"2 {encoder.fingerprint} {words(PROBE)}".encode()).hexdigest()[:16]
    return MilvusBackend(store, MilvusCollection(uri, token, name, encoder.dimension))


class MilvusBackend:
    """See Backend. Rows without a vector are not there, as nothing finds them."""

    def __init__(self, store: Store, collection: MilvusCollection) -> None:
        self._store = store
        self._collection = collection
        self._lexicon = Lexicon()
        self._compared = False

    def follow(self, rows: Sequence[IndexRow], removed: Sequence[int]) -> None:
        with _writing:
            self._mended(self._bring_up_to_date)
            if not (self._compared or self._agrees(rows)):
                self._fill(rows)
            self._compared = True
        self._lexicon.remove(removed)
        self._learn(self._lexicon, rows)

    def refill(self, rows: Sequence[IndexRow]) -> None:
        lexicon = Lexicon()
        with _writing:
            self._mended(lambda: self._fill(rows))
        self._learn(lexicon, rows)
        self._lexicon = lexicon

    def renew(self) -> None:
        with _writing:
            self._collection.drop_others()

    def near(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        return self._mended(lambda: self._collection.near(vector, limit))

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        return dict(self._mended(lambda: self._collection.near(vector, len(ids), ids))) if ids else {}

    def by_words(self, query: str, limit: int) -> list[tuple[int, float]]:
        """Milvus chooses the rows; their shares are computed here, with what it does not tell of its words."""
        weights = self._lexicon.weights(numbered(query))
        if not weights:
            return []
        ids = self._mended(lambda: self._collection.by_words(weights, limit))
        return sorted(zip(ids, self._lexicon.shares(weights, ids), strict=True), key=lambda pair: -pair[1])

    def weights(self, query: str) -> dict[str, float]:
        return {word: count * self._lexicon.weight(number(word)) for word, count in Counter(words(query)).items()}

    def ids(self) -> tuple[set[int], set[int]]:
        return self._mended(lambda: (self._collection.ids(), self._collection.ids(with_words=True)))

    def settle(self) -> Lists | None:
        """Exactly, always."""
        return None

    def close(self) -> None:
        self._collection.close()

    # --- changing, with the lock held

    def _bring_up_to_date(self) -> None:
        """Apply what the collection lacks, if no other process was faster."""
        held = self._collection.revision()
        if held > self._store.revision():  # filled from another database, or a later state
            added, _, revision = self._store.changes(0)
            self._fill(self._store.index_rows(added))
        else:
            added, removed, revision = self._store.changes(held)
            self._collection.forget(removed)
            self._write(self._store.index_rows(added))
        if revision != held:
            self._collection.stand(revision)

    def _fill(self, rows: Iterable[IndexRow]) -> None:
        self._write(rows)
        held = self._collection.ids()
        self._collection.forget(held.difference(self._store.entry_ids()))

    def _write(self, rows: Iterable[IndexRow]) -> None:
        """Add rows, and take out again those that another process has taken out of the store meanwhile."""
        for some in batches(rows):
            records = [_record(row, row.vector) for row in some if row.vector is not None]
            self._collection.put(records)
            ids = {record.id for record in records}
            self._collection.forget(ids - self._store.present(ids))

    # --- inside

    def _agrees(self, rows: Sequence[IndexRow]) -> bool:
        """Whether the collection holds as many rows, and in a sample of them these words."""
        known = [row for row in rows if row.vector is not None]
        if self._collection.count() != len(known):
            return False
        sample = [row for row in known if row.role != "never"][:: len(known) // _SAMPLE + 1]
        held = {
            id: (length, weights.keys()) for id, length, weights in self._collection.words(row.id for row in sample)
        }
        counted = ((row.id, numbered(row.search_text)) for row in sample)
        return held == {id: (words.total(), words.keys()) for id, words in counted if words}

    def _learn(self, lexicon: Lexicon, rows: Sequence[IndexRow]) -> None:
        """Count the words of these rows: reading them is much faster than cutting the texts anew."""
        ids = [row.id for row in rows if row.vector is not None and row.role != "never"]
        for some in batches(ids):
            found = self._collection.words(some)
            lexicon.add({id: Counted.weighed(weights, length) for id, length, weights in found})

    def _mended(self, ask: Callable[[], T]) -> T:
        """What Milvus says; where it has lost the collection, that is made and filled anew first."""
        try:
            return ask()
        except CollectionLost:
            _log.warning("Milvus has lost the collection %s; it is filled anew from the store.", self._collection.name)
            with _writing:
                self._collection.ensure()
                self._bring_up_to_date()
        return ask()


def _record(row: IndexRow, vector: Vectors) -> Record:
    counted = Counted.of("" if row.role == "never" else row.search_text)
    return Record(row.id, vector, counted.length, counted.weights())
