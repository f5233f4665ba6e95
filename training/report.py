"""What an evaluation found, as report.json holds it: scores by set, by language and of all, and the gap between both.

Knows nothing of how answers came about, nor of the page.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from knowledge_base.types import Language
from training.golden import Question
from training.intervals import DRAWS, LEVEL
from training.metrics import Judged, is_correct
from training.scores import Scores, gap, scores

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a golden set and what was answered."""

    golden: str
    question: Question
    answer: Judged


def report(asked: Sequence[Asked]) -> dict[str, Any]:
    """The scores of an evaluation; see README for what they mean.

    "sets", "languages" and "all" hold groups of Scores.row(); "gap" is zh less en, figure by figure. Plots are
    drawn of the languages, so only they and "all" keep their curves.
    """
    names = list(dict.fromkeys(one.golden for one in asked))
    sets = {name: _scores([one for one in asked if one.golden == name], f"set {name}") for name in names}
    languages = {g: _scores([one for one in asked if one.question.language == g], g) for g in LANGUAGES}
    between = gap(languages["zh"], languages["en"])
    return {
        "interval": {"level": LEVEL, "draws": DRAWS},
        "sets": {name: _without_curves(group.row()) for name, group in sets.items()},
        "languages": {language: group.row() for language, group in languages.items()},
        "gap": {name: figure.row() for name, figure in between.items()},
        "all": _scores(asked, "all").row(),
    }


def false_answers(asked: Sequence[Asked], language: Language) -> list[Asked]:
    """The questions of a language that were answered wrongly, the most confident first."""
    wrong = [one for one in asked if one.answer.answers and not is_correct(one.question, one.answer)]
    return sorted((one for one in wrong if one.question.language == language), key=lambda one: -one.answer.confidence)


def _scores(asked: Sequence[Asked], name: str) -> Scores:
    return scores([(one.question, one.answer) for one in asked], seed=zlib.crc32(name.encode()))


def _without_curves(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "curves"}
