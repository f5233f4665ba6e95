"""The FAQs as staff work with them: listed, looked back at, saved and deleted together. Knows no page and no search."""

from collections.abc import Mapping, Sequence

from knowledge_base.database import writing
from knowledge_base.entries import faq_entries
from knowledge_base.faq_list import FaqList
from knowledge_base.faq_writes import FaqWrites
from knowledge_base.indexes import Indexes
from knowledge_base.records import Entry
from knowledge_base.revisions import Revisions
from knowledge_base.searching import groups
from knowledge_base.store import Store, VectorsGone
from knowledge_base.types import Encoder, Faq, Progress, Vectors

_GROUP = 256  # FAQs encoded together


class Editing:
    """Reads and writes FAQs. All methods may be called from any thread.

    list: the FAQs page by page; revisions: what they said before.
    """

    def __init__(self, store: Store, encoder: Encoder, indexes: Indexes) -> None:
        self.list = FaqList(store.engine)
        self.revisions = Revisions(store.engine)
        self._store = store
        self._encoder = encoder
        self._indexes = indexes
        self._writes = FaqWrites(store)

    def save(self, faqs: Sequence[Faq], seen: Mapping[str, int], progress: Progress | None = None) -> dict[str, int]:
        """Write all of them or none, if each is still what was seen; a search right after finds them.

        seen: see FaqWrites.write. progress: (FAQs encoded, FAQs in all); what it raises ends the work, with nothing
        written. Returns the versions by id. Raises faq_writes.Conflict, or KnowledgeBaseError.
        """
        cut = [(faq, faq_entries(faq)) for faq in faqs]
        saved: list[str] = []
        try:
            for done, group in groups(cut, _GROUP):
                saved += self._encode([entry for _, entries in group for entry in entries])
                if progress:
                    progress(done, len(cut))
            try:
                versions = self._writes.write(cut, seen)
            except VectorsGone:  # their last user was changed or deleted after they were counted as known
                saved += self._encode([entry for _, entries in cut for entry in entries])
                versions = self._writes.write(cut, seen)
        except BaseException:
            with writing(self._store.engine) as connection:
                self._store.forget_vectors(connection, saved)
            raise
        self._indexes.follow()
        return versions

    def delete(self, ids: Sequence[str], seen: Mapping[str, int] | None = None) -> list[str]:
        """Delete all of them or none, if each is still what was seen; returns those that were there.

        No search finds them afterwards. Raises faq_writes.Conflict.
        """
        gone = self._writes.delete(ids, seen or {})
        self._indexes.follow()
        return gone

    def _encode(self, entries: Sequence[Entry]) -> list[str]:
        """Encode and keep what this encoder has not encoded; returns the hashes of those texts."""
        texts = {entry.hash: entry.search_text for entry in entries}
        known = self._store.known_hashes(texts)
        new = {hash_: text for hash_, text in texts.items() if hash_ not in known}
        if new:
            encoded = self._encoder.encode_passages(list(new.values()))
            vectors: dict[str, Vectors] = dict(zip(new, encoded, strict=True))
            self._store.save_vectors(vectors)
        return list(new)
