"""The running server: start, memory, answers over the websocket by one and by many at once."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import websockets

PORT = 18_765
QUESTIONS = (
    "怎么申请退货？",
    "运费是多少？",
    "How do I return an item?",
    "How long is the warranty?",
    "你们的营业时间",
    "Do you deliver to remote areas?",
)


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


def answer_times(conversations: int, each: int) -> list[float]:
    """Milliseconds from message to final frame, `each` messages in every one of the conversations at once."""

    async def all_of_them() -> list[float]:
        per_conversation = await asyncio.gather(*(_converse(each, n) for n in range(conversations)))
        return [taken for times in per_conversation for taken in times]

    return asyncio.run(all_of_them())


async def _converse(messages: int, number: int) -> list[float]:
    times = []
    async with websockets.connect(f"ws://127.0.0.1:{PORT}/ws/chat") as socket:
        await socket.recv()
        for n in range(messages):
            # a suffix that only this message has keeps the encoder's memory of queries out of the measure
            text = f"{QUESTIONS[(n + number) % len(QUESTIONS)]} {number}-{n}"
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
