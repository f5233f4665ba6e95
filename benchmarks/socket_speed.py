"""What connections cost: memory of idle ones, answers beside them, and answers to many who ask now and then."""

import asyncio
import random
import time

import websockets

from benchmarks.echo import URL, Echo
from benchmarks.rows import RATIO, Row, at_most
from benchmarks.server_speed import CHAT, QUESTIONS, Process, Server, answer_times, conversations, converse, quantile
from benchmarks.work import Work

IDLE, ACTIVE = 2_000, 200
_PAUSE = 10.0  # seconds, on average, from an answer to the next question of the same customer
_ASKING = 20.0  # seconds for which the active ones are watched
_ASKED = 100
_SETTLING = 2.0  # seconds


def rows(work: Work) -> list[Row]:
    """Idle and active connections, beside those of a bare echo."""
    with Echo() as bare:
        work.say("idle connections to a bare echo")
        floor, _, _ = asyncio.run(_idle(bare, URL, IDLE))
        beside = asyncio.run(_active(URL, ACTIVE, _ASKING / 3))
    with Server(work.demo(), KEFU_QUEUE="60") as server:  # as it comes: nobody is to be told that all are busy
        server.settle()
        answer_times(20, 10)
        work.say(f"{IDLE:,} idle connections")
        each, alone, among = asyncio.run(_idle(server, CHAT, IDLE))
        work.say(f"{ACTIVE} active conversations")
        times = asyncio.run(_active(CHAT, ACTIVE, _ASKING))
    names = f"{ACTIVE} active conversations, each asks every {_PAUSE:.0f} s, FAQ in its own words, "
    return [
        Row(f"{IDLE:,} idle connections, each", each / 1000, "KB", floor / 1000, "bare echo", at_most(60, "KB")),
        Row(f"FAQ answer beside {IDLE:,} idle connections, p50", among, "ms", alone, "alone", at_most(1.2, RATIO)),
        Row(names + "p50", quantile(times, 0.5), "ms", quantile(beside, 0.5), "bare echo"),
        Row(names + "p95", quantile(times, 0.95), "ms", quantile(beside, 0.95), "bare echo", at_most(1_500, "ms")),
    ]


async def _idle(server: Process, url: str, count: int) -> tuple[float, float, float]:
    """Bytes of each idle connection, and the median of an answer without them (before and after) and with them."""
    before, alone = server.resident(), await _asked(url, 0)
    warm = server.resident()
    async with conversations(url, count):
        await asyncio.sleep(_SETTLING)
        each = (server.resident() - max(before, warm)) / count
        among = await _asked(url, _ASKED)
    await asyncio.sleep(_SETTLING)
    return each, quantile([*alone, *await _asked(url, 2 * _ASKED)], 0.5), quantile(among, 0.5)


async def _asked(url: str, first: int) -> list[float]:
    texts = [QUESTIONS[(first + n) % len(QUESTIONS)] for n in range(_ASKED)]
    async with conversations(url, 1) as [socket]:
        return [told.ms for told in await converse(socket, texts)]


async def _active(url: str, count: int, seconds: float) -> list[float]:
    """Milliseconds of the answers to so many customers who ask, read and ask again."""

    async def customer(number: int, socket: websockets.ClientConnection, until: float) -> list[float]:
        dice, times = random.Random(number), []
        await asyncio.sleep(dice.uniform(0, _PAUSE))
        while time.monotonic() < until:
            [told] = await converse(socket, [dice.choice(QUESTIONS)])
            times.append(told.ms)
            await asyncio.sleep(min(dice.uniform(0.5, 1.5) * _PAUSE, until - time.monotonic()))
        return times

    async with conversations(url, count) as sockets:
        until = time.monotonic() + seconds
        told = await asyncio.gather(*(customer(number, socket, until) for number, socket in enumerate(sockets)))
    return [ms for times in told for ms in times]
