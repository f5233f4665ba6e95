"""Lists beyond MOST_EXACT rows: as exact search as far as they say, whatever comes and goes while they are made."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import lists
from knowledge_base.index import DenseIndex
from knowledge_base.types import Vectors

DIMENSION = 8
MOST = 60
HALF = 2**-11 + 1e-5  # what half precision may change of a cosine
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "search", "settle"]), st.integers(0, 300), st.integers(1, 120)),
    min_size=1,
    max_size=25,
)


def vectors(ids: Sequence[int], version: int = 0) -> Vectors:
    """One vector for each id and version, always the same."""
    made = [np.random.default_rng([i, version]).standard_normal(DIMENSION) for i in ids]
    return np.asarray([v / np.linalg.norm(v) for v in made], np.float32).reshape(len(ids), DIMENSION)


def agree(index: DenseIndex, truth: dict[int, Vectors], query: Vectors) -> int:
    """Check what holds of any index; returns how many of the ten nearest were found."""
    found = index.search(query, 10)
    assert index.ids() == truth.keys()
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    for id, score in found:
        assert score == pytest.approx(float(truth[id] @ query), abs=HALF)
    some = [*list(truth)[:20], 10_000]
    assert index.cosines(query, some) == pytest.approx({i: float(truth[i] @ query) for i in some[:-1]}, abs=HALF)
    last = sorted((float(vector @ query) for vector in truth.values()), reverse=True)[:10][-1:]
    return sum(float(truth[id] @ query) >= last[0] - 2 * HALF for id, _ in found)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_it_is_what_a_dictionary_would_be(steps: list[Step]) -> None:
    index, truth = DenseIndex(DIMENSION, MOST), dict[int, Vectors]()
    made = None  # exactly, at first
    for number, (act, start, count) in enumerate(steps):
        ids = list(range(start, start + count))
        if act == "add":
            index.add(ids, vectors(ids, number))
            truth |= dict(zip(ids, vectors(ids, number), strict=True))
        elif act == "remove":
            index.remove(ids)
            truth = {i: v for i, v in truth.items() if i not in ids}
        elif act == "settle":
            made = index.settle()
            assert made is None or made.recall >= lists.TARGET or made.probed == made.lists
            assert (made is None) <= (len(truth) <= MOST) and (made is not None) <= (len(truth) > MOST // 2)
        hits = agree(index, truth, vectors([start], 999)[0])
        if made is None:  # so it was when it was asked, whatever it becomes now
            assert hits == min(10, len(truth))
        made = index.settle()


def test_the_recall_that_it_states_is_that_of_questions_it_has_not_seen() -> None:
    ids = list(range(5_000))
    truth = dict(zip(ids, vectors(ids), strict=True))
    index = DenseIndex(DIMENSION, 1_000)
    index.add(ids, vectors(ids))
    made = index.settle()
    assert made is not None and lists.TARGET <= made.recall <= 1 and made.probed < made.lists
    hits = [agree(index, truth, query) for query in vectors(range(9_000, 9_050))]
    assert sum(hits) / len(hits) / 10 >= 0.95


def test_what_comes_and_goes_while_lists_are_made_is_there_and_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(range(400))
    index, truth = DenseIndex(DIMENSION, 100), dict(zip(ids, vectors(ids), strict=True))
    index.add(ids, vectors(ids))
    real = lists.make
    made, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        done = real(*arguments)
        made.set()
        assert go_on.wait(60)
        return done

    monkeypatch.setattr(lists, "make", slow)
    query = vectors([7], 1)[0]
    for _ in range(30):  # as a server is asked; a command that asks once makes no lists
        index.search(query, 10)
    assert made.wait(60)
    index.remove(list(range(100)))
    index.add([5, 150, 1_000], vectors([5, 150, 1_000], 1))
    truth = {i: v for i, v in truth.items() if i >= 100} | dict(
        zip([5, 150, 1_000], vectors([5, 150, 1_000], 1), strict=True)
    )
    assert agree(index, truth, query) == 10  # exactly, until they are there
    go_on.set()
    assert index.settle() is not None
    agree(index, truth, query)
    for id in (5, 150, 1_000):
        assert index.search(truth[id], 1)[0][0] == id


def test_lists_keep_vectors_in_half_precision() -> None:
    index = DenseIndex(DIMENSION, 1_000)
    index.add(list(range(2_000)), vectors(range(2_000)))
    made = index.settle()
    assert made is not None and made.index.code_size == 2 * DIMENSION


def test_few_searches_make_no_lists() -> None:
    index = DenseIndex(DIMENSION, 10)
    index.add(list(range(50)), vectors(range(50)))
    index.search(vectors([1])[0], 5)
    assert index._thread is None


def test_searches_go_on_while_lists_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    index = DenseIndex(DIMENSION, 10)
    index.add(list(range(50)), vectors(range(50)))
    go_on = threading.Event()
    monkeypatch.setattr(lists, "make", lambda *_: go_on.wait(60) and None)
    until = time.monotonic() + 60
    for _ in range(100):
        assert index.search(vectors([1])[0], 1)[0][0] == 1 and time.monotonic() < until
    go_on.set()
