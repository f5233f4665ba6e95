"""The knowledge base as it would be found with some FAQs changed or removed, without changing it. Reads only.

The entries of the drafts stand beside the stored ones, with the scores that they would have.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge_base import bm25, tables
from knowledge_base.entries import faq_entries
from knowledge_base.indexes import Candidate, Indexes
from knowledge_base.language import normalise
from knowledge_base.records import Entry
from knowledge_base.searching import Readable, Searching
from knowledge_base.types import Faq, Passage, Vectors
from knowledge_base.words import words

_FIRST = 1 << 62  # row id of the first draft


@dataclass(frozen=True, slots=True)
class _Draft:
    """One entry of a changed FAQ. `id`: higher than any stored one, as a new entry's is."""

    id: int
    faq: Faq
    entry: Entry
    vector: Vectors
    words: Counter[str]


def overlaid(
    searching: Searching, indexes: Indexes, changed: Sequence[Faq], removed: Collection[str] = ()
) -> tuple[Searching, Searching]:
    """Searches as they are, and as they would be with these FAQs in place of the stored ones and without `removed`.

    Both are for one thread, and see the store as it was when they were made; what they have in common is looked up
    once when the same query is searched with one and then with the other.
    """
    cut = [(faq, entry) for faq in changed for entry in faq_entries(faq)]
    texts = [entry.search_text for _, entry in cut]
    vectors = list(searching.retrieval.encoder.encode_passages(texts)) if texts else []
    drafts = [
        _Draft(_FIRST + number, faq, entry, vector, Counter(words(entry.search_text)))
        for number, ((faq, entry), vector) in enumerate(zip(cut, vectors, strict=True))
    ]
    replaced = frozenset({*(faq.id for faq in changed), *removed})
    once = _Once(indexes, searching.passages)
    then = Searching(searching.retrieval, _Indexes(indexes, once, drafts, replaced), _Passages(once, drafts, replaced))
    return Searching(searching.retrieval, once, once), then


class _Once:
    """The stored side of both searches, which remembers what the last query found."""

    def __init__(self, indexes: Indexes, passages: Readable) -> None:
        self._indexes = indexes
        self._passages = passages
        self._revision = indexes.follow()
        self._found: tuple[object, list[Candidate]] = (None, [])
        self._equal: tuple[str | None, list[int]] = (None, [])

    def follow(self, wait: bool = True, stored: int | None = None) -> int:
        return self._revision

    def candidates(self, query: str, encode: Callable[[], Vectors], extra: Collection[int] = ()) -> list[Candidate]:
        asked = (query, frozenset(extra))
        if self._found[0] != asked:
            self._found = (asked, self._indexes.candidates(query, encode, extra))
        return self._found[1]

    def entries(self, ids: Collection[int]) -> list[Candidate]:
        return self._indexes.entries(ids)

    def weights(self, query: str) -> dict[str, float]:
        return self._indexes.weights(query)

    def read(self, ids: Sequence[int], revision: int, today: date) -> dict[int, Passage]:
        return self._passages.read(ids, revision, today)

    def exact(self, query: str) -> tuple[list[int], int]:
        if self._equal[0] != query:
            self._equal = (query, self._passages.exact(query)[0])
        return self._equal[1], self._revision

    def first_rows(self, faq_ids: Sequence[str], revision: int) -> list[int]:
        return self._passages.first_rows(faq_ids, revision)


class _Indexes:
    """Both indexes with the drafts laid over them."""

    def __init__(self, indexes: Indexes, base: _Once, drafts: Sequence[_Draft], replaced: frozenset[str]) -> None:
        self._base = base
        self._drafts = {draft.id: draft for draft in drafts}
        self._replaced = replaced
        self._average = indexes.average_length() if drafts else 0.0

    def follow(self, wait: bool = True, stored: int | None = None) -> int:
        return self._base.follow(wait, stored)

    def candidates(self, query: str, encode: Callable[[], Vectors], extra: Collection[int] = ()) -> list[Candidate]:
        stored = self._base.candidates(query, encode, [id for id in extra if id < _FIRST])
        vector = encode()  # which the encoder remembers
        lengths = [draft.words for draft in self._drafts.values()]
        shares = bm25.shares(self._base.weights(query), lengths, self._average)
        return self._kept(stored) + [
            _candidate(draft, float(draft.vector @ vector), 0.0 if draft.entry.role == "never" else share)
            for draft, share in zip(self._drafts.values(), shares, strict=True)
        ]

    def weights(self, query: str) -> dict[str, float]:
        return self._base.weights(query)

    def entries(self, ids: Collection[int]) -> list[Candidate]:
        mine = [_candidate(self._drafts[id], 1.0, 1.0) for id in ids if id in self._drafts]
        return self._kept(self._base.entries([id for id in ids if id < _FIRST])) + mine

    def _kept(self, found: Sequence[Candidate]) -> list[Candidate]:
        return [one for one in found if one.source[0] != "faq" or one.source[1] not in self._replaced]


class _Passages:
    """The passages with the drafts laid over them."""

    def __init__(self, base: Readable, drafts: Sequence[_Draft], replaced: frozenset[str]) -> None:
        self._base = base
        self._drafts = {draft.id: draft for draft in drafts}
        self._replaced = replaced

    def read(self, ids: Sequence[int], revision: int, today: date) -> dict[int, Passage]:
        stored = self._base.read([id for id in ids if id < _FIRST], revision, today)
        shown = [self._drafts[id] for id in ids if id in self._drafts and self._drafts[id].entry.role != "never"]
        return stored | {draft.id: _passage(draft) for draft in shown if draft.faq.is_open_on(today)}

    def exact(self, query: str) -> tuple[list[int], int]:
        normal = normalise(query)[:512]
        equal = (draft for draft in self._drafts.values() if draft.entry.normal and draft.entry.normal[:512] == normal)
        stored, revision = self._base.exact(query)
        return stored + [draft.id for draft in equal], revision

    def first_rows(self, faq_ids: Sequence[str], revision: int) -> list[int]:
        stored = self._base.first_rows([id for id in faq_ids if id not in self._replaced], revision)
        first: dict[str, int] = {}
        for draft in self._drafts.values():
            first.setdefault(draft.faq.id, draft.id)
        return stored + [row for id, row in first.items() if id in faq_ids]


def _candidate(draft: _Draft, dense: float, keyword: float) -> Candidate:
    entry = draft.entry
    return Candidate(draft.id, entry.role, ("faq", draft.faq.id), entry.language, dense, keyword)


def _passage(draft: _Draft) -> Passage:
    return Passage(
        id=draft.id,
        kind="faq",
        source_id=draft.faq.id,
        title=draft.faq.question,
        headings=(),
        text=draft.faq.answer,
        language=draft.faq.language,
        version=0,
        updated=tables.now(),
        phrasing=draft.entry.text,
    )
