"""Blocks of a key/value cache: shared beginnings, and what gives way to what."""

from bot.blocks import Blocks


def test_prompts_that_begin_alike_share_full_blocks() -> None:
    blocks = Blocks(8, 4)
    first = blocks.take(range(10), 12)
    assert first == ([0, 1, 2], 0)
    blocks.fill(first[0], range(10))
    assert blocks.take([*range(8), 99, 98], 12) == ([0, 1, 3], 8)
    assert blocks.take([*range(4), 99], 8) == ([0, 4], 4)
    assert blocks.take([99, *range(1, 9)], 12) == ([5, 6, 7], 0)


def test_the_last_token_is_always_read() -> None:
    blocks = Blocks(4, 4)
    taken = blocks.take(range(8), 8)
    assert taken is not None
    blocks.fill(taken[0], range(8))
    assert blocks.take(range(8), 8) == ([0, 2], 4)


def test_what_nobody_holds_stays_known_until_its_place_is_needed() -> None:
    blocks = Blocks(4, 4)
    taken = blocks.take(range(9), 12)
    assert taken is not None
    blocks.fill(taken[0], range(9))
    assert blocks.take(range(50, 58), 8) is None  # one is free
    blocks.give_back(taken[0])
    assert blocks.take(range(9), 12) == ([0, 1, 3], 8)
    blocks.give_back([0, 1, 3])
    other = blocks.take(range(50, 62), 12)  # the last block of the beginning goes before its first
    assert other is not None
    assert blocks.take(range(9), 4) == ([0], 4)


def test_half_full_blocks_are_not_shared() -> None:
    blocks = Blocks(4, 4)
    taken = blocks.take(range(10), 12)
    assert taken is not None
    blocks.fill(taken[0], range(6))
    assert blocks.take([*range(6), 99], 8) == ([0, 3], 4)
