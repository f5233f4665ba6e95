"""Scores of a group of answered questions: every figure with its confidence interval, curves and latencies.

Knows the figures and which answers they are over. Knows nothing of files or pages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from training.curves import Flags, auc, aurc, calibration_error, reliability, risk_coverage, roc
from training.golden import Question
from training.intervals import DRAWS, LEVEL, Estimate, Values, bootstrap
from training.metrics import Judged, is_correct, tally, would_be_correct

Pair = tuple[Question, Judged]
_NOT_SHARES = frozenset(("mrr@10", "ndcg@10", "token_f1", "abstain_f1"))
_CERTAINTY = ("auc", "auc_if_answered", "aurc", "ece")
_PERCENTILES = (50, 95)


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of one group by name, with the group's size and what its plots are drawn from."""

    questions: int
    answerable: int
    answered: int
    figures: Mapping[str, Estimate]
    latency_ms: Mapping[str, Mapping[str, Any]]
    curves: Mapping[str, Any]

    def row(self) -> dict[str, Any]:
        """As JSON; a rate over no questions is 0 and `of` 0."""
        return {
            "questions": self.questions,
            "answerable": self.answerable,
            "answered": self.answered,
            "scores": {name: figure.row() for name, figure in self.figures.items()},
            "latency_ms": self.latency_ms,
            "curves": self.curves,
        }


def scores(pairs: Sequence[Pair], seed: int = 0, draws: int = DRAWS) -> Scores:
    """Every figure over some questions and their answers. Groups that are compared need different seeds."""
    rows = [tally(question, answer) for question, answer in pairs]
    right = np.array([is_correct(question, answer) for question, answer in pairs], bool)
    would = np.array([would_be_correct(question, answer) for question, answer in pairs], bool)
    confidence = np.array([min(1.0, max(0.0, answer.confidence)) for _, answer in pairs], float)
    return Scores(
        questions=len(pairs),
        answerable=sum(question.answerable for question, _ in pairs),
        answered=sum(answer.answers for _, answer in pairs),
        figures=_figures(rows, right, would, confidence, (seed, draws)) if pairs else {},
        latency_ms=latencies([answer.latency_ms for _, answer in pairs], seed),
        curves=_curves(pairs, right, would, confidence) if pairs else {},
    )


def gap(one: Scores, other: Scores) -> dict[str, Estimate]:
    """Figures of one group less those of another, where both have them."""
    names = [name for name in one.figures if name in other.figures]
    return {
        name: one.figures[name].minus(other.figures[name])
        for name in names
        if one.figures[name].of and other.figures[name].of
    }


def latencies(answers: Iterable[Mapping[str, float]], seed: int = 0) -> dict[str, dict[str, Any]]:
    """Milliseconds by step, p50 and p95 with their intervals, over the answers that took the step.

    "generated_first_token" and "generated_total" are over answers for which the generator was asked.
    """
    found: dict[str, list[float]] = {}
    for answer in answers:
        taken = dict(answer)
        if "generate" in taken:
            taken |= {f"generated_{step}": taken[step] for step in ("first_token", "total") if step in taken}
        for step, value in taken.items():
            found.setdefault(step, []).append(value)
    return {step: _percentiles(np.array(values), seed) for step, values in found.items()}


def _figures(
    rows: Sequence[Mapping[str, tuple[float, float]]],
    right: Flags,
    would: Flags,
    confidence: Values,
    drawn: tuple[int, int],
) -> dict[str, Estimate]:
    names = list(rows[0])
    part = np.array([[row[name][0] for name in names] for row in rows])
    whole = np.array([[row[name][1] for name in names] for row in rows])

    def measure(weights: Values) -> Values:
        counted = weights @ whole
        rates = np.divide(weights @ part, counted, out=np.full(counted.shape, np.nan), where=counted > 0).T
        told = [
            auc(right, confidence, weights),
            auc(would, confidence, weights),
            aurc(would, confidence, weights),
            calibration_error(would, confidence, weights),
        ]
        return np.vstack([rates, *told])

    point, spread = bootstrap(measure, len(rows), *drawn)
    over = [*(whole > 0).sum(axis=0).tolist(), *([len(rows)] * len(_CERTAINTY))]
    share = [*(name not in _NOT_SHARES for name in names), *([False] * len(_CERTAINTY))]
    return {
        name: Estimate(float(point[n]) if over[n] else 0.0, spread[n], over[n], share[n])
        for n, name in enumerate((*names, *_CERTAINTY))
    }


def _curves(pairs: Sequence[Pair], right: Flags, would: Flags, confidence: Values) -> dict[str, Any]:
    """What the plots show; "at" is where the bot's own decisions stand on them."""
    answered = np.array([answer.answers for _, answer in pairs], bool)
    wrong = answered & ~right
    rest = int((~right).sum())
    return {
        "risk_coverage": _rounded(risk_coverage(would, confidence)),
        "roc": _rounded(roc(right, confidence)),
        "reliability": [asdict(b) for b in reliability(would, confidence)],
        "at": {
            "coverage": round(float(answered.mean()), 4),
            "risk": round(float(wrong.sum() / max(1, answered.sum())), 4),
            "false_positives": round(float(wrong.sum() / max(1, rest)), 4),
            "true_positives": float(right.any()),
        },
    }


def _rounded(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[round(x, 4), round(y, 4)] for x, y in points]


def _percentiles(values: Values, seed: int) -> dict[str, Any]:
    points = np.percentile(values, _PERCENTILES)
    low = high = points
    if len(values) > 1:
        drawn = stats.bootstrap(
            (values,),
            lambda sample, axis: np.percentile(sample, _PERCENTILES, axis=axis),
            n_resamples=DRAWS,
            batch=100,
            vectorized=True,
            confidence_level=LEVEL,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
        low, high = drawn.confidence_interval
    named = {
        f"p{p}": {"value": round(float(v), 1), "low": round(float(a), 1), "high": round(float(b), 1)}
        for p, v, a, b in zip(_PERCENTILES, points, low, high, strict=True)
    }
    return {"count": len(values)} | named
