"""BM25 as tantivy computes it, and the share of a query's word weight that a text holds. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

K1, B = 1.2, 0.75
Word = TypeVar("Word")


def weight(texts: int, having: int) -> float:
    """The inverse document frequency of a word that stands in `having` of so many texts."""
    return math.log(1 + (texts - having + 0.5) / (having + 0.5))


def saturation(count: int, length: int, average: float) -> float:
    """What so many occurrences in a text of `length` words count, where a text has `average` words."""
    return count * (K1 + 1) / (count + K1 * (1 - B + B * length / (average or 1.0)))


def shares(weights: Mapping[Word, float], texts: Sequence[Counter[Word]], average: float) -> list[float]:
    """For each text of counted words the share of `weights`, 0..1, that it holds.

    weights: of the query's words, each times its occurrences there; average: the mean number of words of a text.
    """
    highest = sum(weights.values())
    return [min(1.0, _score(weights, text, average) / highest) if highest else 0.0 for text in texts]


def _score(weights: Mapping[Word, float], text: Counter[Word], average: float) -> float:
    length = text.total()
    return sum(weight * saturation(text[word], length, average) for word, weight in weights.items() if text[word])
