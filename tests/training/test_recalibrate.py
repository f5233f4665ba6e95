"""A company's own questions move the probabilities; what it has not asked is decided as before."""

import json
from pathlib import Path

import numpy as np
import pytest

from bot.calibration import BUILT_IN, FEATURES, load
from training.calibrate import Trial
from training.recalibrate import read, recalibrated


def trial(top: float, correct: bool, kind: str = "faq", language: str = "en") -> Trial:
    named = {"top": top, "dense": top, "margin": 0.003}  # so far above the next that no other ties with it
    named |= {"faq": float(kind == "faq"), "chinese": float(language == "zh")}
    values = tuple(named.get(name, 0.0) for name in FEATURES)
    return Trial("company", kind, language, True, correct, correct, None if correct else 0.01, values)


def confidence(content: dict, one: Trial) -> float:
    logit = content["weights"]["bias"] + sum(
        content["weights"].get(name, 0.0) * value for name, value in zip(FEATURES, one.values, strict=True)
    )
    return float(1 / (1 + np.exp(-logit)))


def answered(content: dict, one: Trial) -> bool:
    return confidence(content, one) >= content["thresholds"][one.kind][one.language]["answer"]


def test_nothing_tried_changes_nothing_but_the_encoder() -> None:
    made = recalibrated(read(BUILT_IN), [], "new encoder")
    assert made["weights"] == read(BUILT_IN)["weights"] and made["encoder"] == "new encoder"


@pytest.mark.parametrize("correct", [True, False])
def test_probabilities_follow_what_was_right_and_other_kinds_are_decided_as_before(correct: bool) -> None:
    base = read(BUILT_IN)
    made = recalibrated(base, [trial(0.8 + n / 400, correct) for n in range(40)], "")
    asked = trial(0.85, correct)
    assert (confidence(made, asked) > confidence(base, asked)) == correct
    for kind, language in (("faq", "zh"), ("document", "en"), ("document", "zh")):
        others = [trial(top, True, kind, language) for top in np.linspace(0.0, 3.0, 301)]
        assert [answered(made, one) for one in others] == [answered(base, one) for one in others]
        assert len({answered(base, one) for one in others}) == 2, "the test looks at both sides of the threshold"


def test_with_many_questions_the_threshold_keeps_wrong_answers_within_the_limit(tmp_path: Path) -> None:
    base = read(BUILT_IN)
    even = next(top for top in np.linspace(0, 3, 301) if confidence(base, trial(top, True)) > 0.5)
    trials = [trial(even + (n - 60) / 300, n > 60) for n in range(120)]
    made = recalibrated(base, trials, "")
    wrong = sum(answered(made, one) and not one.correct for one in trials)
    right = sum(answered(made, one) and one.correct for one in trials)
    assert wrong <= 0.04 * len(trials) and right >= 25
    (tmp_path / "calibration.json").write_text(json.dumps(made))
    assert load(tmp_path / "calibration.json").threshold("faq", "en").rates["questions"] == 120


def many(wrong_at_the_top: int, base: dict, count: int = 100) -> list[Trial]:
    """Questions of which all that are answered are right but so many, which stand first."""
    even = next(top for top in np.linspace(0, 3, 301) if answered(base, trial(top, True)))
    return [trial(even + (n - count / 2) / 300, n >= count / 2 and n < count - wrong_at_the_top) for n in range(count)]


def held_to(made: dict, base: dict, trials: list[Trial]) -> tuple[int, int]:
    """How many questions are answered, before and now."""
    return sum(answered(base, one) for one in trials), sum(answered(made, one) for one in trials)


def test_a_few_wrong_labels_do_not_make_it_answer_less() -> None:
    base = read(BUILT_IN)
    trials = many(7, base)
    before, now = held_to(recalibrated(base, trials, ""), base, trials)
    assert before == now > 45, "7 of 100 may be 5"


def test_surely_too_many_wrong_answers_make_it_answer_less_and_more_so_the_more_questions_say_it() -> None:
    base = read(BUILT_IN)
    few, more = many(20, base), many(20, base) * 4
    counted = [held_to(recalibrated(base, trials, ""), base, trials) for trials in (few, more)]
    assert 0 < counted[0][1] < counted[0][0]
    assert counted[1][1] / 4 < counted[0][1]


def test_it_answers_more_where_what_it_refuses_is_right() -> None:
    base = read(BUILT_IN)
    trials = [trial(one.values[FEATURES.index("top")], True) for one in many(0, base)]
    before, now = held_to(recalibrated(base, trials, ""), base, trials)
    assert now > before


def test_one_that_answered_nothing_answers_what_fifty_questions_show_to_be_right() -> None:
    base = read(BUILT_IN)
    for languages in base["thresholds"].values():
        for language in languages:
            languages[language] |= {"answer": 0.999999, "clarify": 0.999999}
    trials = [trial(2.0 + n / 100, True) for n in range(60)]
    before, now = held_to(recalibrated(base, trials, ""), base, trials)
    assert before == 0 and now == 60
