"""The order of the steps of a search: exact phrasings, both indexes, fusion, a second look. Changes nothing.

Knows neither the database nor the models; what stands behind the indexes and the passages may be the store's, or
the store's with a draft laid over it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import Protocol, TypeVar

from knowledge_base.fuse import fuse
from knowledge_base.indexes import Candidate
from knowledge_base.proximity import by_proximity, is_told
from knowledge_base.rerank import rerank
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Hit, Language, Passage, Vectors

T = TypeVar("T")


class Searched(Protocol):
    """Both indexes, as a search needs them."""

    def follow(self, wait: bool = True, stored: int | None = None) -> int: ...

    def candidates(self, query: str, encode: Callable[[], Vectors], extra: Collection[int] = ()) -> list[Candidate]: ...

    def entries(self, ids: Collection[int]) -> list[Candidate]: ...

    def weights(self, query: str) -> dict[str, float]: ...


class Readable(Protocol):
    """The passages, as a search needs them."""

    def read(self, ids: Sequence[int], revision: int, today: date) -> dict[int, Passage]: ...

    def exact(self, query: str) -> tuple[list[int], int]: ...

    def first_rows(self, faq_ids: Sequence[str], revision: int) -> list[int]: ...


class Searching:
    """Searches what stands behind `indexes` and `passages`. All methods may be called from any thread."""

    def __init__(self, retrieval: Retrieval, indexes: Searched, passages: Readable) -> None:
        self.retrieval = retrieval
        self.indexes = indexes
        self.passages = passages

    def search(self, query: str, language: Language, limit: int = 10) -> list[Hit]:
        """See KnowledgeBase.search."""
        return self.second_look(query, language, self.first_look(query, language, limit))

    def first_look(self, query: str, language: Language, limit: int = 10) -> list[Hit]:
        """The hits as they were fused, before any is read closely."""
        if not query.strip():
            return []
        equal, stored = self.passages.exact(query)
        exact, revision = frozenset(equal), self.indexes.follow(wait=False, stored=stored)
        if known := self._hits(self.indexes.entries(exact), language, exact, revision, limit):
            return known
        return self._hits(self.candidates(query, exact), language, exact, revision, limit)

    def second_look(self, query: str, language: Language, hits: list[Hit]) -> list[Hit]:
        """The hits in the order that their sentences and then the reranker give them; exact ones stay as they are.

        Without a reranker nothing is looked at again.
        """
        reranker, weights = self.retrieval.reranker, self.retrieval.weights
        if reranker is None or not hits or hits[0].exact:
            return hits
        if any(is_told(hit, language) for hit in hits):
            hits = self.retrieval.proximity.look(self.indexes.weights(query), hits, language)
        return rerank(query, by_proximity(hits, weights.proximity), reranker, weights.rerank)

    def candidates(self, query: str, extra: Collection[int] = ()) -> list[Candidate]:
        """What both searches find, not yet ranked, and the row ids of `extra`."""
        return self.indexes.candidates(query, lambda: self.retrieval.encoder.encode_queries([query])[0], extra)

    def _hits(
        self, candidates: Sequence[Candidate], language: Language, exact: frozenset[int], revision: int, limit: int
    ) -> list[Hit]:
        """The best of the candidates that may be shown, at most `limit`."""
        ranked = fuse(candidates, language, exact, self.retrieval.weights)
        hits: list[Hit] = []
        families: set[str] = set()
        for _, group in groups(ranked, 2 * limit):  # translations go out; asking twice costs more than a few rows
            readable = self._readable([scored.id for scored in group], revision, language)
            for found in group:
                passage = readable.get(found.id)
                if passage and _is_first(passage, families):
                    hits.append(Hit(passage, found.score, found.dense, found.keyword, found.exact))
            if len(hits) >= limit:
                break
        return hits[:limit]

    def _readable(self, ids: Sequence[int], revision: int, language: Language) -> dict[int, Passage]:
        """The passages among `ids` that may be shown today, FAQs in `language` where they are translated."""
        today = date.today()
        readable = self.passages.read(ids, revision, today)
        foreign = {i: p for i, p in readable.items() if p.kind == "faq" and p.language != language}
        wanted = {i: f"{Faq.family(p.source_id)}.{language}" for i, p in foreign.items()}
        if wanted:
            rows = self.passages.first_rows(sorted(set(wanted.values())), revision)
            own = {p.source_id: p for p in self.passages.read(rows, revision, today).values()}
            readable |= {i: own[twin] for i, twin in wanted.items() if twin in own}
        return readable


def _is_first(passage: Passage, families: set[str]) -> bool:
    """Whether no translation of this FAQ came before; notes that it came. Passages of documents all count."""
    if passage.kind == "document":
        return True
    family = Faq.family(passage.source_id)
    first = family not in families
    families.add(family)
    return first


def groups(items: Sequence[T], size: int) -> Iterator[tuple[int, Sequence[T]]]:
    """Groups of items, each with how many are done after it."""
    for start in range(0, len(items), size):
        group = items[start : start + size]
        yield start + len(group), group
