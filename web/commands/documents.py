"""`kefu add` and `kefu remove`: files into the knowledge base and out again.

Files are read and stored batch by batch: what is printed is stored, whatever happens next. Knows no format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, hint, say, say_json

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.types import Document

_BATCH_FILES = 32
_BATCH_CHARACTERS = 200_000
_STYLES = {"added": "green", "changed": "green", "trashed": "yellow", "failed": "red", "empty": "red"}


@dataclass(frozen=True, slots=True)
class File:
    """A file and the id that its document has."""

    path: Path
    id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of `add`: what became of a file. `at` is when that was stored."""

    id: str
    outcome: str
    passages: int
    encoded: int
    detail: str
    at: datetime


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    id: Annotated[str, typer.Option("--id", help="Id of a single file, else its name.", show_default=False)] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Keep one folder in step until Ctrl-C.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files, and folders with all that is in them; a known id is replaced."""
    from knowledge_base.load import SUFFIXES
    from knowledge_base.source import readable

    if id and (len(paths) != 1 or paths[0].is_dir()):
        raise ValueError(f"--id {id!r} names one document; give exactly one file with it")
    if watch:
        if len(paths) != 1 or not paths[0].is_dir():
            raise ValueError("--watch keeps one folder in step; give exactly one folder with it")
        from web.commands.watch import watch_folder

        watch_folder(paths[0], data, as_json)
        return
    files = [File(paths[0], readable(id))] if id else list(files_in(paths, SUFFIXES))
    outcomes: list[Outcome] = []
    with compose.open_knowledge(data) as knowledge:
        for outcome in stored_files(knowledge, files):
            outcomes.append(outcome)
            report(outcome, as_json)
    if not as_json:
        say(f"{datetime.now():%Y-%m-%d %H:%M}  {_summary(outcomes)}", style="dim")
    if any(outcome.outcome in ("failed", "empty") for outcome in outcomes):
        raise typer.Exit(1)


def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents or FAQs.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove documents and FAQs by id."""
    from knowledge_base.source import readable

    ids = [readable(id) for id in ids]
    with compose.open_knowledge(data) as knowledge:
        removed = knowledge.delete(ids)
    unknown = [id for id in ids if id not in removed]
    if as_json:
        say_json({"removed": removed, "unknown": unknown})
    else:
        for id in removed:
            say(f"removed    {id}")
    if unknown:
        hint(f"kefu: not in the knowledge base: {', '.join(unknown)}", style="red")
        raise typer.Exit(1)


def files_in(paths: Sequence[Path], suffixes: Iterable[str], quiet: bool = False) -> Iterator[File]:
    """Each file with its id; in folders only files of known types, hidden ones left out."""
    from knowledge_base.source import readable

    known, skipped = set(suffixes), 0
    for path in paths:
        if not path.is_dir():
            yield File(path, readable(path.name))
            continue
        for file in _inside(path):
            if file.suffix.lower() in known:
                yield File(file, readable(file.relative_to(path).as_posix()))
            else:
                skipped += 1
    if skipped and not quiet:
        hint(f"{skipped} files of other types left out; known are {' '.join(sorted(known))}")


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))


def stored_files(
    knowledge: KnowledgeBase, files: Sequence[File], read: Callable[[File], Document | Outcome] | None = None
) -> Iterator[Outcome]:
    """Read and store the files batch by batch; a batch's outcomes come once it is stored.

    read: makes a file a Document, or says what is wrong with it; here and now when None.
    """
    read = read or _read
    batch: list[Document] = []
    seen: dict[str, Path] = {}
    with bar("reading files") as reading:
        for number, file in enumerate(files, 1):
            reading(number - 1, len(files))
            first = seen.setdefault(file.id, file.path)
            document = read(file) if first == file.path else _clash(file, first)
            if isinstance(document, Outcome):
                reading.hide()
                yield document
                continue
            batch.append(document)
            if len(batch) >= _BATCH_FILES or sum(len(one.text) for one in batch) >= _BATCH_CHARACTERS:
                reading.hide()
                yield from _stored(knowledge, batch)
                batch = []
    yield from _stored(knowledge, batch)


def _read(file: File) -> Document | Outcome:
    from knowledge_base.load import load
    from knowledge_base.source import readable
    from knowledge_base.types import KnowledgeBaseError

    try:
        return load(file.path, id=file.id)
    except KnowledgeBaseError as error:
        return failed(file, str(error))
    except OSError as error:
        return failed(file, f"{error.strerror or error}: {readable(str(file.path))}")


def _clash(file: File, first: Path) -> Outcome:
    from knowledge_base.source import readable

    path, other = readable(str(file.path)), readable(str(first))
    return failed(file, f"{path} would take the id of {other}; add their common folder, or use --id")


def failed(file: File, detail: str) -> Outcome:
    """The line for a file that could not be read."""
    return Outcome(file.id, "failed", 0, 0, detail, datetime.now(UTC))


def _stored(knowledge: KnowledgeBase, batch: Sequence[Document]) -> list[Outcome]:
    if not batch:
        return []
    with bar("storing documents") as encoding:
        puts = knowledge.put(batch, encoding)
    at = datetime.now(UTC)
    return [Outcome(put.id, put.outcome, put.passages, put.encoded, put.detail, at) for put in puts]


def report(outcome: Outcome, as_json: bool) -> None:
    """Print an outcome's line."""
    if as_json:
        say_json(outcome)
        return
    passages = f"{outcome.passages} passages" if outcome.passages else ""
    more = "  ".join(part for part in (passages, outcome.detail) if part)
    line = f"{outcome.outcome:<10} {outcome.id}  {more}".rstrip()
    if outcome.outcome in ("failed", "empty"):
        hint(line, style="red")
    else:
        say(line, style=_STYLES.get(outcome.outcome, ""))


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no files"
