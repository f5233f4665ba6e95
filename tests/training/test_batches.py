import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.language import to_simplified
from training.augment import augment, mistyped, padded, shortened, swapped, traditional, unmarked
from training.batches import Task, batches, by_source, neighbours, query_and_passage, two_queries
from training.examples import Group

GROUPS = [Group("s", str(n), (f"q{n}", f"r{n}"), (f"p{n}",)) for n in range(20)]


def near_by_number() -> list[list[int]]:
    angles = np.arange(20) / 20
    return neighbours(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))


def test_the_languages_of_a_source_are_apart_where_each_has_enough() -> None:
    chinese = [Group("s", f"z{n}", (f"问题{n}", f"怎么{n}")) for n in range(6)]
    assert by_source([*GROUPS, *chinese], 6) == {"s.en": GROUPS, "s.zh": chinese}
    assert by_source([*GROUPS, *chinese], 7) == {"s": [*GROUPS, *chinese]}
    assert by_source(chinese, 7) == {}


def test_neighbours_are_nearest_first_and_never_oneself() -> None:
    near = near_by_number()
    assert set(near[0][:2]) == {1, 2} and near[0][0] == 1
    assert all(row not in others for row, others in enumerate(near))


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 9))
def test_a_batch_holds_no_group_twice_and_is_as_large_as_can_be(size: int, count: int, seed: int) -> None:
    made = batches(Task(GROUPS, two_queries, size, count), near_by_number(), random.Random(seed))
    assert len(made) == count
    for batch in made:
        assert len(batch) == min(size, 20)
        assert len({other.lstrip("qr") for _, other in batch}) == len(batch)


def test_a_batch_is_made_of_neighbourhoods() -> None:
    (batch,) = batches(Task(GROUPS, query_and_passage, 4, 1), near_by_number(), random.Random(3))
    numbers = sorted(int(passage[1:]) for _, passage in batch)
    assert numbers[-1] - numbers[0] <= 10


def test_every_group_leads_before_one_leads_again() -> None:
    made = batches(Task(GROUPS, query_and_passage, 4, 60), near_by_number(), random.Random(1))
    assert {passage for batch in made for _, passage in batch} == {f"p{n}" for n in range(20)}


def test_pairs_are_of_one_group() -> None:
    one, other = two_queries(Group("s", "1", ("how long is the warranty", "warranty period")), random.Random(5))
    assert other in ("how long is the warranty", "warranty period") and one != other


@pytest.mark.parametrize(
    ("way", "text", "wanted"),
    [
        (traditional, "请问怎么退货", "請問怎麼退貨"),
        (unmarked, "Where's my card?", "wheres my card"),
        (unmarked, "？", "？"),
        (shortened, "卡", "卡"),
        (swapped, "a b c", "a b c"),
    ],
)
def test_single_ways(way: object, text: str, wanted: str) -> None:
    assert callable(way) and way(text, random.Random(1)) == wanted


@given(st.text(alphabet="abcdefgh 你好退货多少钱12", min_size=1, max_size=30), st.integers(0, 99))
def test_a_text_never_vanishes_and_digits_stay(text: str, seed: int) -> None:
    changed = augment(text, random.Random(seed))
    assert changed.strip() or not text.strip()
    assert [c for c in changed if c.isdigit()] == [c for c in text if c.isdigit()]


@given(st.integers(0, 99))
def test_slips_change_one_or_two_letters(seed: int) -> None:
    rng, text = random.Random(seed), "refund not arrived"
    assert len(shortened(text, rng)) == len(text) - 1
    assert sorted(swapped(text, rng)) == sorted(text)
    assert sum(a != b for a, b in zip(mistyped(text, rng), text, strict=True)) == 1
    assert "efund not arrived" in padded(text, rng)
    assert to_simplified(traditional("退货", rng)) == "退货"
