"""How well a confidence tells right answers from the rest: AUC, risk and coverage, calibration. Pure.

`right` says of each question whether answering it is right, `confidence` how sure the bot was, 0..1. Figures are
taken under weights (draws × questions) at once, for the bootstrap; curves are plain.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from training.intervals import Values

Flags = NDArray[np.bool_]
BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of about one confidence: how many, how sure on average, which share of them was right."""

    count: int
    confidence: float
    right: float


def auc(right: Flags, confidence: Values, weights: Values) -> Values:
    """Area under the ROC curve of each draw, ties counting half; NaN where all or none are right.

    Equal to scikit-learn's roc_auc_score with sample_weight, which takes one draw at a time.
    """
    steps = _Steps(confidence, descending=False)
    good, bad = steps.sums(weights * right), steps.sums(weights * ~right)
    below = np.cumsum(bad, axis=1) - bad / 2
    return _divided((good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1))


def aurc(right: Flags, confidence: Values, weights: Values) -> Values:
    """Area under the risk–coverage curve of each draw: the risk at each question's confidence, averaged.

    Source: Geifman & El-Yaniv, NeurIPS 2017.
    """
    steps = _Steps(confidence, descending=True)
    drawn, wrong = steps.sums(weights), steps.sums(weights * ~right)
    risk = _divided(np.cumsum(wrong, axis=1), np.cumsum(drawn, axis=1))
    return _divided((np.nan_to_num(risk) * drawn).sum(axis=1), drawn.sum(axis=1))


def calibration_error(right: Flags, confidence: Values, weights: Values) -> Values:
    """Expected calibration error of each draw over 10 bins of equal width.

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015.
    """
    inside = _bins(confidence)[:, None] == np.arange(BINS)
    off = (weights * (right - confidence)) @ inside
    return _divided(np.abs(off).sum(axis=1), weights.sum(axis=1))


def risk_coverage(right: Flags, confidence: Values) -> list[tuple[float, float]]:
    """(share of questions answered, share of those answered wrongly) at each confidence, the highest first."""
    steps = _Steps(confidence, descending=True)
    one = np.ones((1, len(right)))
    drawn, wrong = np.cumsum(steps.sums(one)[0]), np.cumsum(steps.sums(one * ~right)[0])
    return [(float(n) / len(right), float(w) / float(n)) for n, w in zip(drawn, wrong, strict=True)]


def roc(right: Flags, confidence: Values) -> list[tuple[float, float]]:
    """(share of the rest, share of the right ones) at or above each confidence; nothing where all or none are right."""
    if right.all() or not right.any():
        return []
    others, found, _ = roc_curve(right, confidence)
    return list(zip(others.tolist(), found.tolist(), strict=True))


def reliability(right: Flags, confidence: Values) -> list[Bin]:
    """The bins of `calibration_error` that hold any question, least confident first."""
    of = _bins(confidence)
    held = [of == n for n in range(BINS) if (of == n).any()]
    return [Bin(int(b.sum()), float(confidence[b].mean()), float(right[b].mean())) for b in held]


class _Steps:
    """Questions in the order of their confidence, those of equal confidence together."""

    def __init__(self, confidence: Values, descending: bool) -> None:
        self._order = np.argsort(-confidence if descending else confidence, kind="stable")
        ordered = confidence[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def sums(self, values: Values) -> Values:
        """(draws × questions) summed to (draws × different confidences)."""
        return np.asarray(np.add.reduceat(values[:, self._order], self._starts, axis=1))


def _bins(confidence: Values) -> NDArray[np.intp]:
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def _divided(part: Values, whole: Values) -> Values:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))
