"""Reads a file into a Document in a process of its own, so that no file can hurt the program that asks.

The process has limits on time and memory, writes no file, and knows none of the program's secrets. Knows no format.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Any

from knowledge_base.source import MOST_CHARACTERS, Unreadable, readable
from knowledge_base.types import LONGEST_ID, Document

_AT_ONCE = 2  # processes, whose memory adds up
_MOST_OUTPUT = 8 * MOST_CHARACTERS  # bytes: UTF-8 and what JSON escapes
_MOST_MESSAGE = 2_000  # characters
_TICK = 0.1  # seconds
_ROOT = Path(__file__).parent.parent
_SIMPLER = "Split it, or save its text as .txt, and add that."
_places = BoundedSemaphore(_AT_ONCE)


class Cancelled(Exception):
    """The conversion was given up because somebody said so."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one conversion may take."""

    seconds: float = 120
    memory: int = 2_000_000_000  # bytes of address space


def never() -> bool:
    """Asks for no stop."""
    return False


def convert(
    path: Path, *, id: str | None = None, limits: Limits | None = None, stop: Callable[[], bool] = never
) -> Document:
    """The file at `path` as a Document, by default with its name as id; as load.load, but never in this process.

    stop() true gives up soon with Cancelled. Raises Unreadable, whose message names file and remedy, for all that
    load refuses and for a file that takes too long, too much memory, or brings the reader down.
    """
    limits = limits or Limits()
    name = readable(path.name)
    _wait_for_place(stop)
    try:
        output, status = _run(path, id, limits, _Patience(name, limits, stop))
    finally:
        _places.release()
    if not output:
        raise _fallen(name, status, limits)
    return _document(output, name, limits)


@dataclass(slots=True)
class _Patience:
    """Until when to wait for one conversion."""

    name: str
    limits: Limits
    stop: Callable[[], bool]
    ends: float = 0.0

    def check(self) -> None:
        """Raises Cancelled or, when the time is over, Unreadable."""
        if self.stop():
            raise Cancelled
        self.ends = self.ends or time.monotonic() + self.limits.seconds
        if time.monotonic() > self.ends:
            raise _too_slow(self.name, self.limits)


def _wait_for_place(stop: Callable[[], bool]) -> None:
    while not _places.acquire(timeout=_TICK):
        if stop():
            raise Cancelled


def _run(path: Path, id: str | None, limits: Limits, patience: _Patience) -> tuple[bytes, int]:
    """What the worker says, and its exit status; it and its children are gone afterwards."""
    asked = json.dumps({"id": id, "seconds": limits.seconds, "memory": limits.memory})
    worker = subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "knowledge_base.convert_worker", asked, str(path.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )
    assert worker.stdout is not None
    with worker.stdout as said:
        try:
            output = _read(said, patience)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(worker.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
            worker.wait()
    return output, worker.returncode


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return kept | threads | {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}


def _read(said: IO[bytes], patience: _Patience) -> bytes:
    parts: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(said, selectors.EVENT_READ)
        while True:
            patience.check()
            if not selector.select(_TICK):
                continue
            part = os.read(said.fileno(), 65_536)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > _MOST_OUTPUT:
                raise Unreadable(f"{patience.name} holds too much text. {_SIMPLER}")


def _document(output: bytes, name: str, limits: Limits) -> Document:
    """The worker's word is checked: it has read a file that anybody may have made."""
    try:
        said: Any = json.loads(output)
        problem = said.get("problem")
        if problem == "memory":
            raise _too_large(name, limits)
        if problem is not None:
            raise Unreadable(str(problem)[:_MOST_MESSAGE])
        document = Document(**said["document"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(name, "said nothing sensible") from error
    texts = (document.id, document.title, document.text, document.source)
    if document.language not in ("zh", "en") or not all(isinstance(text, str) for text in texts):
        raise _broken(name, "said nothing sensible")
    if len(document.text) > MOST_CHARACTERS or not 0 < len(document.id) <= LONGEST_ID:
        raise _broken(name, "said too much")
    return document


def _fallen(name: str, status: int, limits: Limits) -> Unreadable:
    if status == -signal.SIGXCPU:
        return _too_slow(name, limits)
    why = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return _broken(name, why)


def _too_slow(name: str, limits: Limits) -> Unreadable:
    return Unreadable(f"{name} took longer than {limits.seconds:g} seconds to read and was given up. {_SIMPLER}")


def _too_large(name: str, limits: Limits) -> Unreadable:
    return Unreadable(f"{name} takes more than {limits.memory / 1e9:g} GB of memory to read. {_SIMPLER}")


def _broken(name: str, why: str) -> Unreadable:
    return Unreadable(
        f"{name} cannot be read: the reader {why}. Open it in its program, save it again and add the new file."
    )
