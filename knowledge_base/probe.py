"""Looks for a deleted document in the live indexes, with its own passages: what a receipt states. Deletes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from knowledge_base import tables
from knowledge_base.batches import batches
from knowledge_base.indexes import Indexes
from knowledge_base.records import Entry
from knowledge_base.store import Store
from knowledge_base.types import Encoder, Progress

_MOST = 500  # passages looked for; of more, that many from all over the document
_GROUP = 32
_ENTRY = tables.entry.c


@dataclass(frozen=True, slots=True)
class Found:
    """What looking for the passages gave. All but `probed` and `elsewhere` must be 0."""

    probed: int = 0  # passages looked for, by meaning and by words
    passages: int = 0  # of them found still
    vectors: int = 0  # stored vectors that nothing uses any more
    elsewhere: tuple[str, ...] = ()  # other sources in which a passage stands word for word


@dataclass(frozen=True, slots=True)
class Left:
    """Rows that hold the document's text."""

    documents: int
    passages: int
    revisions: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a document is deleted, and how that was tested."""

    id: str
    title: str
    version: int
    passages: int
    found: Found
    left: Left
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        left = self.left
        return not (self.found.passages or self.found.vectors or left.documents or left.passages or left.revisions)


@dataclass(frozen=True, slots=True)
class Probe:
    """Where to look."""

    encoder: Encoder
    indexes: Indexes
    store: Store

    def look(self, document_id: str, entries: Sequence[Entry], progress: Progress | None = None) -> Found:
        """Search both indexes for each passage, and the vectors for its hash.

        A row that an index gives counts as found when it is the document's, or one that the store does not have.
        """
        step = max(1.0, len(entries) / _MOST)
        chosen = [entries[int(at * step)] for at in range(min(len(entries), _MOST))]
        found = 0
        elsewhere: dict[str, None] = {}
        for start in range(0, len(chosen), _GROUP):
            group = chosen[start : start + _GROUP]
            vectors = self.encoder.encode_passages([entry.search_text for entry in group])
            for entry, vector in zip(group, vectors, strict=True):
                ids = self.indexes.found(vector, entry.search_text)
                rows = _rows(self.store, ids)
                mine = [row for row in rows if row.kind == "document" and row.source_id == document_id]
                found += bool(mine) or len(rows) < len(ids)
                elsewhere |= {row.source_id: None for row in rows if row.text == entry.text and row not in mine}
            if progress:
                progress(start + len(group), len(chosen))
        return Found(len(chosen), found, _unused_vectors(self.store, entries), tuple(elsewhere))


def _rows(store: Store, ids: set[int]) -> list[Any]:
    """Those rows that the store has."""
    statement = select(_ENTRY.kind, _ENTRY.source_id, _ENTRY.text)
    with store.engine.connect() as connection:
        return [row for batch in batches(ids) for row in connection.execute(statement.where(_ENTRY.id.in_(batch)))]


def _unused_vectors(store: Store, entries: Sequence[Entry]) -> int:
    """Vectors of the passages that no other source uses."""
    vector = tables.vector.c
    with store.engine.connect() as connection:
        kept: set[str] = set()
        for batch in batches({entry.hash for entry in entries}):
            used = select(_ENTRY.content_hash).where(_ENTRY.content_hash.in_(batch))
            unused = vector.content_hash.in_(batch) & vector.content_hash.not_in(used)
            kept.update(connection.execute(select(vector.content_hash).where(unused)).scalars())
    return len(kept)
