"""Moves a calibration to a company's questions: its probabilities stretched and shifted, thresholds where many are.

A few dozen questions cannot teach fifteen weights anew; four numbers they can, held near "as before". Knows no model.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bot.calibration import FEATURES
from training.calibrate import Rated, Trial, down, rates, threshold
from training.gate import Limits
from training.intervals import surely_over

_SHIFTED = ("faq", "chinese")  # beside the bias: how FAQs differ from documents, and Chinese from English
_HELD = 10.0  # how strongly the four are held near "as before": examples are easier than what customers ask
_ENOUGH = 50  # questions of a kind and language from which its threshold is fitted anew
_BEFORE = 200  # as so many questions counts the threshold before: some labels are wrong, and three decide it of fifty
_LIMIT = Limits().false_answers  # what the gate allows, since these questions are the company's own
_SEEN = 15  # from which the new probabilities hold for it; with fewer its decisions stay as they are
_CUTS = ("answer", "clarify")
_EXACT = 10.0  # logit of an exact phrasing stays


def recalibrated(base: dict[str, Any], trials: Sequence[Trial], encoder: str) -> dict[str, Any]:
    """The content of a calibration file. base: of the current one; encoder: the SHA-256 of the candidate's files.

    What of a kind and language was hardly tried is answered as before.
    Source of the stretching: Platt, 1999; held by a normal prior on each number.
    """
    content = json.loads(json.dumps(base)) | {"encoder": encoder, "fitted_on": "the company's approved examples"}
    if not trials:
        return dict(content)
    values = np.array([trial.values for trial in trials], float)
    values[:, FEATURES.index("exact")] = 0.0
    logits = _logits(base["weights"], values)
    extra = np.column_stack([np.ones(len(trials)), *(values[:, FEATURES.index(name)] for name in _SHIFTED)])
    stretch, shifts = _fitted(logits, extra, np.array([trial.correct for trial in trials], float))
    weights = {name: value * stretch for name, value in base["weights"].items()}
    for name, shift in zip(("bias", *_SHIFTED), shifts, strict=True):
        weights[name] = weights.get(name, 0.0) + shift
    content["weights"] = {name: round(float(value), 4) for name, value in weights.items()} | {"exact": _EXACT}
    confidence = 1 / (1 + np.exp(-_logits(content["weights"], values)))
    margin = FEATURES.index("margin")
    rated = [
        Rated(float(value), trial, trial.kind == "document" or trial.values[margin] >= content["tie"])
        for value, trial in zip(confidence, trials, strict=True)
    ]
    for kind, languages in content["thresholds"].items():
        for language in languages:
            own = [one for one in rated if (one.trial.kind, one.trial.language) == (kind, language)]
            shift = float(np.dot(shifts, [1.0, kind == "faq", language == "zh"]))
            before = {name: _moved(languages[language][name], stretch, shift) for name in _CUTS}
            if len(own) >= _ENOUGH:
                cuts = _anew(before, own)
                languages[language] = {**cuts, "rates": rates(own, cuts["answer"])}
            elif len(own) < _SEEN:
                languages[language] |= before
    return dict(content)


def read(path: Path) -> dict[str, Any]:
    """A calibration file as it stands."""
    content: dict[str, Any] = json.loads(path.read_text("utf8"))
    return content


def _logits(weights: dict[str, float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    found = values @ np.array([weights.get(name, 0.0) for name in FEATURES])
    return np.asarray(weights.get("bias", 0.0) + found)


def _moved(probability: float, stretch: float, shift: float) -> float:
    """The probability that what had this one has now, so that the same is answered as before."""
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    logit = stretch * float(np.log(inside / (1 - inside))) + shift
    return down(float(1 / (1 + np.exp(-logit))))


def _anew(before: dict[str, float], own: Sequence[Rated]) -> dict[str, float]:
    """The thresholds for these questions: lower ones as they are fitted.

    Higher ones only where answers from the one before are surely wrong too often, and then by what so many weigh.
    """
    fitted = threshold(own, _LIMIT)
    if fitted["answer"] <= before["answer"]:
        return {name: fitted[name] for name in _CUTS}
    wrong = sum(one.confidence >= before["answer"] and one.may_answer and not one.trial.correct for one in own)
    if not surely_over(wrong, len(own), _LIMIT):
        return before
    weight = len(own) / (len(own) + _BEFORE)
    return {name: down((1 - weight) * before[name] + weight * fitted[name]) for name in _CUTS}


def _fitted(
    logits: NDArray[np.float64], extra: NDArray[np.float64], correct: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """(stretch, shifts) of least log loss, with the prior that nothing changes."""

    def loss(numbers: NDArray[np.float64]) -> float:
        moved = numbers[0] * logits + extra @ numbers[1:]
        held = _HELD / 2 * float(np.sum((numbers - start) ** 2))
        return float(np.sum(np.logaddexp(0, moved) - correct * moved)) + held

    start = np.array([1.0] + [0.0] * extra.shape[1])
    bounds = [(0.2, 5.0)] + [(-6.0, 6.0)] * extra.shape[1]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), np.asarray(found[1:])
