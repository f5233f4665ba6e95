"""The knowledge base: documents and FAQs in, hits out. The only class that other packages need.

Knows the order of the steps; chunking, storing, searching and fusing are done by the modules it calls.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import Engine

from knowledge_base.backend import Backend
from knowledge_base.borrow import borrow_vectors
from knowledge_base.check import check
from knowledge_base.editing import Editing
from knowledge_base.entries import document_entries, faq_entries
from knowledge_base.indexes import Candidate, Indexes
from knowledge_base.library import Library
from knowledge_base.overlay import overlaid
from knowledge_base.passages import Passages
from knowledge_base.records import Entry, Source, source_hash
from knowledge_base.rerank import candidate_text
from knowledge_base.retrieval import Retrieval
from knowledge_base.searching import Searching, groups
from knowledge_base.store import Store, VectorsGone
from knowledge_base.types import (
    LONGEST_ID,
    Document,
    Faq,
    Finding,
    Hit,
    Language,
    Progress,
    Put,
    Vectors,
)

_NO_TEXT = "it has no text; check that the right file was chosen"
_PREPARED = 1024  # texts
_GROUP = 64  # sources encoded together; each is stored in a transaction of its own


class KnowledgeBase:
    """One knowledge base for one encoder. All methods may be called from any thread and several processes.

    editing, library: the FAQs and the documents as staff work with them; searching: how hits are found.
    """

    def __init__(self, store: Store, retrieval: Retrieval, backend: Backend, passage_tokens: int = 200) -> None:
        """backend: where is searched; passage_tokens: the size of a passage, in encoder tokens."""
        self.encoder = retrieval.encoder
        self._store = store
        self._passage_tokens = passage_tokens
        self._indexes = Indexes(store, backend)
        self._passages = Passages(store.engine)
        self.searching = Searching(retrieval, self._indexes, self._passages)
        self.editing = Editing(store, retrieval.encoder, self._indexes)
        self.library = Library(store, retrieval.encoder, self._indexes, passage_tokens)

    # --- changing

    def put(
        self, documents: Sequence[Document], progress: Progress | None = None, encoded: Progress | None = None
    ) -> list[Put]:
        """Add or replace documents by id. Each is stored whole or not at all; a search right after finds it.

        Unchanged passages are not encoded again; a document in the trash comes out of it.
        progress: (documents done, documents in all); encoded: (passages encoded, those to encode) of one group of
        documents. What either raises ends the work; what is stored by then stays.
        Returns what was done with each, in order. Raises KnowledgeBaseError when the store cannot be written.
        """
        return self._put_all(documents, progress, encoded)

    def put_faqs(self, faqs: Sequence[Faq], progress: Progress | None = None) -> list[Put]:
        """Add or replace FAQs by id; see put."""
        return self._put_all(faqs, progress)

    def delete(self, ids: Sequence[str]) -> list[str]:
        """Delete documents and FAQs; returns those ids that existed. No search finds them afterwards."""
        gone = [i for i in ids if self._store.delete(i)]
        self._indexes.follow()
        return gone

    def rebuild(self, progress: Progress | None = None) -> None:
        """Cut every source anew, encode what this encoder has not encoded, and refill both indexes."""
        sources: list[Source] = [*self.documents(), *self.faqs()]
        for done, group in groups(sources, _GROUP):
            self._put_group(group, again=True)
            if progress:
                progress(done, len(sources))
        self._indexes.rebuild()

    def encode_missing(self, progress: Progress | None = None) -> int:
        """Encode what this encoder has not encoded, as after a change of encoder; returns how many texts.

        progress: (texts done, texts in all). What is done stays done when it is interrupted.
        """
        missing = list(self._store.texts_without_vector().items())
        for done, group in groups(missing, _GROUP):
            vectors = self.encoder.encode_passages([text for _, text in group])
            self._store.save_vectors(dict(zip((hash_ for hash_, _ in group), vectors, strict=True)))
            if progress:
                progress(done, len(missing))
        if missing:
            self._indexes.refill()
        else:
            self._indexes.follow()
        return len(missing)

    def borrow(self, other: Engine) -> int:
        """Take over what another knowledge base's database has of this encoder's vectors; returns how many.

        Texts that are stored afterwards need not be encoded when they are among them.
        """
        return borrow_vectors(self._store.engine, self.encoder.fingerprint, other)

    # --- reading

    def prepare(self) -> Iterator[None]:
        """Read closely, before anybody asks, what the reranker would else read first when it is found.

        A piece of work at each step, during which searches go before: the newest FAQs, then passages, as many as the
        reranker remembers. Ends at once where there is nothing to do.
        """
        retrieval = self.searching.retrieval
        if retrieval.reranker is not None:
            ids = self._passages.newest(_PREPARED)
            found = self._passages.read(ids, self._indexes.follow(wait=False), date.today())
            passages = [found[i] for i in ids if i in found]
            yield from retrieval.reranker.prepare([candidate_text(passage) for passage in passages])
            yield from retrieval.proximity.prepare([passage for passage in passages if passage.kind == "document"])

    @property
    def revision(self) -> int:
        """The number of the last change."""
        return self._store.revision()

    def search(self, query: str, language: Language, limit: int = 10) -> list[Hit]:
        """The best passages for a query in `language`, best first; an FAQ comes once, by its best phrasing.

        Of an FAQ and its translation only the one in `language` comes, whichever of them was found.
        An exact phrasing (normalised) of an FAQ, or a section's name, is all that is found, with score 1: nothing has
        to be encoded for it.
        Blank queries find nothing.
        """
        return self.searching.search(query, language, limit)

    def candidates(self, query: str, extra: Collection[int] = ()) -> list[Candidate]:
        """What both searches find, not yet ranked, and the row ids of `extra`: what the fusion is fitted on."""
        return self.searching.candidates(query, extra)

    def with_changes(self, changed: Sequence[Faq], removed: Collection[str] = ()) -> tuple[Searching, Searching]:
        """How hits are found, and would be with these FAQs changed and those removed; see overlay.overlaid."""
        return overlaid(self.searching, self._indexes, changed, removed)

    def documents(self) -> list[Document]:
        return self._store.sources("document")

    def faqs(self) -> list[Faq]:
        return self._store.sources("faq")

    def document(self, document_id: str) -> Document | None:
        return next(iter(self._store.sources("document", document_id)), None)

    def faq(self, faq_id: str) -> Faq | None:
        return next(iter(self._store.sources("faq", faq_id)), None)

    def is_phrasing(self, question: str) -> bool:
        """Whether a published FAQ is asked so, word for word: such a question needs nothing of what was said before."""
        return self._passages.is_phrasing(question)

    def deleted_ids(self) -> set[str]:
        """Ids of the documents and FAQs that were deleted at some time."""
        return self._store.deleted_ids()

    @property
    def is_empty(self) -> bool:
        return self._store.is_empty()

    def needs_encoding(self) -> int:
        """How many stored texts this encoder has not encoded: no search finds them before `encode_missing`."""
        return len(self._store.texts_without_vector())

    def check(self) -> list[Finding]:
        """Compare the store with both indexes and with the encoder; see check.check."""
        self._indexes.follow()
        return check(self._store, self._indexes, self.encoder)

    def close(self) -> None:
        """Give back the connections of the database and of the searches."""
        self._indexes.close()
        self._store.engine.dispose()

    # --- putting

    def _put_all(
        self, sources: Sequence[Source], progress: Progress | None, encoded: Progress | None = None
    ) -> list[Put]:
        for source in sources:
            if not 0 < len(source.id) <= LONGEST_ID:
                raise ValueError(
                    f"the id {source.id[:40]!r} has {len(source.id)} characters; give it 1 to {LONGEST_ID}"
                )
        outcomes: list[Put] = []
        for done, group in groups(sources, _GROUP):
            outcomes += self._put_group(group, encoded=encoded)
            self._indexes.follow()
            if progress:
                progress(done, len(sources))
        return outcomes

    def _put_group(self, sources: Sequence[Source], again: bool = False, encoded: Progress | None = None) -> list[Put]:
        outcomes: dict[int, Put] = {}
        entries: dict[int, list[Entry]] = {}
        written: dict[str, str] = {}  # id → content hash, of this group's sources so far
        for position, source in enumerate(sources):
            refused = None if again else self._refusal(source, written)
            cut = [] if refused else self._entries(source)
            if not refused and not again and not cut and isinstance(source, Document):
                refused = Put(source.id, "empty", detail=_NO_TEXT)
            if refused:
                outcomes[position] = refused
            else:
                entries[position] = cut
                written[source.id] = source_hash(source)
        vectors = self._encode_new([entry for cut in entries.values() for entry in cut], encoded)
        for position, cut in entries.items():
            outcomes[position] = self._store_one(sources[position], cut, vectors)
        return [outcomes[position] for position in range(len(sources))]

    def _refusal(self, source: Source, written: Mapping[str, str]) -> Put | None:
        """What is not to be stored: nothing in it, nothing new, or a new document that says the same as another.

        written: content hashes by id, of the sources that are about to be stored before this one.
        """
        if not (source.text if isinstance(source, Document) else source.answer).strip():
            return Put(source.id, "empty", detail=_NO_TEXT)
        stored = self._store.version_and_hash(source)
        known = written.get(source.id) or (stored[1] if stored else None)
        wanted = source_hash(source)
        if known == wanted:
            return Put(source.id, "unchanged")
        if known is None and isinstance(source, Document):  # a known one is replaced: its old text must go
            twin = next((id for id, hash_ in written.items() if hash_ == wanted), None)
            kept = None if twin else self._store.document_with_hash(wanted, source.id)
            if twin or (kept and kept not in written):
                return Put(source.id, "duplicate", detail=f"it says the same as {twin or kept!r}")
        return None

    def _entries(self, source: Source) -> list[Entry]:
        if isinstance(source, Faq):
            return faq_entries(source)
        return document_entries(source, self.encoder.count_tokens, self._passage_tokens)

    def _encode_new(self, entries: Sequence[Entry], encoded: Progress | None) -> dict[str, Vectors]:
        texts = {entry.hash: entry.search_text for entry in entries}
        known = self._store.known_hashes(texts)
        new = {hash_: text for hash_, text in texts.items() if hash_ not in known}
        return self._encode(new, encoded) if new else {}

    def _encode(self, texts: Mapping[str, str], encoded: Progress | None = None) -> dict[str, Vectors]:
        return dict(zip(texts, self.encoder.encode_passages(list(texts.values()), encoded), strict=True))

    def _store_one(self, source: Source, entries: Sequence[Entry], vectors: dict[str, Vectors]) -> Put:
        hashes = {entry.hash for entry in entries}
        own = {hash_: vectors[hash_] for hash_ in hashes if hash_ in vectors}
        try:
            version = self._store.put(source, entries, own)
        except VectorsGone:  # their last user was changed or deleted after they were counted as known
            own = self._encode({entry.hash: entry.search_text for entry in entries})
            version = self._store.put(source, entries, own)
        return Put(source.id, "added" if version == 1 else "changed", passages=len(entries), encoded=len(own))
