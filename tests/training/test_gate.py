"""The gate: what it lets pass, what it refuses, and why."""

from dataclasses import replace

import pytest

from training.gate import Compared, Limits, gate, labels_check
from training.golden import Question
from training.metrics import Judged

RIGHT = Judged("faq", "yes", 0.9, ("a", "b"), ("a",), latency_ms={"total": 100.0})
WRONG = Judged("faq", "no", 0.8, ("b", "a"), ("b",), latency_ms={"total": 100.0})
SILENT = Judged("abstain", "", 0.3, ("b", "a"), (), latency_ms={"total": 100.0})


def asked(language: str, number: int, answerable: bool = True) -> Question:
    relevant = frozenset({"a"}) if answerable else frozenset()
    return Question(
        id=f"{language}{number}",
        text="?",
        language=language,
        relevant=relevant,
        answers=(),
        answerable=answerable,
        history=(),
    )


def pairs(zh: list[tuple[Judged, Judged]], en: list[tuple[Judged, Judged]]) -> list[Compared]:
    return [
        Compared("set", asked(language, number), *answers)
        for language, group in (("zh", zh), ("en", en))
        for number, answers in enumerate(group)
    ]


SAME = [(RIGHT, RIGHT)] * 60 + [(SILENT, SILENT)] * 40


def test_the_same_answers_pass() -> None:
    verdict = gate(pairs(SAME, SAME))
    assert verdict.passed and not verdict.worse and not verdict.better


def test_more_right_answers_pass_and_are_named() -> None:
    better = [(RIGHT, RIGHT)] * 60 + [(SILENT, RIGHT)] * 20 + [(SILENT, SILENT)] * 20
    verdict = gate(pairs(better, better))
    assert verdict.passed and len(verdict.better) == 40
    resolved = next(check for check in verdict.checks if check.figure == "resolved" and check.language == "zh")
    assert (resolved.current, resolved.candidate) == (0.6, 0.8)
    assert resolved.difference is not None and resolved.difference.interval()[0] > 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_loss_beyond_noise_in_one_language_is_refused_whatever_the_other_gains(language: str) -> None:
    worse = [(RIGHT, RIGHT)] * 45 + [(RIGHT, SILENT)] * 15 + [(SILENT, SILENT)] * 40
    better = [(RIGHT, RIGHT)] * 60 + [(SILENT, RIGHT)] * 40
    verdict = gate(pairs(worse, better) if language == "zh" else pairs(better, worse))
    reasons = {(check.figure, check.language) for check in verdict.reasons if check.refused == "worse"}
    assert ("resolved", language) in reasons and not verdict.passed
    assert {one.question.language for one in verdict.worse} == {language}


def test_a_loss_within_noise_passes() -> None:
    noise = [(RIGHT, RIGHT)] * 58 + [(RIGHT, SILENT)] * 2 + [(SILENT, RIGHT)] + [(SILENT, SILENT)] * 39
    assert gate(pairs(noise, noise)).passed


def test_false_answers_over_the_limit_are_refused() -> None:
    false = [(RIGHT, RIGHT)] * 60 + [(SILENT, WRONG)] * 6 + [(SILENT, SILENT)] * 34
    verdict = gate(pairs(false, SAME))
    assert [(c.language, c.refused) for c in verdict.reasons if c.figure == "false_answer_rate"] == [
        ("zh", "false answers")
    ]
    as_before = [(RIGHT, RIGHT)] * 60 + [(WRONG, WRONG)] * 6 + [(SILENT, SILENT)] * 34
    assert gate(pairs(as_before, as_before)).passed, "the candidate is not to blame for them"
    assert gate(pairs(false, false), Limits(false_answers=0.5)).reasons, "more of them than before, beyond noise"


def test_languages_further_apart_than_before_are_refused() -> None:
    better = [(RIGHT, RIGHT)] * 60 + [(SILENT, RIGHT)] * 5 + [(SILENT, SILENT)] * 35
    verdict = gate(pairs(better, SAME))
    assert {check.refused for check in verdict.reasons} == {"gap"}
    assert gate(pairs(better, SAME), Limits(gap=0.06)).passed


def test_languages_that_are_further_apart_by_chance_pass() -> None:
    few = [(RIGHT, RIGHT)] * 25 + [(SILENT, RIGHT)] * 5 + [(RIGHT, SILENT)] * 3 + [(SILENT, SILENT)] * 10
    verdict = gate(pairs(few, SAME))
    (apart,) = (check for check in verdict.checks if check.figure == "coverage zh − en")
    assert apart.candidate > apart.current + Limits().gap and verdict.passed
    assert apart.difference is not None and apart.difference.interval()[0] < 0  # type: ignore[index]
    assert not gate(pairs(few * 20, SAME * 20)).passed, "the same again and again is no chance"


def test_answering_less_is_no_reason_against_false_answers_brought_within_the_limit() -> None:
    unsure = replace(RIGHT, kind="abstain", text="", citations=(), confidence=0.4)
    careful = [(RIGHT, RIGHT)] * 45 + [(RIGHT, unsure)] * 8 + [(WRONG, SILENT)] * 7 + [(WRONG, WRONG)] * 2
    careful += [(SILENT, SILENT)] * 38
    assert gate(pairs(careful, SAME)).passed
    still = gate(pairs(careful, SAME), Limits(false_answers=0.01))
    assert ("resolved", "zh") in {(check.figure, check.language) for check in still.reasons}, "still over the limit"
    fine = [pair for pair in careful if pair[0] is not WRONG]
    assert not gate(pairs(fine, SAME)).passed, "there was nothing to bring down"


def test_a_company_over_the_limit_is_not_within_it_for_questions_that_nobody_answers() -> None:
    unsure = replace(RIGHT, kind="abstain", text="", citations=(), confidence=0.4)
    own = pairs([(RIGHT, RIGHT)] * 45 + [(RIGHT, unsure)] * 8 + [(WRONG, SILENT)] * 7 + [(SILENT, SILENT)] * 40, SAME)
    other = [replace(one, golden="demo") for one in pairs([(SILENT, SILENT)] * 100, [(SILENT, SILENT)] * 100)]
    assert gate([*own, *other]).passed
    few = [replace(one, golden=f"part {number // 25}") for number, one in enumerate(own)]
    assert not gate([*few, *other]).passed, "of sets that are too small nothing can be said"
    worse = [replace(one, golden="demo") for one in pairs([(SILENT, WRONG)] * 6 + [(SILENT, SILENT)] * 94, [])]
    assert not gate([*own, *worse]).passed, "what one set gains another must not lose"


def test_slower_answers_are_refused() -> None:
    slow = replace(RIGHT, latency_ms={"total": 130.0})
    verdict = gate(pairs([(RIGHT, slow)] * 50, [(RIGHT, RIGHT)] * 50))
    assert [(check.figure, check.refused) for check in verdict.reasons] == [("latency_p95_ms", "latency")]


def test_a_language_without_enough_questions_cannot_be_judged() -> None:
    verdict = gate(pairs(SAME, SAME[:10]))
    assert [(check.language, check.refused) for check in verdict.reasons] == [("en", "too few questions")]


def test_the_worst_changes_come_first() -> None:
    mixed = [(RIGHT, WRONG), (SILENT, WRONG), (RIGHT, SILENT), (SILENT, RIGHT), *SAME]
    verdict = gate(pairs(mixed, SAME))
    assert [one.change for one in verdict.worse] == [-2, -1, -1] and [one.change for one in verdict.better] == [1]


@pytest.mark.parametrize(
    ("doubtful", "looked", "refused"), [(300, 1000, True), (10, 30, False), (90, 1000, False), (0, 0, False)]
)
def test_labels_are_refused_where_surely_too_many_are_doubtful(doubtful: int, looked: int, refused: bool) -> None:
    check = labels_check(doubtful, looked, Limits())
    verdict = gate(pairs(SAME, SAME), Limits(), check)
    assert verdict.passed is not refused and check in verdict.checks
    assert [one.refused for one in verdict.reasons] == (["doubtful labels"] if refused else [])
