"""Files dropped on a page, each with a line that tells how far it is. Knows no list of documents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from nicegui import background_tasks, ui
from nicegui.elements.upload_files import FileUpload
from nicegui.events import GenericEventArguments, UploadEventArguments

from knowledge_base.convert import Cancelled
from knowledge_base.load import SUFFIXES
from knowledge_base.types import KnowledgeBaseError
from web.api.documents import stored_file
from web.console.drop_zone import draw_zone
from web.console.unreadable import reason
from web.console.visit import Visit
from web.desk import Closed
from web.problems import ApiError
from web.uploads import MOST_BYTES, Job, file_name, kept, long_job

_MOST_FILES = 200
_LINES = 300  # shown; the oldest that have ended go first
_TICK = 0.3
_ICONS = {"done": "check_circle", "failed": "error", "cancelled": "block", "waiting": "schedule"}
_COLOURS = {"done": "k-good", "failed": "k-bad", "cancelled": "k-mute", "waiting": "k-mute"}
_log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Line:
    """What is shown of one file."""

    job: Job
    row: ui.row
    icon: ui.icon
    text: ui.label
    bar: ui.linear_progress
    cancel: ui.button
    began: float = 0.0


class Uploads:
    """The place to drop files on, and a line for each. Files are worked on one after another."""

    def __init__(
        self, visit: Visit, document_id: str = "", changed: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """document_id: that every file replaces; empty: of its own name's. changed: called when one was stored."""
        self._visit = visit
        self._document_id = document_id
        self._changed = changed
        self._waiting: asyncio.Queue[tuple[Job, FileUpload]] = asyncio.Queue()
        self._lines: list[_Line] = []
        self._working = False
        self._stored = 0  # since the page was told

    def show(self) -> None:
        """Build it."""
        t = self._visit.t
        many = not self._document_id
        upload = ui.upload(
            multiple=many,
            auto_upload=True,
            max_file_size=MOST_BYTES,
            max_files=_MOST_FILES if many else None,
            on_upload=self._received,
        )
        upload.props(f'accept="{",".join(sorted(SUFFIXES))}"')
        draw_zone(self._visit, upload, t("drop_hint" if many else "replace_hint"))
        upload.on(
            "rejected",
            self._rejected,
            js_handler="(all) => emit(all.slice(0, 300).map(one => [one.failedPropValidation, one.file.name]))",
        )
        self._upload = upload
        with ui.row().classes("w-full justify-end gap-2") as self._acts:
            ui.button(t("cancel_all"), on_click=self._cancel_all).props("flat dense")
            ui.button(t("clear_ended"), on_click=self._clear).props("flat dense")
        self._acts.set_visibility(False)
        self._list = ui.column().classes("w-full gap-1").props("aria-live=polite data-testid=uploads")
        ui.timer(_TICK, self._refresh)

    def _received(self, event: UploadEventArguments) -> None:
        job = Job(file_name(event.file.name))
        self._add(job)
        self._waiting.put_nowait((job, event.file))
        if not self._working:
            self._working = True
            background_tasks.create(self._work(), name="uploads")

    def _rejected(self, event: GenericEventArguments) -> None:
        words = {"max-file-size": "rejected_size", "accept": "rejected_kind"}
        for why, name in event.args[:_LINES]:
            problem = self._visit.t(words.get(str(why), "rejected_many"))
            self._add(Job(file_name(str(name)), "failed", problem=problem))

    async def _work(self) -> None:
        """Work on what was received, until nothing is left; also when the page is closed meanwhile."""
        try:
            while not self._waiting.empty():
                job, file = self._waiting.get_nowait()
                await self._store(job, file)
        finally:
            self._working = False

    async def _store(self, job: Job, file: FileUpload) -> None:
        desk = self._visit.desk
        session = await desk.call(desk.access.sessions.find, self._visit.session.cookie)
        if session is None or not session.may("knowledge.write"):
            job.stage, job.problem = "failed", self._visit.t("upload_session")
            return
        try:
            with kept(job.name) as path:
                await file.save(path)
                await long_job(stored_file, desk, session, path, self._document_id, job)
            job.stage = "done"
            self._stored += 1
        except Cancelled:
            job.stage = "cancelled"
        except Exception as problem:
            job.stage, job.problem = "failed", self._words_of(problem, job)

    def _words_of(self, problem: Exception, job: Job) -> str:
        t = self._visit.t
        if isinstance(problem, ApiError) and problem.code == "unreadable":
            return reason(str(problem), job.name, self._visit.language)
        if isinstance(problem, KnowledgeBaseError):
            return str(problem)
        if isinstance(problem, Closed):
            return t("loading")
        if isinstance(problem, FileNotFoundError):
            return t("upload_gone")
        _log.error("upload failed", exc_info=problem)
        return t("upload_failed")

    # --- what is shown

    def _add(self, job: Job) -> None:
        with self._list, ui.row().classes("w-full items-center k-line") as row:
            icon = ui.icon("schedule", size="20px")
            ui.label(job.name).classes("k-name")
            text = ui.label().classes("k-small k-grow")
            bar = ui.linear_progress(0.0, show_value=False).props("rounded").classes("w-32")
            cancel = ui.button(icon="close", on_click=lambda: self._stop(job)).props("flat round dense size=sm")
            cancel.props(f'aria-label="{self._visit.t("cancel")}"')
        self._lines.append(_Line(job, row, icon, text, bar, cancel))
        self._acts.set_visibility(True)
        ended = [line for line in self._lines if line.job.ended]
        for line in ended[: max(0, len(self._lines) - _LINES)]:
            self._drop(line)

    async def _refresh(self) -> None:
        for line in self._lines:
            self._draw(line)
        if self._stored and self._changed:
            self._stored = 0
            await self._changed()

    def _draw(self, line: _Line) -> None:
        job = line.job
        text = self._told(line)
        if text == line.text.text and line.row.props.get("data-stage") == job.stage:
            return
        line.text.text = text
        line.icon.name = _ICONS.get(job.stage, "sync")
        line.icon.classes(replace=_COLOURS.get(job.stage, ""))
        line.bar.set_visibility(job.stage in ("converting", "encoding"))
        if job.stage == "converting":
            line.bar.props("indeterminate")
        else:
            line.bar.props(remove="indeterminate")
        line.bar.value = job.done / job.total if job.total else 0.0
        line.cancel.set_visibility(not job.ended)
        line.row.props(f"data-stage={job.stage}")

    def _told(self, line: _Line) -> str:
        job, t = line.job, self._visit.t
        if job.stage == "failed":
            return job.problem
        if job.stage == "done" and job.put:
            put = job.put
            return t(f"outcome_{put.outcome}", passages=put.passages, encoded=put.encoded, detail=put.detail)
        if job.stage == "encoding":
            if job.done >= job.total:
                return t("stage_storing")
            return t("stage_encoding", done=job.done, total=job.total) + self._left(line)
        return t(f"stage_{job.stage}") if job.stage != "done" else ""

    def _left(self, line: _Line) -> str:
        """The time left, once it can be told."""
        line.began = line.began or time.monotonic()
        spent = time.monotonic() - line.began
        if not line.job.done or spent < 3:
            return ""
        seconds = spent / line.job.done * (line.job.total - line.job.done)
        return " · " + self._visit.t("time_left", seconds=f"{seconds:.0f}")

    def _stop(self, job: Job) -> None:
        job.stop = True

    def _cancel_all(self) -> None:
        for line in self._lines:
            line.job.stop = True

    def _clear(self) -> None:
        for line in [line for line in self._lines if line.job.ended]:
            self._drop(line)
        self._upload.reset()

    def _drop(self, line: _Line) -> None:
        line.row.delete()
        self._lines.remove(line)
        self._acts.set_visibility(bool(self._lines))
