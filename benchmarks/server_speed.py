"""The running server: start, memory, answers over the websocket by one and by many at once."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import websockets

from knowledge_base.faq_file import read_faqs
from knowledge_base.language import has_chinese
from web.demo_company import FAQS

PORT = 18_765
QUESTIONS = tuple(text for faq in read_faqs(FAQS) for text in (faq.question, *faq.similar))
REWORDED = tuple(("请问，" if has_chinese(text) else "Hi, tell me: ") + text for text in QUESTIONS)


class Server:
    """`kefu serve --demo` on a data folder, as a process of its own."""

    def __init__(self, data: Path, **environment: str) -> None:
        limits = {"KEFU_MESSAGES_PER_VISITOR": "100000", "KEFU_MESSAGES_PER_ADDRESS": "100000"}
        env = os.environ | limits | {"KEFU_DATA": str(data), "KEFU_PORT": str(PORT)} | environment
        command = [str(Path(sys.executable).with_name("kefu")), "serve", "--demo"]
        began = time.perf_counter()
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()
        self.start_seconds = time.perf_counter() - began

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def resident_gb(self) -> float:
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e9

    def _wait(self, patience: float = 600) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError("the server ended before it was ready; run `kefu serve --demo` to see why")
            try:
                with urlopen(f"http://127.0.0.1:{PORT}/ready") as response:
                    if response.status == 200:
                        return
            except (URLError, ConnectionError):
                pass
            time.sleep(0.1)
        raise TimeoutError(f"the server was not ready within {patience:.0f} s")


def answer_times(conversations: int, each: int, first: int = 0, asked: Sequence[str] = QUESTIONS) -> list[float]:
    """Milliseconds from message to final frame, `each` messages in every one of the conversations at once.

    first: which of those `asked` to begin with; QUESTIONS are found as they stand, REWORDED must be understood.
    """

    async def all_of_them() -> list[float]:
        per_conversation = await asyncio.gather(
            *(_converse(each, first + n * each, asked) for n in range(conversations))
        )
        return [taken for times in per_conversation for taken in times]

    return asyncio.run(all_of_them())


async def _converse(messages: int, first: int, asked: Sequence[str]) -> list[float]:
    times = []
    async with websockets.connect(f"ws://127.0.0.1:{PORT}/ws/chat") as socket:
        await socket.recv()
        for n in range(messages):
            # every message another phrasing, so that the encoder's memory of queries is out of the measure
            text = asked[(first + n) % len(asked)]
            began = time.perf_counter()
            await socket.send(json.dumps({"type": "message", "text": text}))
            while (frame := json.loads(await socket.recv()))["type"] != "answer":
                if frame["type"] == "error":
                    raise RuntimeError(f"error frame {frame['code']}")
            times.append((time.perf_counter() - began) * 1000)
    return times


def help_seconds(runs: int = 5) -> float:
    """Median wall time of `kefu --help`."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([str(Path(sys.executable).with_name("kefu")), "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
