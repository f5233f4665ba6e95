import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.curves import auc, aurc, calibration_error, reliability, risk_coverage, roc

RIGHT = np.array([True, True, False, True, False])
SURE = np.array([0.95, 0.85, 0.85, 0.55, 0.15])
ONE = np.ones((1, 5))
CASES = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])), min_size=1, max_size=40)


def arrays(cases):
    return np.array([right for right, _ in cases], bool), np.array([sure for _, sure in cases])


def test_by_hand() -> None:
    assert auc(RIGHT, SURE, ONE)[0] == pytest.approx((2 + 1.5 + 1) / 6)
    assert np.allclose(risk_coverage(RIGHT, SURE), [(0.2, 0), (0.6, 1 / 3), (0.8, 0.25), (1, 0.4)])
    assert aurc(RIGHT, SURE, ONE)[0] == pytest.approx((0 + 2 / 3 + 0.25 + 0.4) / 5)
    assert calibration_error(RIGHT, SURE, ONE)[0] == pytest.approx((0.05 + 0.7 + 0.45 + 0.15) / 5)
    bins = reliability(RIGHT, SURE)
    assert [(b.count, b.right) for b in bins] == [(1, 0), (1, 1), (2, 0.5), (1, 1)]


def test_all_right_has_no_auc_and_no_roc() -> None:
    assert np.isnan(auc(np.ones(5, bool), SURE, ONE)[0])
    assert roc(np.ones(5, bool), SURE) == []


@given(CASES, st.data())
@settings(max_examples=60, deadline=None)
def test_auc_is_scikit_learns_under_weights(cases, data) -> None:
    right, sure = arrays(cases)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(cases), max_size=len(cases))), float)
    if 0 < (weights * right).sum() < weights.sum():
        theirs = roc_auc_score(right, sure, sample_weight=weights)
        assert auc(right, sure, weights[None])[0] == pytest.approx(theirs)


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_coverage_rises_to_one_and_errors_stay_in_range(cases) -> None:
    right, sure = arrays(cases)
    points = risk_coverage(right, sure)
    coverage = [x for x, _ in points]
    wrong = [x * y for x, y in points]  # of all questions
    assert coverage == sorted(set(coverage)) and coverage[-1] == 1
    assert all(b >= a - 1e-9 for a, b in zip(wrong, wrong[1:], strict=False))
    assert points[-1][1] == pytest.approx(1 - right.mean())
    one = np.ones((1, len(cases)))
    assert 0 <= aurc(right, sure, one)[0] <= 1 and 0 <= calibration_error(right, sure, one)[0] <= 1
    assert sum(b.count for b in reliability(right, sure)) == len(cases)


def test_a_perfectly_sorted_confidence_has_the_least_risk() -> None:
    good = aurc(np.array([True, True, False]), np.array([0.9, 0.8, 0.1]), np.ones((1, 3)))[0]
    bad = aurc(np.array([True, True, False]), np.array([0.1, 0.2, 0.9]), np.ones((1, 3)))[0]
    assert good < bad
