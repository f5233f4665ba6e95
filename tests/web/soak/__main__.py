"""An hour of a busy site against the real server with its models (`make soak`), or as long as one likes.

After a warm-up everybody leaves, and again at the end: what the server holds in the two silences must be the same, and
memory in between must not grow. Prints what was seen as JSON; ends with an error at the first broken promise.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.server_speed import quantile
from knowledge_base.faq_file import read_faqs
from knowledge_base.types import Faq
from tests.web.soak import rush, staff
from tests.web.soak.server import Reading, Server, drift
from tests.web.soak.visitor import Tally, Visitor, Wrong
from web.demo_company import FAQS

EVERY = 5.0  # seconds between two readings
SILENCE = 20.0  # seconds for threads and connections that are kept for a while to go
SPARE = 16  # threads and files that pools may hold more of than when they were less busy; a leak is of hundreds


class Soak:
    """One run. drift: by which share memory may grow between warm-up and end."""

    def __init__(self, server: Server, visitors: int, pause: float, seed: int, most_drift: float) -> None:
        self.tally = Tally()
        self.server = server
        self.faqs: Sequence[Faq] = read_faqs(FAQS)
        self.seed = seed
        self._url = server.url.replace("http", "ws") + "/ws/chat"
        self._count = visitors
        self._pause = pause
        self._most_drift = most_drift

    async def run(self, seconds: float) -> dict[str, Any]:
        """Warm up for a sixth of the time, go on for the rest, rush and stop. Raises Wrong."""
        await self._busy(seconds / 6)
        before = await self._silence()
        readings, waits = await self._busy(seconds * 5 / 6)
        after = await self._silence()
        grown = drift(readings)
        if grown > self._most_drift:
            raise Wrong(f"memory has grown by {grown:.1%}")
        self._same(before, after)
        rushed = await rush.overload(self._url, self.faqs, self.seed)
        drained = await rush.stop_in_the_middle(self.server, self._url, self.faqs, self.seed)
        if problems := self.server.problems():
            raise Wrong(f"the log tells of {len(problems)} errors, first: {problems[0]}")
        return {
            "minutes": round(seconds / 60, 1),
            "conversations_at_once": self._count,
            "seen": dict(sorted(self.tally.seen.items())),
            "refused": len(self.tally.retries),
            "answer_ms": {name: round(quantile(waits, share) * 1000) for name, share in (("p50", 0.5), ("p95", 0.95))},
            "memory_drift": round(grown, 4),
            "silence": {"after warm-up": before.row(), "at the end": after.row()},
            "overload": rushed,
            "answered_while_stopping": f"{drained} of {rush.STOPPED}",
        }

    async def _busy(self, seconds: float) -> tuple[list[Reading], list[float]]:
        """Everybody for so long; what the server held meanwhile, and how long answers took."""
        done, began = asyncio.Event(), len(self.tally.waits)
        until = time.monotonic() + seconds
        visitors = [
            Visitor(self._url, number, self.faqs, self.tally, self.seed, self._pause) for number in range(self._count)
        ]
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._watch(done))
            tasks.create_task(staff.work(self.server.url, self.tally, done))
            async with asyncio.TaskGroup() as staying:
                for one in visitors:
                    staying.create_task(one.stay(until))
            done.set()
        return reading.result(), self.tally.waits[began:]

    async def _watch(self, done: asyncio.Event) -> list[Reading]:
        readings, began = [], time.monotonic()
        while not done.is_set():
            readings.append(await asyncio.to_thread(self.server.read))
            told = f"{time.monotonic() - began:6.0f} s  {len(self.tally.waits):6} answers  {readings[-1].row()}"
            sys.stderr.write(told + "\n")
            await asyncio.sleep(EVERY)
        return readings

    async def _silence(self) -> Reading:
        await asyncio.sleep(SILENCE)
        return await asyncio.to_thread(self.server.read)

    def _same(self, before: Reading, after: Reading) -> None:
        """Raises Wrong when something has stayed that should have gone."""
        if after.connections:
            raise Wrong(f"{after.connections} connections have stayed")
        for what in ("tasks", "threads", "files"):
            was, now = getattr(before, what), getattr(after, what)
            if now > was + (0 if what == "tasks" else SPARE):
                raise Wrong(f"{now - was} {what} have stayed")


def main() -> None:
    """Read the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--pause", type=float, default=20, help="mean seconds between two acts of a visitor")
    parser.add_argument("--drift", type=float, default=0.05, help="by which share memory may grow")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        try:
            server.ask_to_stop()  # its models are converted now; what that took is not to be measured
            server.ended()
            server.start()
            soak = Soak(server, asked.visitors, asked.pause, asked.seed, asked.drift)
            result = asyncio.run(soak.run(asked.minutes * 60))
        finally:
            server.kill()
    sys.stdout.write(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
