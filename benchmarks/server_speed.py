"""The running server as a process of its own, and customers who ask it over websockets. Draws no conclusion."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import websockets

from knowledge_base.faq_file import read_faqs
from knowledge_base.language import has_chinese
from web.demo_company import FAQS

PORT = 18_765
CHAT = f"ws://127.0.0.1:{PORT}/ws/chat"
QUESTIONS = tuple(text for faq in read_faqs(FAQS) for text in (faq.question, *faq.similar))
REWORDED = tuple(("请问，" if has_chinese(text) else "Hi, tell me: ") + text for text in QUESTIONS)
_QUIET, _QUIET_SECONDS, _PATIENCE = 15.0, 1.0, 300.0  # per cent of a core, over so long; seconds
_TOGETHER = 50  # conversations opened at once
FILES = 16_384  # what a process may have open, sockets among it
# All customers of a benchmark come from one address, and at once.
LIMITS = {
    "KEFU_MESSAGES_PER_VISITOR": "100000",
    "KEFU_MESSAGES_PER_ADDRESS": "100000",
    "KEFU_SESSIONS_PER_ADDRESS": "100000",
    "KEFU_CONNECTIONS_PER_ADDRESS": "10000",
    "KEFU_CONNECTIONS": "10000",
    "KEFU_QUEUE": "1000",
}


class Process:
    """A program that serves on 127.0.0.1, from its start until it is told to end."""

    def __init__(self, command: Sequence[str], ready: str, environment: dict[str, str]) -> None:
        """ready: the URL that answers 200 once it serves."""
        self._command, self._ready = command, ready
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))  # the program inherits it
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait()
        except BaseException:
            self._process.kill()
            self._process.wait(30)
            raise
        self.start_seconds = time.perf_counter() - began

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def resident(self) -> int:
        """Bytes."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def _wait(self, patience: float = 600) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"it ended before it was ready; run `{' '.join(self._command)}` to see why")
            try:
                with urlopen(self._ready) as response:
                    if response.status == 200:
                        return
            except (URLError, ConnectionError):
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{self._command[0]} was not ready within {patience:.0f} s")


class Server(Process):
    """`kefu serve --demo` on a data folder."""

    def __init__(self, data: Path, **environment: str) -> None:
        chosen = LIMITS | {"KEFU_DATA": str(data), "KEFU_PORT": str(PORT)} | environment
        kefu = str(Path(sys.executable).with_name("kefu"))
        super().__init__([kefu, "serve", "--demo"], f"http://127.0.0.1:{PORT}/ready", chosen)

    def __enter__(self) -> "Server":
        return self

    def settle(self) -> None:
        """Wait while it reads beforehand what answers need: as long as it works although nobody asks."""
        process, until = psutil.Process(self._process.pid), time.monotonic() + _PATIENCE
        while process.cpu_percent(_QUIET_SECONDS) > _QUIET:
            if time.monotonic() > until:
                raise TimeoutError(f"the server was not quiet within {_PATIENCE:.0f} s")


class Told(NamedTuple):
    """One answer: its kind; milliseconds from the message to the first text and to the final frame; characters."""

    kind: str
    first: float
    ms: float
    written: int  # characters that came before the final frame


@asynccontextmanager
async def conversations(url: str, count: int) -> AsyncIterator[list[websockets.ClientConnection]]:
    """So many that are open and in which nobody has spoken."""
    sockets: list[websockets.ClientConnection] = []
    try:
        for start in range(0, count, _TOGETHER):
            some = range(start, min(start + _TOGETHER, count))
            new = await asyncio.gather(*(websockets.connect(url, ping_interval=None, open_timeout=60) for _ in some))
            sockets += new
            await asyncio.gather(*(socket.recv() for socket in new))
        yield sockets
    finally:
        for start in range(0, count, _TOGETHER):
            await asyncio.gather(*(socket.close() for socket in sockets[start : start + _TOGETHER]))


async def converse(socket: websockets.ClientConnection, texts: Sequence[str]) -> list[Told]:
    """Ask these in a conversation, one after the other."""
    return [await _ask(socket, text) for text in texts]


async def _ask(socket: websockets.ClientConnection, text: str) -> Told:
    began, first, written = time.perf_counter(), 0.0, 0
    await socket.send(json.dumps({"type": "message", "text": text}))
    while True:
        frame: dict[str, Any] = json.loads(await socket.recv())
        if frame["type"] in ("token", "answer"):
            first = first or (time.perf_counter() - began) * 1000
            written += len(frame["text"]) if frame["type"] == "token" else 0
        if frame["type"] == "answer":
            return Told(frame["kind"], first, (time.perf_counter() - began) * 1000, written)
        if frame["type"] == "error":
            raise RuntimeError(f"error frame {frame['code']}")


def answers(at_once: int, each: int, asked: Sequence[str], first: int = 0, url: str = CHAT) -> list[Told]:
    """What is told in so many open conversations at once, `each` messages in every one; the next as soon as it is told.

    first: which of those `asked` to begin with. Every message is another text, so that the encoder's memory of queries
    is out of the measure, as long as they last.
    """

    async def all_of_them() -> list[Told]:
        texts = [[asked[(first + n * each + m) % len(asked)] for m in range(each)] for n in range(at_once)]
        async with conversations(url, len(texts)) as sockets:
            told = await asyncio.gather(*map(converse, sockets, texts))
        return [one for conversation in told for one in conversation]

    return asyncio.run(all_of_them())


def answer_times(at_once: int, each: int, first: int = 0, asked: Sequence[str] = QUESTIONS) -> list[float]:
    """Milliseconds of `answers`. QUESTIONS are found as they stand, REWORDED must be understood."""
    return [told.ms for told in answers(at_once, each, asked, first)]


def quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
