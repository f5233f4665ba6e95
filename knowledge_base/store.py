"""The truth: documents, FAQs, their entries and vectors in the database. Knows no index and no model.

Every write is one transaction that also notes in `change` which entries came and went; indexes follow that.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, insert, select, true, update

from knowledge_base import tables
from knowledge_base.batches import batches
from knowledge_base.database import writing
from knowledge_base.records import (
    PLACES,
    Entry,
    IndexRow,
    Source,
    entry_key,
    entry_values,
    place,
    source_hash,
    stored,
    to_source,
)
from knowledge_base.types import SourceKind, Vectors

REVISION = select(func.coalesce(func.max(tables.change.c.revision), 0))
"""The number of the last change; asked at each search."""


class VectorsGone(Exception):
    """Some entries have no vector, neither given nor stored: nothing was written. Give all of them."""


class Store:
    """Reads and writes the knowledge base's tables for one encoder, named by its fingerprint."""

    def __init__(self, engine: Engine, encoder: str) -> None:
        self.engine = engine
        self._encoder = encoder

    # --- writing

    def put(self, source: Source, entries: Sequence[Entry], vectors: Mapping[str, Vectors]) -> int:
        """Write a source and its entries, by content: an entry whose text is unchanged keeps its row id.

        vectors: by Entry.hash, for texts not encoded before. Returns the source's new version.
        Raises VectorsGone, having written nothing, when a text has a vector neither there nor in the store.
        """
        hashes = {entry.hash for entry in entries}
        kind, table = place(source)
        with writing(self.engine) as connection:
            version = self._write_source(connection, kind, table, source)
            self._write_vectors(connection, vectors)
            if hashes - self.known(connection, hashes):
                raise VectorsGone
            self.write_entries(connection, kind, source.id, entries)
        return version

    def delete(self, source_id: str) -> bool:
        """Delete the document and the FAQ of that id with their entries; a revision keeps what they said."""
        existed = False
        with writing(self.engine) as connection:
            for kind, table in PLACES:
                row = connection.execute(select(table).where(table.c.id == source_id)).first()
                if row is None:
                    continue
                existed = True
                self._note_revision(connection, kind, to_source(kind, row), row.version, "delete")
                self.write_entries(connection, kind, source_id, ())
                connection.execute(delete(table).where(table.c.id == source_id))
        return existed

    def save_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors by Entry.hash, for entries that are already stored."""
        with writing(self.engine) as connection:
            self._write_vectors(connection, vectors)

    # --- reading

    def version_and_hash(self, source: Source) -> tuple[int, str] | None:
        """The stored version and content hash of the source with this id; None when there is none."""
        _, table = place(source)
        with self.engine.connect() as connection:
            row = connection.execute(
                select(table.c.version, table.c.content_hash).where(table.c.id == source.id, _live(table))
            ).first()
        return (row.version, row.content_hash) if row else None

    def document_with_hash(self, wanted: str, except_id: str) -> str | None:
        """The id of another document with the same content."""
        columns = tables.document.c
        with self.engine.connect() as connection:
            found = connection.execute(
                select(columns.id).where(
                    columns.content_hash == wanted, columns.id != except_id, _live(tables.document)
                )
            ).first()
        return str(found.id) if found else None

    def sources(self, kind: SourceKind, source_id: str | None = None) -> list[Any]:
        """All documents or FAQs, or the one with that id, ordered by id."""
        table = dict(PLACES)[kind]
        query = select(table).where(_live(table)).order_by(table.c.id)
        if source_id is not None:
            query = query.where(table.c.id == source_id)
        with self.engine.connect() as connection:
            return [to_source(kind, row) for row in connection.execute(query)]

    def deleted_ids(self) -> set[str]:
        """Ids of the documents and FAQs that were deleted at some time, or are in the trash."""
        deleted = select(tables.revision.c.source_id).where(tables.revision.c.action == "delete")
        trashed = select(tables.document.c.id).where(tables.document.c.trashed.is_not(None))
        with self.engine.connect() as connection:
            return {id for query in (deleted, trashed) for id in connection.execute(query).scalars()}

    def revision(self) -> int:
        """The number of the last change; grows with every entry that comes or goes."""
        with self.engine.connect() as connection:
            return int(connection.execute(REVISION).scalar_one())

    def changes(self, since: int) -> tuple[list[int], list[int], int]:
        """Entry ids that came, ids that went, and the revision after them."""
        columns = tables.change.c
        query = select(tables.change).where(columns.revision > since).order_by(columns.revision)
        added: dict[int, None] = {}
        removed: dict[int, None] = {}
        revision = since
        with self.engine.connect() as connection:
            for row in connection.execute(query):
                revision = row.revision
                if row.added:
                    added[row.entry_id] = None
                else:
                    removed[row.entry_id] = None
                    added.pop(row.entry_id, None)
        return list(added), list(removed), revision

    def index_rows(self, ids: Iterable[int]) -> Iterator[IndexRow]:
        """The stored entries among `ids`, with their vectors."""
        entry, vector = tables.entry.c, tables.vector.c
        joined = tables.entry.outerjoin(
            tables.vector, (vector.content_hash == entry.content_hash) & (vector.encoder == self._encoder)
        )
        columns = (
            entry.id,
            entry.role,
            entry.kind,
            entry.source_id,
            entry.language,
            entry.search_text,
            vector.data,
        )
        with self.engine.connect() as connection:
            for batch in batches(ids):
                for row in connection.execute(select(*columns).select_from(joined).where(entry.id.in_(batch))):
                    data = None if row.data is None else np.frombuffer(row.data, "<f4")
                    yield IndexRow(row.id, row.role, row.kind, row.source_id, row.language, row.search_text, data)

    def is_empty(self) -> bool:
        with self.engine.connect() as connection:
            return connection.execute(select(tables.entry.c.id).limit(1)).first() is None

    def entry_ids(self) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(tables.entry.c.id)).scalars())

    def present(self, ids: Iterable[int]) -> set[int]:
        """Those of the entry ids that are there."""
        entry = tables.entry.c
        with self.engine.connect() as connection:
            found = (
                connection.execute(select(entry.id).where(entry.id.in_(batch))).scalars() for batch in batches(ids)
            )
            return {id for some in found for id in some}

    def known_hashes(self, hashes: Iterable[str]) -> set[str]:
        """Those hashes whose vector is stored for this encoder."""
        with self.engine.connect() as connection:
            return self.known(connection, hashes)

    def texts_without_vector(self) -> dict[str, str]:
        """Search texts that this encoder has not encoded, by hash."""
        entry, vector = tables.entry.c, tables.vector.c
        known = select(vector.content_hash).where(vector.encoder == self._encoder)
        query = select(entry.content_hash, entry.search_text).where(entry.content_hash.not_in(known))
        with self.engine.connect() as connection:
            return {row.content_hash: row.search_text for row in connection.execute(query)}

    # --- inside a transaction

    def _write_source(self, connection: Connection, kind: SourceKind, table: Table, source: Source) -> int:
        row = connection.execute(select(table).where(table.c.id == source.id)).first()
        version = row.version if row else self._last_version(connection, kind, source.id)
        hash_ = source_hash(source)
        if row is not None and row.content_hash == hash_:
            if kind == "document":
                connection.execute(update(table).where(table.c.id == source.id).values(trashed=None))
            return int(version)
        if row is not None:
            self._note_revision(connection, kind, to_source(kind, row), row.version, "put")
        values = stored(source) | {"content_hash": hash_, "version": version + 1, "updated": tables.now()}
        values |= {"trashed": None} if kind == "document" else {}
        statement = update(table).where(table.c.id == source.id) if row else insert(table)
        connection.execute(statement.values(**values))
        return int(version) + 1

    def _last_version(self, connection: Connection, kind: SourceKind, source_id: str) -> int:
        columns = tables.revision.c
        query = select(func.max(columns.version)).where(columns.kind == kind, columns.source_id == source_id)
        return int(connection.execute(query).scalar() or 0)

    def note_deleted(self, connection: Connection, kind: SourceKind, source_id: str, version: int) -> None:
        """Note that a source was deleted for good: not what it said."""
        values = {"kind": kind, "source_id": source_id, "version": version, "action": "delete", "content": {}}
        connection.execute(insert(tables.revision).values(**values, at=tables.now()))

    def _note_revision(
        self, connection: Connection, kind: SourceKind, source: Source, version: int, action: str
    ) -> None:
        content = json.loads(json.dumps(stored(source), default=str))
        values = {"kind": kind, "source_id": source.id, "version": version, "action": action, "content": content}
        connection.execute(insert(tables.revision).values(**values, at=tables.now()))

    def write_entries(self, connection: Connection, kind: SourceKind, source_id: str, entries: Sequence[Entry]) -> None:
        """Make these the entries of a source; those whose text is unchanged keep their row id."""
        table = tables.entry
        before = connection.execute(select(table).where(table.c.kind == kind, table.c.source_id == source_id)).all()
        reusable = {entry_key(row): row.id for row in before}
        kept: set[int] = set()
        new: list[dict[str, Any]] = []
        for ordinal, entry in enumerate(entries):
            same = reusable.pop((entry.role, entry.language, entry.text, entry.hash), None)
            if same is None:
                new.append(entry_values(entry) | {"kind": kind, "source_id": source_id, "ordinal": ordinal})
            else:
                connection.execute(update(table).where(table.c.id == same).values(ordinal=ordinal))
                kept.add(same)
        in_order = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        added = connection.execute(in_order, new).scalars().all() if new else []
        gone = [row for row in before if row.id not in kept]
        for batch in batches(gone):
            connection.execute(delete(table).where(table.c.id.in_([row.id for row in batch])))
        self.forget_vectors(connection, {row.content_hash for row in gone})
        changes = [{"entry_id": i, "added": True} for i in added]
        changes += [{"entry_id": row.id, "added": False} for row in gone]
        if kept and not changes:  # only what is shown has changed: what others remember of it is out of date
            changes = [{"entry_id": min(kept), "added": True}]
        if changes:
            connection.execute(insert(tables.change), changes)

    def _write_vectors(self, connection: Connection, vectors: Mapping[str, Vectors]) -> None:
        known = tables.vector.c
        for batch in batches(vectors):
            connection.execute(
                delete(tables.vector).where(known.content_hash.in_(batch), known.encoder == self._encoder)
            )
            rows = [
                {"content_hash": h, "encoder": self._encoder, "data": vectors[h].astype("<f4").tobytes()} for h in batch
            ]
            connection.execute(insert(tables.vector), rows)

    def known(self, connection: Connection, hashes: Iterable[str]) -> set[str]:
        """Those hashes whose vector is stored, as the transaction sees it."""
        columns = tables.vector.c
        known: set[str] = set()
        for batch in batches(hashes):
            mine = columns.content_hash.in_(batch) & (columns.encoder == self._encoder)
            known.update(connection.execute(select(columns.content_hash).where(mine)).scalars())
        return known

    def forget_vectors(self, connection: Connection, hashes: Iterable[str]) -> None:
        """Delete those vectors that no entry uses any more."""
        columns = tables.vector.c
        for batch in batches(hashes):
            used = select(tables.entry.c.content_hash).where(tables.entry.c.content_hash.in_(batch))
            connection.execute(
                delete(tables.vector).where(columns.content_hash.in_(batch), columns.content_hash.not_in(used))
            )


def _live(table: Table) -> ColumnElement[bool]:
    """Not in the trash."""
    return table.c.trashed.is_(None) if table is tables.document else true()
