"""Fits the calibration: from the scores of the hits to the probability that answering is right, and thresholds.

Every golden question is answered as if nothing were ever refused; the model learns from which scores such answers
were correct, that is, stood on a relevant source and held a reference answer. Rates are those of sets that the model
had not seen (leave one set out), so that they hold elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from bot.calibration import FEATURES, Calibration, Threshold, features
from bot.types import Answer
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Hit, Language, Progress, SourceKind
from training.evaluate import ask, judged, row
from training.examples import read_topics, training_files
from training.golden import GoldenSet, Question, read_golden_set
from training.metrics import is_correct
from training.nearness import least_support, near
from training.workspace import golden_bot, with_calibration

FALSE_ANSWER_LIMIT = 0.04  # of all questions, by kind and language; leaves room for sets that are harder than these
CLARIFY_PRECISION = 0.8  # share of questions asked back that must have a relevant FAQ among those offered
TOPICS = Path(__file__).parent / "topics"  # what a true answer shares with its passage is measured there
_OPTIONS = 3
_RISING = frozenset(FEATURES) - {"faq", "chinese", "faq_across", "document_across"}  # those say how to read the others
_LEAST = 0.5  # confidence: what is likelier wrong than right is not answered, however few questions are wrong
_TIES = (0.0, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03)
_EXACT = 10.0  # logit of an exact phrasing, which decide() answers without asking the model
_KINDS: tuple[SourceKind, ...] = ("faq", "document")
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Trial:
    """One question answered without refusing: what the scores were and whether it was right."""

    golden: str
    kind: SourceKind
    language: Language
    answerable: bool
    correct: bool  # it cites a relevant source and its text holds a reference answer, where there are any
    offered: bool  # a relevant FAQ is among the first three, as clarifying would offer them
    behind: float | None  # how far below the first the first relevant hit stands; None: it is first, or not found
    values: tuple[float, ...]  # in the order of FEATURES


@dataclass(frozen=True, slots=True)
class Rated:
    """A trial and the confidence of a model that had not seen its set. `may_answer`: no other FAQ ties with its own."""

    confidence: float
    trial: Trial
    may_answer: bool


def calibrate(
    folders: Sequence[Path], work: Path, retrieval: Retrieval, base: Calibration, progress: Progress
) -> dict[str, Any]:
    """The content of a calibration file, fitted to golden sets. `base` is what the bot quotes by meanwhile.

    work: a folder for the knowledge bases; may be used again. Raises GoldenSetError for an unusable set.
    """
    trials: list[Trial] = []
    for folder in folders:
        trials += try_all(read_golden_set(folder), work, retrieval, base, progress)
    return fit(trials) | {
        "encoder": retrieval.encoder.files_sha256,
        "fitted_on": [folder.name for folder in folders],
        "command": "python -m training calibration SET… --out bot/release/calibration.json --work DIR",
        "support": round(least_support([topic for file in training_files([TOPICS]) for topic in read_topics(file)]), 4),
    }


def try_all(golden: GoldenSet, work: Path, retrieval: Retrieval, base: Calibration, progress: Progress) -> list[Trial]:
    """Answer every question of a set with thresholds of 0."""
    nothing = Threshold(0.0, 0.0)
    open_ = Calibration(
        base.weights, {f"{k}.{g}": nothing for k in _KINDS for g in _LANGUAGES}, 0.0, base.near, base.support
    )
    trials = []
    with golden_bot(golden, work / golden.name, retrieval, with_calibration(open_, None, "open"), progress) as bot:
        for number, question in enumerate(golden.questions, 1):
            trials += trial(golden.name, question, ask(bot, question))
            progress(number, len(golden.questions))
    return trials


def trial(golden: str, question: Question, answer: Answer) -> list[Trial]:
    """What one question tells that was answered without refusing; nothing where no confidence decides."""
    if not answer.hits or answer.hits[0].exact or answer.kind not in ("faq", "grounded"):
        return []
    named = features(answer.hits, answer.language)
    return [
        Trial(
            golden,
            answer.hits[0].passage.kind,
            answer.language,
            question.answerable,
            is_correct(question, judged(row(question, answer))),
            _offered(answer.hits, question.relevant),
            _behind(answer.hits, question.relevant),
            tuple(named[name] for name in FEATURES),
        )
    ]


def fit(trials: Sequence[Trial], limit: float = FALSE_ANSWER_LIMIT) -> dict[str, Any]:
    """Weights over all trials, and thresholds with the rates measured on sets left out of the fit.

    limit: the greatest share of questions, by kind and language, that may be answered wrongly.
    """
    values, correct = _matrix(trials)
    unseen = np.zeros(len(trials))
    names = sorted({trial.golden for trial in trials})
    for name in names:
        inside = np.array([trial.golden == name for trial in trials])
        if inside.all() or correct[~inside].all() or not correct[~inside].any():
            raise ValueError("calibration needs two or more golden sets, with correct and wrong answers among them")
        unseen[inside] = _predict(
            _fitted(values[~inside], correct[~inside], _set_weights(trials, ~inside)), values[inside]
        )
    weights = _fitted(values, correct, _set_weights(trials, np.ones(len(trials), bool)))
    tied, thresholds = _thresholds(trials, unseen, limit)
    return {
        "weights": {name: round(float(weight), 4) for name, weight in weights.items()} | {"exact": _EXACT},
        "thresholds": thresholds,
        "tie": tied,
        "near": round(near([trial.behind for trial in trials if trial.behind is not None]), 4),
        "auc_on_unseen_sets": round(float(roc_auc_score(correct, unseen)), 4),
    }


def _set_weights(trials: Sequence[Trial], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights by which every golden set counts alike, large or small."""
    names = [trial.golden for trial, take in zip(trials, chosen, strict=True) if take]
    return np.array([1 / names.count(name) for name in names]) * len(names) / len(set(names))


def _offered(hits: Sequence[Hit], relevant: frozenset[str]) -> bool:
    faqs = [hit.passage.source_id for hit in hits if hit.passage.kind == "faq"]
    return any(i in relevant for i in faqs[:_OPTIONS])


def _behind(hits: Sequence[Hit], relevant: frozenset[str]) -> float | None:
    scores = [hit.score for hit in hits if hit.passage.source_id in relevant]
    return hits[0].score - scores[0] if scores and hits[0].passage.source_id not in relevant else None


def _matrix(trials: Sequence[Trial]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.array([trial.values for trial in trials])
    values[:, FEATURES.index("exact")] = 0.0
    return values, np.array([trial.correct for trial in trials])


def _fitted(values: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float64]) -> dict[str, float]:
    """Logistic regression on standardised features, its coefficients given back in the features' own units.

    More evidence never makes less confident: a feature of _RISING that would is left out, the worst first.
    """
    scaler = StandardScaler().fit(values)
    used = np.ones(len(FEATURES), bool)
    while True:
        model = LogisticRegression(C=0.3, max_iter=2000).fit(scaler.transform(values)[:, used], right, weight)
        coefficients = np.zeros(len(FEATURES))
        coefficients[used] = model.coef_[0]
        falling = np.where([name in _RISING for name in FEATURES], coefficients, 0.0)
        if falling.min() >= 0:
            break
        used[falling.argmin()] = False
    coefficients /= scaler.scale_
    bias = float(model.intercept_[0] - coefficients @ scaler.mean_)
    return {"bias": bias} | dict(zip(FEATURES, coefficients.tolist(), strict=True))


def _predict(weights: dict[str, float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    logits = weights["bias"] + values @ np.array([weights[name] for name in FEATURES])
    return np.asarray(1 / (1 + np.exp(-logits)))


def _thresholds(trials: Sequence[Trial], confidence: NDArray[np.float64], limit: float) -> tuple[float, dict[str, Any]]:
    """The tie, and with it the thresholds, by which most questions are answered within the limit."""
    margin = FEATURES.index("margin")

    def fitted(tie: float) -> dict[str, Any]:
        rated = [
            Rated(float(value), trial, trial.kind == "document" or trial.values[margin] >= tie)
            for value, trial in zip(confidence, trials, strict=True)
        ]
        return {
            kind: {
                language: threshold([r for r in rated if (r.trial.kind, r.trial.language) == (kind, language)], limit)
                for language in _LANGUAGES
            }
            for kind in _KINDS
        }

    found = {tie: fitted(tie) for tie in _TIES}
    best = max(found, key=lambda tie: (sum(t["rates"]["coverage"] for t in found[tie]["faq"].values()), -tie))
    return best, found[best]


def threshold(rated: Sequence[Rated], limit: float) -> dict[str, Any]:
    """The lowest confidence at which, from there up, wrong answers stay within the limit of all questions."""
    own = sorted(rated, key=lambda one: -one.confidence)
    answer, wrong = 1.0, 0
    for one in own:
        wrong += one.may_answer and not one.trial.correct
        if wrong > limit * len(own) or one.confidence < _LEAST:
            break
        answer = one.confidence
    clarify = _clarify([(one.confidence, one.trial.offered) for one in own if one.confidence < answer], answer)
    return {"answer": down(answer), "clarify": down(clarify), "rates": rates(own, answer)}


def down(confidence: float) -> float:
    """With six digits, and not above: what has just this confidence is answered."""
    return math.floor(confidence * 1e6) / 1e6


def rates(rated: Sequence[Rated], answer: float) -> dict[str, Any]:
    """What comes of answering from a confidence up."""
    answered = [one.trial for one in rated if one.confidence >= answer and one.may_answer]
    able = sum(one.trial.answerable for one in rated)
    return {
        "questions": len(rated),
        "coverage": round(sum(t.answerable for t in answered) / max(1, able), 4),
        "false_answer_rate": round(sum(not t.correct for t in answered) / max(1, len(rated)), 4),
        "correct_of_answered": round(sum(t.correct for t in answered) / max(1, len(answered)), 4),
    }


def _clarify(below: Sequence[tuple[float, bool]], answer: float) -> float:
    """The lowest confidence from which asking back offers a relevant FAQ often enough; `answer` when none does.

    below: (confidence, whether a relevant FAQ is offered), most confident first.
    """
    lowest, good = answer, 0
    for count, (value, offered) in enumerate(below, 1):
        good += offered
        if good >= CLARIFY_PRECISION * count:
            lowest = value
    return lowest
