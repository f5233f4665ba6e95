"""benchmarks/out/bench.json: written after each benchmark, so that a run that was stopped goes on. Measures nothing."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(__file__).with_name("out")
_PACKAGES = ("torch", "sentence-transformers", "faiss-cpu", "tantivy", "fastapi", "uvicorn", "websockets")


class Report:
    """What has been measured of one state of the code; what another state left in the file is dropped."""

    def __init__(self, path: Path, code: str) -> None:
        """code: names the state; "" when it is unknown, which equals no other."""
        self._path = path
        self._kept: dict[str, Any] = {"code": code, "machine": machine(), "benchmarks": {}}
        if path.exists() and code:
            before = json.loads(path.read_text("utf8"))
            if before.get("code") == code:
                self._kept["benchmarks"] = before["benchmarks"]

    def has(self, name: str) -> bool:
        return name in self._kept["benchmarks"]

    def add(self, name: str, rows: Iterable[Row], seconds: float) -> None:
        """Keep what a benchmark has measured, in place of what it measured before."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        found = {"at": at, "seconds": round(seconds, 1), "rows": [row.kept() for row in rows]}
        self._kept["benchmarks"][name] = found
        self._path.parent.mkdir(exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._kept, ensure_ascii=False, indent=2), "utf8")
        part.replace(self._path)

    def rows(self, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The rows of these benchmarks, in this order, where there are any."""
        found = self._kept["benchmarks"]
        return {name: found[name]["rows"] for name in names if name in found and found[name]["rows"]}


def code_state() -> str:
    """Names the commit and what is changed since; "" outside a checkout."""
    head = _git("rev-parse", "HEAD")
    if not head:
        return ""
    changed = _git("diff", "HEAD") + _git("status", "--porcelain")
    return head + (f" and changes {hashlib.sha256(changed.encode()).hexdigest()[:12]}" if changed else "")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_start": psutil.getloadavg(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
