"""The server that is soaked: `kefu serve --demo` as a process of its own, and what it holds at a moment."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from tests.web.soak.staff import PASSWORD, ROLES
from web.settings import Settings
from web.staff.access import open_access


@dataclass(frozen=True, slots=True)
class Reading:
    """What the server holds. at: seconds of the monotonic clock; resident: bytes."""

    at: float
    resident: int
    threads: int
    files: int
    tasks: int
    connections: int

    def row(self) -> dict[str, Any]:
        """For the report."""
        counts = {"threads": self.threads, "files": self.files, "tasks": self.tasks, "connections": self.connections}
        return {"resident_mb": round(self.resident / 1e6, 1)} | counts


class Server:
    """Starts it, stops it, reads what it holds. Its log is kept in a file."""

    def __init__(self, data: Path) -> None:
        self.log = data.with_suffix(".log")
        access = open_access(Settings(data=data))
        for role in ROLES:
            access.accounts.add(role, PASSWORD, role, "zh")
        access.engine.dispose()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        chosen = {"KEFU_DATA": str(data), "KEFU_PORT": str(self.port), "KEFU_LOG_FORMAT": "json"}
        self._environment = os.environ | chosen | {"KEFU_TRUSTED_PROXIES": "127.0.0.1"}
        self.start()

    def start(self, patience: float = 300) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            command = [str(Path(sys.executable).with_name("kefu")), "serve", "--demo"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server has ended:\n{self.log.read_text()[-2000:]}")
            try:
                if httpx.get(f"{self.url}/ready", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise TimeoutError(f"the server was not ready within {patience:.0f} s")

    def ask_to_stop(self) -> None:
        """Send what a service manager sends."""
        self._process.send_signal(signal.SIGTERM)

    def ended(self, patience: float = 60) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(patience)

    def kill(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def read(self) -> Reading:
        """What it holds now."""
        told = httpx.get(f"{self.url}/metrics", trust_env=False, timeout=60).raise_for_status().text
        gauges = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
        process = psutil.Process(self._process.pid)
        return Reading(
            at=time.monotonic(),
            resident=process.memory_info().rss,
            threads=process.num_threads(),
            files=process.num_fds(),
            tasks=int(float(gauges["kefu_tasks"])),
            connections=int(float(gauges["kefu_connections"])),
        )

    def problems(self) -> list[str]:
        """The events that its log tells as errors."""
        return [
            str(event.get("event"))
            for event in map(_event, self.log.read_text().splitlines())
            if event.get("level") in ("error", "critical")
        ]


def _event(line: str) -> dict[str, Any]:
    """A line of the log; one that is no JSON came from something that nobody has caught."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"level": "error", "event": line} if "Traceback" in line or "Error" in line else {}
    return found


def drift(readings: Sequence[Reading]) -> float:
    """By which share resident memory has grown from the first sixth to the last, by their medians."""
    sixth = max(1, len(readings) // 6)
    first, last = (median(one.resident for one in some) for some in (readings[:sixth], readings[-sixth:]))
    return last / first - 1
