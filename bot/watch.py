"""Whether a release does worse with customers than the one it is compared with, beyond a stated limit. Pure.

Counts conversations, which are independent of each other, not answers, which are not. A release is worse only when
the difference is greater than its limit with near certainty, for it is looked at again and again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal, get_args

from knowledge_base.types import Language

Figure = Literal["abstained", "disliked", "corrected"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_CERTAIN = 3.29  # standard deviations: one chance in two thousand, for each look
_FEWEST = 20  # conversations on either side that it takes


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many conversations."""

    count: int = 0
    of: int = 0

    @property
    def rate(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.count / self.of if self.of else 0.0


Live = Mapping[tuple[Figure, Language], Share]
"""How the conversations of one release went.

abstained: had a question without answer, of all. disliked: had a thumb down, of those with a thumb.
corrected: had an answer that staff corrected, of those with an answer.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """By how much a share may be higher than before, 0..1; 1 lets everything pass."""

    abstained: float = 0.05
    disliked: float = 0.10
    corrected: float = 0.05


@dataclass(frozen=True, slots=True)
class Worse:
    """What speaks against a release."""

    figure: Figure
    language: Language
    before: Share
    now: Share
    limit: float


def worse(before: Live, now: Live, limits: Limits) -> Worse | None:
    """The first figure of a language by which the release is worse beyond the limit; None when none is."""
    for figure in FIGURES:
        for language in LANGUAGES:
            limit: float = getattr(limits, figure)
            was, is_now = (side.get((figure, language), Share()) for side in (before, now))
            if min(was.of, is_now.of) >= _FEWEST and least_rise(was, is_now) > limit:
                return Worse(figure, language, was, is_now, limit)
    return None


def least_rise(before: Share, now: Share, certain: float = _CERTAIN) -> float:
    """By how much the share has risen at least, with near certainty; negative when it may have fallen.

    certain: in standard deviations.
    The lower bound of the hybrid score interval for a difference of shares. Source: Newcombe, Statistics in Medicine
    17, 1998, method 10.
    """
    highest_before, lowest_now = _score(before, certain)[1], _score(now, certain)[0]
    return now.rate - before.rate - sqrt((now.rate - lowest_now) ** 2 + (highest_before - before.rate) ** 2)


def _score(share: Share, z: float) -> tuple[float, float]:
    """Wilson's score interval of one share."""
    n = share.of
    middle = share.rate + z * z / (2 * n)
    spread = z * sqrt(share.rate * (1 - share.rate) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)
