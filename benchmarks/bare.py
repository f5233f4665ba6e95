"""The encoder that serves and nothing else, in a process of its own: how long it takes to open, memory, queries/s.

    python -m benchmarks.bare DATA [SECONDS]

Prints JSON. Give it one core to learn what one core does.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def opened(data: Path, seconds: float = 0.0, one_core: bool = False) -> dict[str, float]:
    """What a new process finds: `open_s` from its start, `resident_gb`, and `queries_per_s` over so many seconds."""
    command = [sys.executable, "-m", "benchmarks.bare", str(data), str(seconds)]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"} if one_core else {}
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=os.environ | threads, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        if one_core:
            psutil.Process(process.pid).cpu_affinity([min(psutil.Process().cpu_affinity())])
        assert process.stdout is not None
        process.stdout.readline()
        open_s = time.perf_counter() - began
        said = process.stdout.read()
    if process.returncode != 0:
        raise RuntimeError(f"`{' '.join(command)}` failed; run it to see why")
    return {"open_s": open_s} | json.loads(said)


def main(arguments: Sequence[str]) -> None:
    """Open, say so, encode, print."""
    from benchmarks.passages import questions
    from bot.assemble import open_release, open_retrieval
    from bot.settings import Settings

    settings = Settings(data=Path(arguments[0]))
    encoder = open_retrieval(settings, open_release(settings)).encoder
    encoder.encode_queries(["one query, so that everything is there"])
    sys.stdout.write("open\n")
    sys.stdout.flush()
    seconds = float(arguments[1]) if len(arguments) > 1 else 0.0
    found = {"resident_gb": psutil.Process().memory_info().rss / 1e9}
    done, began = 0, time.perf_counter()
    asked = questions(8_000)
    while done < len(asked) and time.perf_counter() - began < seconds:
        encoder.encode_queries([asked[done]])
        done += 1
    found["queries_per_s"] = done / (time.perf_counter() - began)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
