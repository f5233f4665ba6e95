"""What a soak ends with: more questions at once than there is room for, and a stop in the middle of answers."""

import asyncio
import signal
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed

from knowledge_base.types import Faq
from tests.web.soak.server import Server
from tests.web.soak.visitor import Tally, Visitor, Wrong

MANY = 200
STOPPED = 40  # questions that are being answered when the server is told to stop
LEAST_REFUSED = 50  # of MANY: the others fit into the queue


async def overload(url: str, faqs: Sequence[Faq], seed: int) -> dict[str, Any]:
    """Everybody asks in the same moment: some are asked to come back, and all have their answer in the end."""
    tally = Tally()
    visitors = [Visitor(url, 1_000 + number, faqs, tally, seed, 1.0) for number in range(MANY)]
    for one in visitors:
        await one.arrive()
    began = time.monotonic()
    async with asyncio.TaskGroup() as all_of_them:
        for number, one in enumerate(visitors):
            all_of_them.create_task(one.ask(reworded(faqs[number % len(faqs)])))
    took = time.monotonic() - began
    for one in visitors:
        await one.leave()
    if len(tally.retries) < LEAST_REFUSED:
        raise Wrong(f"{MANY} questions at once, and only {len(tally.retries)} were asked to come back")
    told = {"asked_at_once": MANY, "asked_to_come_back": len(tally.retries), "answered": tally.seen["answer"]}
    waits = {"longest_retry_after_s": max(tally.retries), "all_answered_after_s": round(took, 1)}
    return told | waits


async def stop_in_the_middle(server: Server, url: str, faqs: Sequence[Faq], seed: int) -> int:
    """Stop the server while it answers; returns how many answers still came. Those are in the log after a start."""
    tally = Tally()
    visitors = [Visitor(url, 2_000 + number, faqs, tally, seed, 1.0) for number in range(STOPPED)]
    for one in visitors:
        await one.arrive()
    for number, one in enumerate(visitors):
        await one.say(reworded(faqs[number % len(faqs)]), uuid4().hex)
    await asyncio.sleep(0.3)
    server.ask_to_stop()
    got = sum(await asyncio.gather(*map(_last_words, visitors)))
    status = await asyncio.to_thread(server.ended)
    if status not in (0, -signal.SIGTERM):  # uvicorn hands the signal on once all is done
        raise Wrong(f"the server has ended with {status}")
    await asyncio.to_thread(server.start)
    for one in visitors:
        await one.enter_again()  # which compares what it knows with the history
        await one.leave()
    return got


async def _last_words(visitor: Visitor) -> bool:
    """Read until the server closes; whether the answer came before."""
    answered = False
    try:
        while True:
            answered |= (await visitor.read())["type"] == "answer"
    except ConnectionClosed:
        return answered


def reworded(faq: Faq) -> str:
    """Other words than the FAQ's, so that the models have to work."""
    return f"请问一下，{faq.question}" if faq.language == "zh" else f"Hi, please tell me: {faq.question}"
