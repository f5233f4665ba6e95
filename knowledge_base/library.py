"""The documents as staff work with them: listed, put into the trash, deleted for good with a receipt. Knows no page."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, update

from knowledge_base import tables
from knowledge_base.database import writing
from knowledge_base.document_list import DocumentList
from knowledge_base.entries import document_entries
from knowledge_base.indexes import Indexes
from knowledge_base.probe import Left, Probe, Receipt
from knowledge_base.store import Store
from knowledge_base.types import Document, Encoder, Progress

_DOCUMENT = tables.document.c
_REVISION = tables.revision.c
_ENTRY = tables.entry.c


class Library:
    """Reads documents, and takes them out. All methods may be called from any thread.

    list: the documents page by page.
    """

    def __init__(self, store: Store, encoder: Encoder, indexes: Indexes, passage_tokens: int) -> None:
        self.list = DocumentList(store.engine, encoder.count_tokens)
        self._store = store
        self._encoder = encoder
        self._indexes = indexes
        self._passage_tokens = passage_tokens

    def trash(self, ids: Sequence[str]) -> list[str]:
        """Put documents into the trash; returns those that were there. No search finds them afterwards.

        They keep id and text: putting one again takes it out of the trash.
        """
        gone = []
        with writing(self._store.engine) as connection:
            self._overwrite(connection)
            for document_id in ids:
                live = (_DOCUMENT.id == document_id) & _DOCUMENT.trashed.is_(None)
                if connection.execute(update(tables.document).where(live).values(trashed=tables.now())).rowcount:
                    self._store.write_entries(connection, "document", document_id, ())
                    gone.append(document_id)
        self._indexes.follow()
        return gone

    def erase(self, document_id: str, progress: Progress | None = None) -> Receipt | None:
        """Delete a document of the trash for good, what it said before too, then look for it; None: it is not there.

        Only that it was deleted stays known. progress: (passages looked for, those to look for).
        """
        document = self.list.document(document_id, trashed=True)
        if document is None:
            return None
        entries = document_entries(document, self._encoder.count_tokens, self._passage_tokens)
        version = self._forget(document)
        if version is None:
            return None
        self._indexes.follow()
        found = Probe(self._encoder, self._indexes, self._store).look(document_id, entries, progress)
        return Receipt(document.id, document.title, version, len(entries), found, self._left(document_id))

    def _forget(self, document: Document) -> int | None:
        """Take the document and its text out of every table; returns its version, None if it left the trash."""
        with writing(self._store.engine) as connection:
            self._overwrite(connection)
            gone = (_DOCUMENT.id == document.id) & _DOCUMENT.trashed.is_not(None)
            version = connection.execute(select(_DOCUMENT.version).where(gone)).scalar()
            if version is None:
                return None
            connection.execute(delete(tables.document).where(gone))
            mine = (_REVISION.kind == "document") & (_REVISION.source_id == document.id)
            connection.execute(delete(tables.revision).where(mine))
            self._store.note_deleted(connection, "document", document.id, int(version))
        if self._store.engine.dialect.name == "sqlite":  # the write-ahead log holds what was overwritten
            with self._store.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(version)

    def _overwrite(self, connection: Connection) -> None:
        """Let what is deleted be overwritten in the database's file, not only marked as free."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")

    def _left(self, document_id: str) -> Left:
        """What the tables still hold of the document."""
        mine = (_REVISION.kind == "document") & (_REVISION.source_id == document_id)
        with self._store.engine.connect() as connection:
            contents = connection.execute(select(_REVISION.content).where(mine)).scalars().all()
            documents = connection.execute(select(func.count()).where(_DOCUMENT.id == document_id)).scalar()
            own = (_ENTRY.kind == "document") & (_ENTRY.source_id == document_id)
            passages = connection.execute(select(func.count()).where(own)).scalar()
        return Left(int(documents or 0), int(passages or 0), sum(bool(content) for content in contents))
