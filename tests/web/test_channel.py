"""Numbering, keeping and following frames."""

import asyncio
import time
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.types import Answer
from web.channel import Behind, Channel, Question
from web.frames import AnswerFrame, TokenFrame, answer_frame, error
from web.live_frames import StaffTypingFrame

DONE: AnswerFrame = answer_frame(Answer("a", "faq", "done", "en"), None)


def say(channel: Channel, count: int) -> None:
    for _ in range(count):
        channel.publish(TokenFrame(message_id="a", text="x"))


def seqs(channel: Channel, seq: int) -> list[int]:
    return [kept.seq for kept in channel.after(seq)]


@given(st.integers(1, 30), st.integers(0, 60), st.integers(0, 70))
def test_after_gives_every_later_frame_or_says_that_some_are_gone(most: int, said: int, seq: int) -> None:
    channel = Channel("c", most, 60)
    say(channel, said)
    if said - seq > most:
        with pytest.raises(Behind):
            channel.after(seq)
    else:
        assert seqs(channel, seq) == list(range(seq + 1, said + 1))


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 70), st.booleans())
def test_who_enters_is_never_behind_and_gets_all_of_a_running_reply(
    steps: list[bool], last_seq: int, same: bool
) -> None:
    channel = Channel("c", 100, 60)
    for ends in steps:
        if channel.running is None:
            channel.begin(Question("q"))
        channel.end(DONE) if ends else say(channel, 1)
    entry = channel.entry(channel.epoch if same else "another", last_seq)
    first = channel.running.first_seq if channel.running else channel.last_seq + 1
    if same and first - 1 <= last_seq <= channel.last_seq:
        assert entry == last_seq
    else:
        assert entry == first - 1
    assert seqs(channel, entry) == list(range(entry + 1, channel.last_seq + 1))


def test_an_entry_into_a_very_long_reply_starts_at_what_is_kept() -> None:
    channel = Channel("c", 10, 60)
    channel.begin(Question("q"))
    say(channel, 25)
    assert channel.entry("another", 0) == 15 and len(channel.after(15)) == 10


def test_old_frames_are_forgotten_but_not_those_of_a_running_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    clock = [now]
    monkeypatch.setattr("web.channel.time.monotonic", lambda: clock[0])
    channel = Channel("c", 100, 60)
    channel.begin(Question("one"))
    say(channel, 3)
    channel.end(DONE)
    clock[0] = now + 61
    channel.begin(Question("two"))
    say(channel, 2)
    clock[0] = now + 200
    say(channel, 1)
    assert seqs(channel, 4) == [5, 6, 7]
    with pytest.raises(Behind):
        channel.after(3)
    assert not channel.idle
    channel.end(DONE)
    clock[0] = now + 300
    assert channel.idle


def test_a_client_id_is_remembered_until_its_reply_fails() -> None:
    channel = Channel("c", 100, 60)
    reply = channel.begin(Question("q", "c1"))
    assert channel.asked("c1") is reply and channel.asked("c2") is None and channel.asked(None) is None
    channel.end(DONE)
    assert channel.asked("c1") is reply and [kept.seq for kept in channel.frames_of(reply)] == [1]
    channel.begin(Question("q", "c2"))
    channel.end(error("internal"))
    assert channel.asked("c2") is None
    for number in range(60):
        channel.begin(Question("q", f"d{number}"))
        channel.end(DONE)
    assert channel.asked("c1") is None and channel.asked("d59") is not None


async def test_followers_get_each_frame_once_at_their_own_pace() -> None:
    channel = Channel("c", 10, 60)

    async def read(count: int, pause: float) -> list[int]:
        got: list[int] = []
        async with aclosing(channel.follow(0)) as frames:
            async for kept in frames:
                got.append(kept.seq)
                await asyncio.sleep(pause)
                if len(got) == count:
                    return got
        raise AssertionError("follow never ends by itself")

    readers = [asyncio.create_task(read(8, pause)) for pause in (0, 0.001)]
    for _ in range(8):
        say(channel, 1)
        await asyncio.sleep(0.0005)
    assert await asyncio.gather(*readers) == [list(range(1, 9))] * 2


async def test_a_follower_too_slow_is_told() -> None:
    channel = Channel("c", 5, 60)
    say(channel, 1)
    async with aclosing(channel.follow(0)) as frames:
        assert (await anext(frames)).seq == 1
        say(channel, 10)
        with pytest.raises(Behind):
            await anext(frames)


async def test_what_passes_by_reaches_those_who_follow_and_nobody_later() -> None:
    channel = Channel("c", 100, 60)
    channel.pass_on(StaffTypingFrame(name="too early"))
    async with aclosing(channel.follow(0)) as frames:
        first = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        channel.pass_on(StaffTypingFrame(name="An"))
        say(channel, 1)
        kept = await first
        assert (kept.seq, kept.message_id) == (1, "a")
        passed = await anext(frames)
        assert passed.seq == 0 and '"name":"An"' in passed.text and '"seq"' not in passed.text
        assert channel.after(0) == [kept]
    async with aclosing(channel.follow(1)) as frames:
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_a_follower_that_does_not_read_does_not_fill_the_memory() -> None:
    channel = Channel("c", 100, 60)
    async with aclosing(channel.follow(0)) as frames:
        say(channel, 1)
        await anext(frames)
        for _ in range(1_000):
            channel.pass_on(StaffTypingFrame(name="An"))
        assert sum(map(len, channel._signals.values())) <= 100
