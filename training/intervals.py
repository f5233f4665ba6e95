"""Bootstrap confidence intervals of figures over questions. Knows nothing of what the figures mean.

A figure is a function of how often each question is drawn; all figures of a group are taken from the same draws.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Values = NDArray[np.float64]
Measure = Callable[[Values], Values]
"""Draws, one row each (draws × questions) → figures (figures × draws), NaN where a figure has no meaning."""

LEVEL = 0.95
DRAWS = 1000
_BLOCK = 4_000_000  # numbers held at once


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and what it came to on each draw; `of` is the number of questions that it is counted over."""

    value: float
    spread: Values
    of: int
    is_share: bool = False  # of questions that do or do not: 0 or 1 each
    bounds: tuple[float, float] | None = None  # the interval, where the spread does not tell it

    def interval(self) -> tuple[float, float] | None:
        """The percentile interval at LEVEL, which holds the value; None where there is nothing to tell it from.

        What is the same on every draw would seem certain: of a share of none or of all the exact binomial interval
        is given instead, of other figures none.
        """
        if self.bounds is not None:
            return self.bounds
        known = self.spread[~np.isnan(self.spread)]
        if self.of == 0 or np.isnan(self.value) or not known.size:
            return None
        if self._is_extreme:
            exact = binomtest(round(self.value * self.of), self.of).proportion_ci(LEVEL)
            return float(exact.low), float(exact.high)
        if known.min() == known.max():
            return None
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return min(float(low), self.value), max(float(high), self.value)

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference to a figure over other questions, drawn apart from these.

        Where one of two shares is none or all, the interval comes from theirs: Zou & Donner, Stat. in Medicine 2008.
        """
        value, bounds = self.value - other.value, None
        one, two = self.interval(), other.interval()
        if (self._is_extreme or other._is_extreme) and one and two:
            below = math.hypot(self.value - one[0], two[1] - other.value)
            above = math.hypot(one[1] - self.value, other.value - two[0])
            bounds = max(-1.0, value - below), min(1.0, value + above)
        return Estimate(value, self.spread - other.spread, min(self.of, other.of), bounds=bounds)

    @property
    def _is_extreme(self) -> bool:
        return self.is_share and self.of > 0 and self.value in (0.0, 1.0)

    def row(self) -> dict[str, Any]:
        """As JSON: value, low, high, of; null where there is none."""
        low, high = self.interval() or (None, None)
        rounded = [None if v is None or np.isnan(v) else round(v, 4) + 0.0 for v in (self.value, low, high)]
        return dict(zip(("value", "low", "high"), rounded, strict=True)) | {"of": self.of}


def bootstrap(measure: Measure, count: int, seed: int, times: int = DRAWS) -> tuple[Values, Values]:
    """(figures) as they are and (figures × times) as they come out when `count` questions are drawn with repeats.

    Source: Efron, Annals of Statistics 1979. The same seed gives the same draws.
    """
    point = measure(np.ones((1, count)))[:, 0]
    return point, np.concatenate([measure(block) for block in draws(count, seed, times)], axis=1)


def draws(count: int, seed: int, times: int = DRAWS) -> Iterator[Values]:
    """How often each of `count` questions is drawn, in blocks of (some draws × count)."""
    dice = np.random.default_rng(seed)
    size = max(1, _BLOCK // max(1, count))
    for start in range(0, times, size):
        rows = [dice.integers(count, size=count) for _ in range(min(size, times - start))]
        yield np.stack([np.bincount(row, minlength=count) for row in rows]).astype(float)


def surely_over(count: int, of: int, limit: float) -> bool:
    """Whether a share is beyond a limit and not by chance: by the lower end of its Wilson interval at LEVEL."""
    return bool(of) and float(binomtest(count, of).proportion_ci(LEVEL, "wilson").low) > limit
