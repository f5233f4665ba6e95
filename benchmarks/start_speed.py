"""How long the server takes to be ready and how much memory it holds, beside the bare encoder in a process."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.bare import opened
from benchmarks.rows import Row, at_most
from benchmarks.server_speed import QUESTIONS, REWORDED, Server, answers
from benchmarks.work import Work

RUNS = 5
MANY = 100_000


def rows(work: Work) -> list[Row]:
    """Start and memory of the demo shop, memory of many passages, the command line's help."""
    data, starts = work.demo(), []
    for run in range(RUNS):
        work.say(f"start {run + 1} of {RUNS}")
        with Server(data) as server:
            starts.append(server.start_seconds)
            if run == 0:
                demo = _resident(server)
    work.say("the bare encoder")
    bare = [opened(data) for _ in range(3)]
    open_s, resident = (statistics.median(one[name] for one in bare) for name in ("open_s", "resident_gb"))
    many = work.passages(MANY)
    work.say(f"the server with {MANY:,} passages")
    with Server(many):
        pass  # the keyword index is made
    with Server(many) as server:
        many_start, many_gb = server.start_seconds, _resident(server)
    beside = "bare encoder"
    return [
        Row("start to ready, demo shop", statistics.median(starts), "s", open_s, beside, at_most(8, "s")),
        Row(f"start to ready, {MANY:,} passages", many_start, "s", open_s, beside),
        Row("`kefu --help`", help_seconds(), "s", python_seconds(), "bare Python", at_most(0.5, "s")),
        Row("memory, serving the demo shop", demo, "GB", resident, beside, at_most(1.5, "GB")),
        Row(f"memory, serving {MANY:,} passages", many_gb, "GB", resident, beside, at_most(2, "GB")),
    ]


def _resident(server: Server) -> float:
    """GB once it has read beforehand and has answered what it has to understand, many at once."""
    server.settle()
    answers(20, 5, QUESTIONS)
    answers(10, 5, REWORDED)
    return server.resident() / 1e9


def help_seconds() -> float:
    """Median wall time of `kefu --help`."""
    return _median([str(Path(sys.executable).with_name("kefu")), "--help"])


def python_seconds() -> float:
    """Median wall time of a Python that does nothing."""
    return _median([sys.executable, "-c", ""])


def _median(command: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
