"""Gathers questions that mean the same, in both languages, by the encoder's vectors. Pure functions of arrays.

How near two questions must be is fitted to questions of which it is known: the phrasings of the company's own FAQs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.types import Language, Vectors

_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_FEWEST = 20  # known pairs of the same meaning from which to fit


@dataclass(frozen=True, slots=True)
class Alike:
    """From which cosine on two questions mean the same, in one language and across the two."""

    same: float
    across: float

    def bar(self, one: Language, other: Language) -> float:
        """The cosine for two questions in these languages."""
        return self.same if one == other else self.across


SHIPPED = Alike(same=0.79, across=0.76)
"""Fitted to the 614 phrasings of the demo shop's 124 FAQs with the shipped encoder."""


def fitted(meanings: Sequence[str], languages: Sequence[Language], vectors: Vectors) -> Alike:
    """The cosines with the best F1 on pairs of questions whose meanings are known.

    meanings: equal where two questions mean the same; one for each row of `vectors`. Where too few pairs mean the
    same, the numbers measured on the demo shop's FAQs stand.
    """
    if len(meanings) < 2:
        return SHIPPED
    cosines = vectors @ vectors.T
    upper = np.triu(np.ones_like(cosines, dtype=bool), 1)
    meaning, language = np.array(meanings), np.array(languages)
    equal = meaning[:, None] == meaning[None, :]
    shared = language[:, None] == language[None, :]
    same = _best_f1(cosines[upper & shared], equal[upper & shared])
    across = _best_f1(cosines[upper & ~shared], equal[upper & ~shared])
    same = SHIPPED.same if same is None else same
    return Alike(same, SHIPPED.across if across is None else across)


def gather(vectors: Vectors, languages: Sequence[Language], alike: Alike) -> list[list[int]]:
    """Groups of rows that mean the same, each in the order of the rows.

    The first of a group in each language stands for it: a row joins the group whose representative it clears the
    bar to by most, else it begins one. Give the most asked questions first.
    """
    count = len(vectors)
    cosines = vectors @ vectors.T
    stands = np.empty(2 * count, np.int64)  # the row of each representative, as are its group and the bars to it
    bars = {other: np.empty(2 * count, np.float32) for other in _LANGUAGES}
    of_group: list[int] = []
    groups: list[list[int]] = []
    heard: list[set[Language]] = []
    for row, language in enumerate(languages):
        known = len(of_group)
        nearest = _nearest(cosines[row, stands[:known]] - bars[language][:known])
        group = len(groups) if nearest is None else of_group[nearest]
        if group == len(groups):
            groups.append([])
            heard.append(set())
        groups[group].append(row)
        if language not in heard[group]:
            stands[known] = row
            for other, to_it in bars.items():
                to_it[known] = alike.bar(language, other)
            of_group.append(group)
            heard[group].add(language)
    return groups


def typical(vectors: Vectors, weights: Sequence[float]) -> int:
    """The row that is nearest to all, each counting by its weight."""
    weighted = np.asarray(weights, np.float32)
    return int(np.argmax(vectors @ (vectors * weighted[:, None]).sum(axis=0)))


def _nearest(above: NDArray[np.float32]) -> int | None:
    if not len(above):
        return None
    best = int(np.argmax(above))
    return best if above[best] >= 0 else None


def _best_f1(cosines: NDArray[np.float32], equal: NDArray[Any]) -> float | None:
    """The cosine from which on calling pairs equal has the best F1; None where too few are equal."""
    known = int(equal.sum())
    if known < _FEWEST:
        return None
    order = np.argsort(-cosines, kind="stable")
    right = np.cumsum(equal[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + known)
    return float(cosines[order][int(np.argmax(f1))])
