"""The program behind `convert`: limits itself, reads one file, prints the Document or the problem as JSON.

Arguments: {"id", "seconds", "memory"} as JSON, and the file's path. Knows nothing of who asks.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any


def main(asked: str, path: str) -> None:
    """Read the file at `path`; nothing but the result goes to the standard output."""
    result = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is not the result
    wish = json.loads(asked)
    _limit(int(wish["seconds"]) + 1, int(wish["memory"]))
    said = json.dumps(_read(Path(path), wish["id"]), ensure_ascii=False).encode("utf-8", "replace")
    with open(result, "wb") as file:
        file.write(said)


def _limit(seconds: int, memory: int) -> None:
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, seconds),  # SIGXCPU first, so that it can be told from other ends
        (resource.RLIMIT_AS, memory),
    )
    for kind, most in limits:
        with suppress(ValueError, OSError):  # some systems know one only in name; the others hold
            resource.setrlimit(kind, (most, most + 5 if kind == resource.RLIMIT_CPU else most))


def _read(path: Path, id: str | None) -> dict[str, Any]:
    try:
        from knowledge_base.load import Unreadable, load

        try:
            return {"document": asdict(load(path, id=id))}
        except Unreadable as problem:
            if _for_memory(problem):
                return {"problem": "memory"}
            return {"problem": str(problem)}
    except MemoryError:
        return {"problem": "memory"}


def _for_memory(problem: BaseException | None) -> bool:
    """Whether a lack of memory stands behind a problem that a parser has put into words of its own."""
    while problem is not None:
        if isinstance(problem, MemoryError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
