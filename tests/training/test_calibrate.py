import random

import pytest

from bot.calibration import FEATURES
from training.calibrate import Rated, Trial, fit, threshold

NEUTRAL = ("faq", "chinese", "faq_across", "document_across")  # no evidence: they say how to read the rest


def trials(golden: str, count: int = 200) -> list[Trial]:
    """Made-up trials in which a nearer first hit is more often right."""
    dice = random.Random(golden)
    made = []
    for n in range(count):
        dense = dice.uniform(0.7, 1.0)
        right = dice.random() < (dense - 0.7) / 0.3
        values = {"dense": dense, "top": dense, "margin": dice.uniform(0, 0.05)}
        made.append(
            Trial(
                golden,
                "faq" if n % 2 else "document",
                "zh" if n % 4 < 2 else "en",
                right or n % 3 == 0,
                right,
                right or n % 5 == 0,
                None if right else 0.01 * (n % 7),
                tuple(values.get(name, 0.0) for name in FEATURES),
            )
        )
    return made


@pytest.fixture(scope="module")
def fitted():
    return fit([*trials("one"), *trials("two")], limit=0.05)


def test_nearer_is_more_confident_and_no_evidence_lowers_confidence(fitted) -> None:
    assert fitted["weights"]["dense"] + fitted["weights"]["top"] > 0
    assert all(fitted["weights"][name] >= 0 for name in FEATURES if name not in NEUTRAL)
    assert fitted["auc_on_unseen_sets"] > 0.75


@pytest.mark.parametrize("kind", ["faq", "document"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_wrong_answers_stay_within_the_limit(fitted, kind: str, language: str) -> None:
    threshold = fitted["thresholds"][kind][language]
    assert 0 < threshold["clarify"] <= threshold["answer"] <= 1
    assert threshold["rates"]["false_answer_rate"] <= 0.05
    assert threshold["rates"]["coverage"] > 0.05


def test_a_stricter_limit_never_answers_more() -> None:
    made = [*trials("one"), *trials("two")]
    strict, lenient = fit(made, limit=0.01), fit(made, limit=0.2)
    for kind in ("faq", "document"):
        for language in ("zh", "en"):
            less, more = (f["thresholds"][kind][language] for f in (strict, lenient))
            assert less["answer"] >= more["answer"]
            assert less["rates"]["coverage"] <= more["rates"]["coverage"]


def test_one_set_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more golden sets"):
        fit(trials("one"))


def test_the_question_that_a_threshold_was_found_from_is_answered() -> None:
    for confidence in (0.899996, 0.9999996, 0.55555555):
        own = [Rated(confidence, trial, may_answer=True) for trial in trials("one") if trial.correct]
        found = threshold(own, 0.05)
        assert found["clarify"] <= found["answer"] <= confidence < found["answer"] + 1e-5
        assert found["rates"]["coverage"] == 1
