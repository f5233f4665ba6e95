"""Whether a candidate release may take the place of the current one: both judged on the same questions.

Pure functions of answers. Knows nothing of how they came about, nor of promoting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from knowledge_base.types import Language
from training.curves import auc
from training.golden import Question
from training.intervals import Estimate, Values, bootstrap, surely_over
from training.metrics import Judged, is_correct, tally

Reason = Literal["worse", "false answers", "gap", "latency", "too few questions", "doubtful labels"]
_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_GAINS = ("hit@1", "mrr@10", "resolved")
_PARITY = ("coverage", "resolved", "false_answer_rate")
_ANSWERING = ("coverage", "resolved")  # what grows with every answer, false ones or not
_SEED = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gate lets pass.

    false_answers: share of all questions; gap: how much further apart the languages may be than before, 0..1, unless
    it may be chance; slower: p95 of the candidate's answers over the current's; fewest: questions of a language that
    it takes to judge; doubtful: share of the examples' labels that may be nowhere among what is found for them.
    """

    false_answers: float = 0.05
    gap: float = 0.03
    slower: float = 1.25
    fewest: int = 30
    doubtful: float = 0.25


@dataclass(frozen=True, slots=True)
class Compared:
    """One question with both answers."""

    golden: str
    question: Question
    current: Judged
    candidate: Judged

    @property
    def change(self) -> int:
        """1: now right, -1: no longer right or now a false answer, 0: as good as before."""
        return _worth(self.question, self.candidate) - _worth(self.question, self.current)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of both releases. `difference`: candidate less current, over the same draws of questions."""

    figure: str
    language: Language | None
    current: float
    candidate: float
    difference: Estimate | None
    refused: Reason | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found; `worse` and `better` are questions whose answer changed in worth, the worst first."""

    checks: tuple[Check, ...]
    worse: tuple[Compared, ...]
    better: tuple[Compared, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against promoting the candidate."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that speak against it."""
        return tuple(check for check in self.checks if check.refused)


def gate(compared: Sequence[Compared], limits: Limits | None = None, *others: Check) -> Verdict:
    """Judge a candidate by the questions that both releases answered; every figure with its paired bootstrap.

    Refused: a figure worse beyond noise in either language, more false answers than before and over the limit,
    languages surely further apart than before, slower answers, or too few questions of a language to tell. That it
    answers less is no reason against one that brings false answers from over the limit to within it, of all questions
    or of a set alone. others: checks made elsewhere, which count as well. Raises nothing.
    Source of the paired test: Koehn, EMNLP 2004.
    """
    limits = limits or Limits()
    checks: list[Check] = []
    brought_down = False
    for language in _LANGUAGES:
        mine = [one for one in compared if one.question.language == language]
        if len(mine) < limits.fewest:
            checks.append(Check("questions", language, len(mine), len(mine), None, "too few questions"))
        else:
            down = _brought_down(mine, limits)
            checks += _of_language(language, mine, limits, down)
            brought_down |= down
    checks += [_apart(figure, checks, limits, brought_down) for figure in _PARITY if _both(figure, checks)]
    changed = sorted((one for one in compared if one.change), key=lambda one: (one.change, -one.candidate.confidence))
    worse = tuple(one for one in changed if one.change < 0)
    return Verdict((*checks, *others), worse, tuple(one for one in changed if one.change > 0))


def labels_check(doubtful: int, looked: int, limits: Limits) -> Check:
    """Whether surely too many of the examples' labels are doubtful; a share of the labels that were looked for."""
    share = doubtful / looked if looked else 0.0
    sure = surely_over(doubtful, looked, limits.doubtful)
    return Check("labels", None, share, share, None, "doubtful labels" if sure else None)


def _worth(question: Question, answer: Judged) -> int:
    """1: right, or rightly no answer; 0: no answer where there is one; -1: a false answer."""
    if answer.answers:
        return 1 if is_correct(question, answer) else -1
    return 0 if question.answerable else 1


def _of_language(language: Language, mine: Sequence[Compared], limits: Limits, brought_down: bool) -> list[Check]:
    names = [*_GAINS, "coverage", "false_answer_rate"]
    found = {name: _paired(_rate(name), mine) for name in names} | {"auc": _paired(_auc, mine)}
    current, candidate, difference = found["false_answer_rate"]
    checks = [_gain(name, language, found[name]) for name in (*_GAINS, "auc")]
    if brought_down:
        checks = [replace(check, refused=None) if check.figure == "resolved" else check for check in checks]
    checks.append(Check("coverage", language, *found["coverage"]))
    certain = difference.interval()
    refused: Reason | None = None
    if candidate > limits.false_answers and candidate > current:  # as many as before are no reason against it
        refused = "false answers"
    elif certain and certain[0] > 0:
        refused = "worse"
    checks.append(Check("false_answer_rate", language, current, candidate, difference, refused))
    before, now = _p95([one.current for one in mine]), _p95([one.candidate for one in mine])
    slow: Reason | None = "latency" if before and now > limits.slower * before else None
    return [*checks, Check("latency_p95_ms", language, before, now, None, slow)]


def _brought_down(mine: Sequence[Compared], limits: Limits) -> bool:
    """Whether false answers were over the limit and are not any more, of all questions or of a set with enough.

    A release that answers too much is no measure of how much a candidate must answer, nor of how far apart the
    languages may be in it. What a company's customers get is not made up for by another's questions, of which hardly
    any is answered.
    """
    sets = [[one for one in mine if one.golden == golden] for golden in sorted({one.golden for one in mine})]
    rates = [_false_answers(part) for part in (mine, *sets) if len(part) >= limits.fewest]
    return any(now <= limits.false_answers < before for before, now in rates) and all(
        now <= max(limits.false_answers, before) for before, now in rates
    )


def _false_answers(part: Sequence[Compared]) -> tuple[float, float]:
    """The share of questions that the current release answers falsely, and that of the candidate."""
    before = sum(_worth(one.question, one.current) < 0 for one in part)
    now = sum(_worth(one.question, one.candidate) < 0 for one in part)
    return before / len(part), now / len(part)


def _gain(name: str, language: Language, found: tuple[float, float, Estimate]) -> Check:
    certain = found[2].interval()
    return Check(name, language, *found, "worse" if certain and certain[1] < 0 else None)


def _apart(figure: str, checks: Sequence[Check], limits: Limits, brought_down: bool) -> Check:
    zh, en = _both(figure, checks)
    assert zh.difference and en.difference, "both were paired"
    lead, before, now = zh.current - en.current, abs(zh.current - en.current), abs(zh.candidate - en.candidate)
    spread = np.abs(lead + zh.difference.spread - en.difference.spread) - before
    growth = Estimate(now - before, spread, min(zh.difference.of, en.difference.of))
    certain = growth.interval()
    wider = now > before + limits.gap and not (certain and certain[0] <= 0)
    excused = brought_down and figure in _ANSWERING
    return Check(f"{figure} zh − en", None, before, now, growth, "gap" if wider and not excused else None)


def _both(figure: str, checks: Sequence[Check]) -> list[Check]:
    found = [check for check in checks if check.figure == figure and check.language]
    return found if len(found) == len(_LANGUAGES) else []


_Figure = Callable[[Sequence[Compared], Callable[[Compared], Judged]], Callable[[Values], Values]]


def _paired(figure: _Figure, mine: Sequence[Compared]) -> tuple[float, float, Estimate]:
    """The figure of the current release, of the candidate, and their difference on the same draws."""
    current, candidate = figure(mine, lambda one: one.current), figure(mine, lambda one: one.candidate)
    point, spread = bootstrap(lambda w: np.vstack([current(w), candidate(w)]), len(mine), _SEED)
    difference = Estimate(float(point[1] - point[0]), spread[1] - spread[0], len(mine))
    return float(point[0]), float(point[1]), difference


def _rate(name: str) -> _Figure:
    def over(mine: Sequence[Compared], of: Callable[[Compared], Judged]) -> Callable[[Values], Values]:
        counted = np.array([tally(one.question, of(one))[name] for one in mine])

        def measure(weights: Values) -> Values:
            whole: Values = weights @ counted[:, 1]
            rate: Values = np.divide(weights @ counted[:, 0], whole, out=np.zeros(len(whole)), where=whole > 0)
            return rate

        return measure

    return over


def _auc(mine: Sequence[Compared], of: Callable[[Compared], Judged]) -> Callable[[Values], Values]:
    right = np.array([is_correct(one.question, of(one)) for one in mine], bool)
    confidence = np.array([of(one).confidence for one in mine], float)
    return lambda weights: np.nan_to_num(auc(right, confidence, weights), nan=0.5)


def _p95(answers: Sequence[Judged]) -> float:
    taken = [answer.latency_ms["total"] for answer in answers if "total" in answer.latency_ms]
    return float(np.percentile(taken, 95)) if taken else 0.0
