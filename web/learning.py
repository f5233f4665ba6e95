"""Rounds of learning and other long work, each in a process of its own. Trains nothing, reads what those write.

A process goes on when the server ends; whether a round runs is told by the lock that it holds, and who it is by the
file `running` beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.lessons import Wanted
    from web.settings import Settings

Work = Literal["collect", "promote"]
_POLITE = ("nice", "-n", "19")
_THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
_TAIL = 20_000  # bytes of a log that are shown
_CURVE = 400  # points of a loss curve
_READ = 4_000_000  # bytes of progress that are looked at


class Clash(Exception):
    """What was wanted does not go with what is running. `code` names the problem for programs."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is. `loss`: (step, training step, loss) in order."""

    step: str
    done: int
    total: int
    seconds_left: int | None
    loss: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True, slots=True)
class RoundState:
    """A round as its folder tells it. state: "running", "stopped" (it can go on), "failed", "passed" or "refused"."""

    name: str
    state: str
    began: datetime
    wanted: str
    steps: dict[str, dict[str, Any]]
    error: str
    progress: Progress | None


class Learning:
    """The rounds of one data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.data / "rounds"
        self._starting: tuple[str, subprocess.Popen[bytes]] | None = None
        self._works: dict[Work, subprocess.Popen[bytes]] = {}
        self._alone = threading.Lock()

    def running(self) -> str | None:
        """The name of the round that runs; None while none does."""
        if self._starting and self._starting[1].poll() is None:
            return self._starting[0]
        held = self._held()
        return None if held is None else str(held["name"])

    def start(self, name: str, wanted: Wanted) -> None:
        """Begin a round, or go on with one. Raises Clash while one runs."""
        with self._alone:
            if other := self.running():
                raise Clash(f"the round {other!r} is running; stop it or let it end", "round_running")
            arguments = [sys.executable, "-m", "training", "round", name, "--only", wanted]
            arguments += ["--data", str(self._settings.data)]
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            self._starting = name, self._begin(arguments, folder / "log.txt")

    def stop(self, name: str) -> None:
        """Stop a round; it can go on later. Raises Clash when it does not run."""
        with self._alone:
            if self.running() != name:
                raise Clash(f"the round {name!r} does not run", "round_not_running")
            if self._starting and self._starting[1].poll() is None:
                self._starting[1].terminate()
                self._starting[1].wait(30)
            elif held := self._held():
                os.kill(int(held["pid"]), signal.SIGTERM)

    def begin(self, work: Work, arguments: Sequence[str]) -> None:
        """Run a `kefu` command beside the server. Raises Clash while the same work runs."""
        with self._alone:
            if self.busy(work):
                raise Clash(f"{work} is running already", f"{work}_running")
            command = [sys.executable, "-c", "from web.cli import main; main()", *arguments]
            command += ["--data", str(self._settings.data)]
            self.folder.mkdir(parents=True, exist_ok=True)
            self._log(work).unlink(missing_ok=True)
            self._works[work] = self._begin(command, self._log(work))

    def busy(self, work: Work) -> bool:
        """Whether such work runs."""
        return work in self._works and self._works[work].poll() is None

    def failed(self, work: Work) -> str:
        """What the last such work of this server complained of; empty when it went well, or none was begun."""
        if work not in self._works or not self._works[work].poll():
            return ""
        return _tail(self._log(work)).strip() or f"exit code {self._works[work].returncode}"

    def rounds(self) -> list[RoundState]:
        """All rounds, newest first."""
        names = [path.parent.name for path in self.folder.glob("*/state.json")]
        if (running := self.running()) and running not in names:
            names.append(running)
        found = [state for name in names if (state := self.round(name))]
        return sorted(found, key=lambda one: one.began, reverse=True)

    def round(self, name: str) -> RoundState | None:
        """One round; None when there is none of that name."""
        folder, running = self.folder / name, self.running() == name
        if not folder.is_dir():
            return None
        try:
            kept: dict[str, Any] = json.loads((folder / "state.json").read_text("utf8"))
        except FileNotFoundError:
            began = datetime.fromtimestamp(folder.stat().st_mtime).astimezone()
            state = "running" if running else "failed"
            return RoundState(name, state, began, "auto", {}, "" if running else self.log(name)[-500:], None)
        state = "running" if running else kept.get("state", "stopped")
        if not running and state == "running":
            state = "stopped"
        began = datetime.fromisoformat(kept["began"])
        wanted = str(kept["options"].get("wanted", "auto"))
        return RoundState(name, state, began, wanted, kept["steps"], kept.get("error", ""), _progress(folder))

    def log(self, name: str) -> str:
        """The end of what a round's process has said."""
        return _tail(self.folder / name / "log.txt")

    def _held(self) -> dict[str, Any] | None:
        """Who holds the lock of the rounds."""
        if not (self.folder / ".lock").exists():
            return None
        try:
            with FileLock(self.folder / ".lock", timeout=0, thread_local=False):
                return None
        except Timeout:
            pass
        try:
            held: dict[str, Any] = json.loads((self.folder / "running").read_text("utf8"))
        except (FileNotFoundError, ValueError):
            return None
        return held

    def _begin(self, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """A process of a group of its own: neither Ctrl-C in the server's terminal nor its end reaches it.

        Not of a session of its own: Linux shares the processor out among sessions, and niceness counts within one only.
        """
        polite = _POLITE if shutil.which(_POLITE[0]) else ()
        place = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        quiet = {"TQDM_DISABLE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_COLOR": "1"}
        settings = {"KEFU_ENCODER": self._settings.encoder, "KEFU_DATABASE_URL": self._settings.database_url}
        settings |= {"KEFU_MILVUS": self._settings.milvus, "KEFU_MILVUS_TOKEN": self._settings.milvus_token}
        with log.open("ab") as file:
            return subprocess.Popen(
                [*polite, *arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=file, process_group=0,
                env=os.environ | _THREADS | place | quiet | settings,
            )  # fmt: skip

    def _log(self, work: Work) -> Path:
        return self.folder / f"{work}.log"


def _progress(folder: Path) -> Progress | None:
    lines = [json.loads(line) for line in _tail(folder / "progress.jsonl", _READ).split("\n")[:-1] if line[:1] == "{"]
    if not lines:
        return None
    losses = [(line["step"], line["done"], line["loss"]) for line in lines if line["loss"] is not None]
    every = len(losses) // _CURVE + 1
    last = lines[-1]
    left = last["seconds_left"]
    return Progress(
        last["step"], last["done"], last["total"], None if left is None else int(left), tuple(losses[::every])
    )


def _tail(path: Path, most: int = _TAIL) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - most))
        return file.read().decode("utf8", "replace")
