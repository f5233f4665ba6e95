"""How often which word stands in which indexed text: what BM25 asks of all texts. Knows words by number, no row's text.

A word's number is a hash: two words of one number are taken for the same, which some 30 of 500,000 words are.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge_base import bm25
from knowledge_base.words import words

_AVERAGE = 50.0  # words of a text, for the weights that a text is given once and for all
_MOST = 2**16 - 1  # occurrences that are told apart
_NUMBERS = 2**32 - 2  # that a sparse vector of Milvus can have; 0 is kept free


@dataclass(frozen=True, slots=True)
class Counted:
    """One text: the numbers of its words, ascending, how often each stands there, and how many words it has."""

    numbers: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    length: int

    @staticmethod
    def of(text: str) -> "Counted":
        counted = numbered(text)
        return _counted(counted, counted.values(), counted.total())

    @staticmethod
    def weighed(weights: Mapping[int, float], length: int) -> "Counted":
        """The text that was given these weights."""
        values = np.fromiter(weights.values(), np.float64, len(weights))
        return _counted(weights, np.rint(bm25.occurrences(values, length, _AVERAGE)), length)

    def weights(self) -> dict[int, float]:
        """By which an inner product with a query's weights finds the texts that BM25 ranks high."""
        values = bm25.saturation(self.counts.astype(np.float64), self.length, _AVERAGE)
        return dict(zip(self.numbers.tolist(), values.tolist(), strict=True))


class Lexicon:
    """The counted texts by row id. Reads may come from any thread, changes from one at a time."""

    def __init__(self) -> None:
        self._texts: dict[int, Counted] = {}
        self._having: Counter[int] = Counter()
        self._words = 0

    def add(self, texts: Mapping[int, Counted]) -> None:
        """Add rows; one that is already there is replaced."""
        self.remove(texts)
        for row, text in texts.items():
            self._texts[row] = text
            self._having.update(text.numbers.tolist())
            self._words += text.length

    def remove(self, rows: Iterable[int]) -> None:
        """Remove rows; unknown ones are ignored."""
        for row in rows:
            if text := self._texts.pop(row, None):
                self._having.subtract(text.numbers.tolist())
                self._words -= text.length

    def weight(self, number: int) -> float:
        """What one occurrence of this word in a query weighs."""
        return bm25.weight(len(self._texts), self._having[number])

    def weights(self, counted: Mapping[int, int]) -> dict[int, float]:
        """What each of a query's words weighs; nothing without texts."""
        return {number: count * self.weight(number) for number, count in counted.items()} if self._texts else {}

    def shares(self, weights: Mapping[int, float], rows: Sequence[int]) -> list[float]:
        """The share of a query's word weight that stands in each row, 0..1; 0 for unknown ones."""
        numbers = np.fromiter(weights, np.uint32, len(weights))
        values = np.fromiter(weights.values(), np.float64, len(weights))
        average = self._words / (len(self._texts) or 1)
        scores = (_score(text, numbers, values, average) if (text := self._texts.get(row)) else 0.0 for row in rows)
        return [min(1.0, score / float(values.sum())) for score in scores]


def numbered(text: str) -> Counter[int]:
    """How often each word stands in the text, by the words' numbers."""
    return Counter(number(word) for word in words(text))


def number(word: str) -> int:
    return zlib.crc32(word.encode("utf8", "surrogatepass")) % _NUMBERS + 1


def _counted(numbers: Iterable[int], counts: Iterable[float], length: int) -> Counted:
    pairs = np.array(sorted(zip(numbers, counts, strict=True)), np.uint32).reshape(-1, 2)
    return Counted(pairs[:, 0].copy(), np.minimum(pairs[:, 1], _MOST).astype(np.uint16), length)


def _score(text: Counted, numbers: NDArray[np.uint32], values: NDArray[np.float64], average: float) -> float:
    at = np.searchsorted(text.numbers, numbers)
    at[at == len(text.numbers)] = 0
    there = text.numbers[at] == numbers
    counts = text.counts[at][there].astype(np.float64)
    return float(values[there] @ bm25.saturation(counts, text.length, average))
