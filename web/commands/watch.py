"""`kefu add --watch`: keeps a folder and the knowledge base in step until it is stopped.

The folder is looked at as a whole whenever something in it changes, so no lost event matters. Knows no format.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web.commands import compose
from web.commands.storing import File, Outcome, failed, files_in, report, stored_files
from web.commands.terminal import hint, say

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.types import Document
    from web.staff.audit import Audit

_EVERY = 10_000  # milliseconds after which the folder is looked at, even if no event has come


def watch_folder(folder: Path, data: Path | None, as_json: bool) -> None:
    """Bring the knowledge base in step with the folder, then keep it so until Ctrl-C or SIGTERM."""
    record = compose.read_settings(data).data / "watched.json"
    with compose.open_knowledge(data) as knowledge, compose.open_audit(data) as audit:
        keep_in_step(Mirror(knowledge, folder, record), as_json, audit)


def keep_in_step(mirror: Mirror, as_json: bool, audit: Audit) -> None:
    """Step whenever the folder changes; Ctrl-C and SIGTERM end it cleanly. Raises ValueError when it is gone."""
    from watchfiles import watch

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _step(mirror, as_json, audit)
        if not as_json:
            say(f"watching {mirror.folder}; stop with Ctrl-C", style="dim")
        for _ in watch(mirror.folder, rust_timeout=_EVERY, yield_on_timeout=True):
            _step(mirror, as_json, audit)
    except KeyboardInterrupt:
        if not as_json:
            say("stopped", style="dim")
    finally:
        signal.signal(signal.SIGTERM, before)


def _step(mirror: Mirror, as_json: bool, audit: Audit) -> None:
    for outcome in mirror.step():
        report(outcome, as_json, audit)


@dataclass(slots=True)
class Mirror:
    """A folder's documents in the knowledge base.

    record: the file that keeps, over restarts, which documents came from which folder; no others are trashed.
    """

    knowledge: KnowledgeBase
    folder: Path
    record: Path
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)  # id → time and size of the file last put
    _twins: set[str] = field(default_factory=set)  # ids of files not put because another says the same

    def step(self) -> Iterator[Outcome]:
        """Trash what is gone, put what is new or changed; what comes of each. Raises ValueError without a folder."""
        from knowledge_base.load import SUFFIXES

        if not self.folder.is_dir():
            raise ValueError(f"{self.folder} is gone; nothing was moved to the trash. Put it back and start again")
        files = {file.id: file for file in files_in([self.folder], SUFFIXES, quiet=True)}
        ours = self._recorded()
        yield from self._trash(sorted(ours - files.keys()))
        stamps = {id: stamp for id, file in files.items() if (stamp := _stamp(file.path))}
        changed = [file for id, file in files.items() if id in stamps and stamps[id] != self._seen.get(id)]
        kept = ours & files.keys()
        for outcome in stored_files(self.knowledge, changed, _converted):
            self._seen[outcome.id] = stamps[outcome.id]
            if outcome.outcome in ("added", "changed", "unchanged"):
                kept.add(outcome.id)
            if outcome.outcome == "duplicate":
                self._twins.add(outcome.id)
            yield outcome
        if kept != ours:
            self._keep(kept)

    def _trash(self, gone: list[str]) -> Iterator[Outcome]:
        if not gone:
            return
        trashed = self.knowledge.library.trash(gone)
        for id in (*gone, *self._twins):  # a twin of what is gone is to be put now
            self._seen.pop(id, None)
        self._twins.clear()
        for id in trashed:
            yield Outcome(id, "trashed", 0, 0, "its file is gone", datetime.now(UTC))

    def _recorded(self) -> set[str]:
        return set(self._all_recorded().get(self._name(), ()))

    def _all_recorded(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.record.read_text("utf-8")))
        except FileNotFoundError:
            return {}
        except ValueError:
            hint(f"{self.record} is damaged; files that went meanwhile are not moved to the trash")
            return {}

    def _keep(self, ids: set[str]) -> None:
        new = self.record.with_suffix(".new")
        new.write_text(json.dumps(self._all_recorded() | {self._name(): sorted(ids)}, ensure_ascii=False), "utf-8")
        os.replace(new, self.record)

    def _name(self) -> str:
        return os.fsencode(self.folder.resolve()).decode("utf-8", "backslashreplace")


def _converted(file: File) -> Document | Outcome:
    """The file, read in a process of its own: what is watched may be anything, and this one must live on."""
    from knowledge_base.convert import convert
    from knowledge_base.types import KnowledgeBaseError

    try:
        return convert(file.path, id=file.id)
    except KnowledgeBaseError as error:
        return failed(file, str(error))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:  # gone since it was listed; the next step sees that
        return None
    return status.st_mtime_ns, status.st_size
