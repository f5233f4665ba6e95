import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipys

from training.intervals import Estimate, bootstrap, draws


def mean_of(values):
    return lambda weights: (weights @ np.array(values, float) / weights.sum(axis=1))[None]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_the_interval_holds_the_figure(values) -> None:
    point, spread = bootstrap(mean_of(values), len(values), seed=1, times=200)
    interval = Estimate(float(point[0]), spread[0], len(values)).interval()
    assert interval is None or interval[0] <= point[0] <= interval[1]


@pytest.mark.parametrize("of", [1, 5, 400])
def test_a_share_of_none_or_all_is_not_certain(of: int) -> None:
    for value in (0.0, 1.0):
        low, high = Estimate(value, np.full(10, value), of, is_share=True).interval() or (9, 9)
        assert 0 <= low <= value <= high <= 1 and high - low > 0


def test_a_figure_without_spread_or_questions_has_no_interval() -> None:
    assert Estimate(0.5, np.full(10, 0.5), 3).interval() is None
    assert Estimate(0.0, np.full(10, np.nan), 0).row() == {"value": 0.0, "low": None, "high": None, "of": 0}


def test_every_draw_has_as_many_questions_and_the_same_seed_gives_the_same() -> None:
    one, two = (np.concatenate(list(draws(7, seed=3, times=20))) for _ in range(2))
    assert one.shape == (20, 7) and (one.sum(axis=1) == 7).all() and (one == two).all()


def test_it_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).uniform(size=80)
    point, spread = bootstrap(mean_of(values), 80, seed=1, times=4000)
    theirs = scipys((values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2))
    assert Estimate(float(point[0]), spread[0], 80).interval() == pytest.approx(
        tuple(theirs.confidence_interval), abs=0.01
    )


def test_a_difference_to_a_share_of_none_is_not_certain() -> None:
    some = Estimate(0.5, np.linspace(0.4, 0.6, 100), 100, is_share=True)
    none = Estimate(0.0, np.zeros(100), 20, is_share=True)
    low, high = some.minus(none).interval() or (9, 9)
    assert low < 0.4 and 0.59 < high < 0.61
    low, high = none.minus(none).interval() or (9, 9)
    assert low == -high < 0
