"""`make bench`: every figure that README promises, each beside its floor, as JSON in benchmarks/out and as tables.

    python -m benchmarks [NAME…] [--fresh]

Goes on where it was stopped: what was measured of the same code is not measured again, unless it is named or --fresh
is given. Converted models are taken from KEFU_DATA; everything else is measured in folders of its own.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import (
    answer_speed,
    console_speed,
    desk_speed,
    encode_speed,
    generate_speed,
    index_growth,
    list_recall,
    peers_speed,
    publish_speed,
    search_speed,
    socket_speed,
    start_speed,
)
from benchmarks.report import OUT, Report, code_state
from benchmarks.rows import Row, markdown
from benchmarks.work import Say, Work

Benchmark = Callable[[Work], list[Row]]
BENCHMARKS: dict[str, Benchmark] = {
    "start": start_speed.rows,
    "answers": answer_speed.rows,
    "sockets": socket_speed.rows,
    "encode": encode_speed.rows,
    "search": search_speed.rows,
    "growth": index_growth.rows,
    "recall": list_recall.rows,
    "publish": publish_speed.rows,
    "desk": desk_speed.rows,
    "console": console_speed.rows,
    "generate": generate_speed.rows,
    "peers": peers_speed.rows,
}


def main(arguments: Sequence[str]) -> None:
    """Measure what is to be measured, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}; all when none")
    parser.add_argument("--fresh", action="store_true", help="measure also what is measured already")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - BENCHMARKS.keys():
        parser.error(f"there is no {sorted(unknown)}; choose from {', '.join(BENCHMARKS)}")
    report = Report(OUT / "bench.json", code_state())
    names = [name for name in BENCHMARKS if name in chosen.names or not chosen.names]
    again = chosen.fresh or bool(chosen.names)
    measure(report, [name for name in names if again or name == "peers" or not report.has(name)])
    sys.stdout.write(markdown(report.rows(names)))


def measure(report: Report, names: Sequence[str]) -> None:
    """Measure these, one after the other; each is kept as soon as it is there."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, console.status("") as status:
        for number, name in enumerate(names, 1):
            say = partial(_tell, status.update, f"{number} of {len(names)}, {name}")
            say("begins")
            work = Work(Path(folder), say)
            began = time.perf_counter()
            rows = BENCHMARKS[name](work)
            seconds = time.perf_counter() - began
            report.add(name, rows, seconds)
            missed = [row.what for row in rows if row.met is False]
            console.print(f"{name}: {seconds:.0f} s" + (f"; missed: {', '.join(missed)}" if missed else ""))


def _tell(say: Say, where: str, what: str) -> None:
    say(f"{where}: {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
