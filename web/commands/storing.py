"""Files into the knowledge base batch by batch, with a line of output for each: what is printed is stored.

Knows no format and no command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from web.commands.terminal import bar, hint, say, say_json

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.types import Document
    from web.staff.audit import Audit

_BATCH_FILES = 32
_BATCH_CHARACTERS = 200_000
_ACTS = {"added": "document.add", "changed": "document.change", "trashed": "document.trash"}
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


def report(outcome: Outcome, as_json: bool, audit: Audit) -> None:
    """Tell the audit log of a change, and print the outcome's line."""
    if act := _ACTS.get(outcome.outcome):
        audit.note("kefu add", act, outcome.id, after={"passages": outcome.passages})
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
