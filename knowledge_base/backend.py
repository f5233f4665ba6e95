"""What stands behind the indexes: where vectors and words are searched by row id. A cache of the store, of either kind.

Knows row ids and scores, neither roles nor sources.
"""

from collections.abc import Sequence
from typing import Protocol

from knowledge_base.lists import Lists
from knowledge_base.records import IndexRow
from knowledge_base.types import Vectors


class Backend(Protocol):
    """Filled by `local` and by `milvus`. Searches may come from any thread; changes come from one at a time."""

    def follow(self, rows: Sequence[IndexRow], removed: Sequence[int]) -> None:
        """Take in which rows came and went since the last call; in the first call `rows` are all that there are."""
        ...

    def refill(self, rows: Sequence[IndexRow]) -> None:
        """Hold these rows, written anew, and no other that the store does not have; answer as before meanwhile."""
        ...

    def renew(self) -> None:
        """Throw away what may be damaged or is of no use any more; `refill` comes next."""
        ...

    def near(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """The `limit` nearest rows: (id, cosine), best first."""
        ...

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """The cosine of each given row; unknown ids are left out."""
        ...

    def by_words(self, query: str, limit: int) -> list[tuple[int, float]]:
        """The `limit` best rows: (id, share of the query's word weight found there, 0..1), best first.

        The share is BM25 over the score of a text that is the query itself. Words that stand nowhere count as the
        rarest.
        """
        ...

    def weights(self, query: str) -> dict[str, float]:
        """What each of a query's words weighs in `by_words`."""
        ...

    def ids(self) -> tuple[set[int], set[int]]:
        """The row ids that are held with a vector, and with words, as it is where they are searched."""
        ...

    def settle(self) -> Lists | None:
        """How vectors are searched: None is exactly. Makes what there should be for so many rows if need be."""
        ...

    def close(self) -> None:
        """Give back what it holds open."""
        ...
