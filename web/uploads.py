"""A file on its way into the knowledge base: kept in a folder of its own, converted, encoded, stored.

Can be watched and cancelled from another thread. Knows no page and no route.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from knowledge_base.convert import Cancelled, convert
from knowledge_base.source import readable

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.types import Put

MOST_BYTES = 50_000_000
"""That one file may have."""
_LONGEST_NAME = 180  # bytes, well under what a folder takes
_THREADS = 4  # for long jobs, so that they never hold up the short ones
_long_jobs = CapacityLimiter(_THREADS)

P = ParamSpec("P")
T = TypeVar("T")
Stage = Literal["waiting", "converting", "encoding", "done", "failed", "cancelled"]


@dataclass(slots=True, eq=False)
class Job:
    """How far one file is. Its own thread writes it, any other may read it or set `stop`."""

    name: str
    stage: Stage = "waiting"
    done: int = 0  # passages encoded
    total: int = 0
    put: Put | None = None
    problem: str = ""
    stop: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in ("done", "failed", "cancelled")

    def encoded(self, done: int, total: int) -> None:
        """Note the progress. Raises Cancelled when told to stop."""
        if self.stop:
            raise Cancelled
        self.stage, self.done, self.total = "encoding", done, total


async def long_job(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a call that may take minutes, made in one of a few threads kept for such."""
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=_long_jobs)


@contextmanager
def kept(name: str) -> Iterator[Path]:
    """Where to write a file that somebody sends under `name`; gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        yield Path(folder, file_name(name))


def file_name(name: str) -> str:
    """A sender's name for a file, as it can be one here: without folders, control characters and undue length."""
    last = readable(name).replace("\\", "/").rsplit("/", 1)[-1].strip().lstrip(".") or "file"
    path = Path(last)
    stem, suffix = path.stem.encode(), path.suffix.encode()[:20]
    return (stem[: _LONGEST_NAME - len(suffix)] + suffix).decode("utf-8", "ignore")


def load_into(knowledge: KnowledgeBase, path: Path, document_id: str, job: Job) -> Put:
    """Convert the file and put it under `document_id`. Raises Unreadable, KnowledgeBaseError, or Cancelled."""
    if job.stop:
        raise Cancelled
    job.stage = "converting"
    document = convert(path, id=document_id, stop=lambda: job.stop)
    job.encoded(0, 0)
    put = knowledge.put([document], encoded=job.encoded)[0]
    job.put = put
    return put
