"""A candidate fitted to labels of which three in ten are wrong is refused by the gate, every time.

Really searched, fitted, decided and judged; only the words are made up, so that an encoder of words finds its way.
Each run draws other wrong labels. The same with right labels passes: it is the labels that the gate sees.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.calibration import BUILT_IN, Calibration, Threshold, load
from bot.decide import decide
from bot.types import Answer
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Language
from tests.fakes import HashEncoder
from training.calibrate import fit, trial
from training.company_sets import Company, without_some
from training.evaluate import ask
from training.gate import Compared, Limits, Verdict, gate
from training.golden import GoldenSet, Question
from training.metrics import Judged
from training.recalibrate import recalibrated
from training.workspace import golden_bot, with_calibration

WRONG = 0.3
RUNS = 20
LIMITS = Limits(slower=float("inf"))  # the thresholds differ, the arithmetic does not
THINGS = {
    "zh": "水壶 台灯 椅子 地毯 镜子 茶壶 闹钟 篮子 雨伞 书架 枕头 毛巾 花瓶 相框 风扇 音箱 耳机 键盘 背包 手套".split(),
    "en": "kettle lamp chair carpet mirror teapot clock basket umbrella shelf pillow towel vase frame fan speaker "
    "headphone keyboard backpack glove".split(),
}
MATTERS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "zh": (
        ("{}怎么退货？", "买的{}不喜欢，退货要怎么办", "{}能不能退", "请问退{}的手续"),
        ("{}保修多久？", "{}坏了还在保修期吗", "{}的保修时间", "想知道{}保修到什么时候"),
        ("{}有哪些颜色？", "{}有没有别的颜色", "{}颜色可以选吗", "除了白色，{}还有什么颜色"),
    ),
    "en": (
        ("How do I return a {}?", "the {} is not for me, how can I return it", "can a {} go back", "return of my {}"),
        ("How long is the {} warranty?", "my {} broke, warranty?", "warranty period of the {}", "is the {} covered"),
        ("Which colours does the {} have?", "{} in other colours", "colours of a {}", "is there a {} in red"),
    ),
}
OTHER = {"zh": "你们招聘{}设计师吗", "en": "do you hire {} designers"}  # nothing answers these


@dataclass
class Asked:
    """Questions, and what was found for each when nothing was refused."""

    questions: Sequence[Question]
    answers: Sequence[Answer]

    def judged(self, calibration: Calibration) -> list[Judged]:
        """What a bot with such a calibration does with each."""
        return [_judged(answer, calibration) for answer in self.answers]

    def trials(self, name: str, questions: Sequence[Question]) -> list[Any]:
        """What the answers tell to who takes these labels for right."""
        pairs = zip(questions, self.answers, strict=True)
        return [found for question, answer in pairs for found in trial(name, question, answer)]


def _judged(answer: Answer, calibration: Calibration) -> Judged:
    decision = decide(answer.hits, answer.query, answer.language, calibration)
    cited = (decision.hits[0].passage.source_id,) if decision.kind in ("faq", "grounded") else ()
    found = tuple(dict.fromkeys(hit.passage.source_id for hit in answer.hits))
    return Judged(decision.kind, "", decision.confidence, found, cited)


def ask_all(place: int, work: Path) -> Asked:
    """Every matter of every thing asked by the wording at `place`; a third of the FAQs are not there."""
    faqs, rows = [], []
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        for number, thing in enumerate(THINGS[language]):
            rows.append({"question": OTHER[language].format(thing), "language": language, "relevant": []})
            for matter, wordings in enumerate(MATTERS[language]):
                id = f"{matter}-{number}.{language}"
                faqs.append(Faq(id, wordings[0].format(thing), f"{thing} {matter}", language))
                rows.append({"question": wordings[place].format(thing), "language": language, "relevant": [id]})
    left, rows = without_some(Company(tuple(faqs), ()), rows)
    questions = tuple(
        Question(f"{n}", one["question"], one["language"], frozenset(one["relevant"]), (), one["answerable"])
        for n, one in enumerate(rows)
    )
    golden = GoldenSet(f"set-{place}", (), left.faqs, questions)
    nothing = Threshold(0.0, 0.0)
    base = replace(load(BUILT_IN), thresholds={f"{k}.{g}": nothing for k in ("faq", "document") for g in languages})
    open_bot, retrieval = with_calibration(base, None, "open"), Retrieval(HashEncoder())
    with golden_bot(golden, work, retrieval, open_bot, lambda done, total: None) as bot:
        return Asked(questions, [ask(bot, question) for question in questions])


@dataclass
class Shop:
    """The current release's calibration, and what candidates are fitted to and judged by."""

    content: dict[str, Any]
    fitting: Asked
    judging: Asked
    folder: Path

    def verdict(self, labels: Sequence[Question]) -> Verdict:
        """A candidate fitted to these labels, judged."""
        content = recalibrated(self.content, self.fitting.trials("fitting", labels), "hash-1")
        both = (self.judging.judged(self._loaded(one)) for one in (self.content, content))
        pairs = zip(self.judging.questions, *both, strict=True)
        return gate([Compared("shop", *pair) for pair in pairs], LIMITS)

    def _loaded(self, content: dict[str, Any]) -> Calibration:
        path = self.folder / "calibration.json"
        path.write_text(json.dumps(content))
        return load(path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("poisoned")
    first, second, third = (ask_all(place, folder / "work") for place in (1, 2, 3))
    trials = first.trials("first", first.questions) + second.trials("second", second.questions)
    return Shop(fit(trials) | {"support": 0.5, "encoder": "hash-1"}, second, third, folder)


def poisoned(questions: Sequence[Question], share: float, chance: random.Random) -> list[Question]:
    """The questions with so many of their labels on another FAQ of the same language."""
    able = [one for one in questions if one.answerable]
    wrong = {one.id for one in chance.sample(able, round(share * len(able)))}

    def mislabelled(one: Question) -> Question:
        rest = [other.relevant for other in able if other.language == one.language and other.relevant != one.relevant]
        return replace(one, relevant=chance.choice(rest)) if one.id in wrong else one

    return [mislabelled(one) for one in questions]


def test_right_labels_pass(shop: Shop) -> None:
    verdict = shop.verdict(shop.fitting.questions)
    assert verdict.passed, [(check.figure, check.language) for check in verdict.reasons]
    covered = {check.language: check.current for check in verdict.checks if check.figure == "coverage"}
    assert min(covered.values()) > 0.3, "there is something to lose"


@pytest.mark.parametrize("run", range(RUNS))
def test_three_wrong_labels_in_ten_are_refused(shop: Shop, run: int) -> None:
    verdict = shop.verdict(poisoned(shop.fitting.questions, WRONG, random.Random(run)))
    assert not verdict.passed
    assert {"worse", "false answers"} & {check.refused for check in verdict.reasons}
