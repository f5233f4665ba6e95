"""BM25 as tantivy computes it, and the share of a query's word weight that a text holds. Pure.

Lucene's form: Robertson & Zaragoza, The Probabilistic Relevance Framework, 2009, with an idf that is never negative.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75
Word = TypeVar("Word")
Number = TypeVar("Number", float, NDArray[np.float64])


def weight(texts: int, having: int) -> float:
    """The inverse document frequency of a word that stands in `having` of so many texts."""
    return math.log(1 + (texts - having + 0.5) / (having + 0.5))


def saturation(count: Number, length: int, average: float) -> Number:
    """What so many occurrences in a text of `length` words count, where a text has `average` words."""
    return count * (_K1 + 1) / (count + _norm(length, average))


def occurrences(saturated: Number, length: int, average: float) -> Number:
    """How many occurrences count so much: saturation's inverse."""
    return saturated * _norm(length, average) / (_K1 + 1 - saturated)


def shares(weights: Mapping[Word, float], texts: Sequence[Counter[Word]], average: float) -> list[float]:
    """For each text of counted words the share of `weights`, 0..1, that it holds.

    weights: of the query's words, each times its occurrences there; average: the mean number of words of a text.
    """
    highest = sum(weights.values())
    return [min(1.0, _score(weights, text, average) / highest) if highest else 0.0 for text in texts]


def _score(weights: Mapping[Word, float], text: Counter[Word], average: float) -> float:
    length = text.total()
    return sum(weight * saturation(text[word], length, average) for word, weight in weights.items() if text[word])


def _norm(length: int, average: float) -> float:
    return _K1 * (1 - _B + _B * length / (average or 1.0))
