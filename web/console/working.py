"""A long job behind a dialog: progress, time left, cancel. Knows no job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from knowledge_base.types import Progress
from web.console.visit import Refused, Visit
from web.staff.roles import Permission

T = TypeVar("T")
_LOOKS = 0.2  # seconds between two looks at the progress
_SOON = 2.0  # seconds from which a guess at the time left is worth something


class Cancelled(Exception):
    """The person has cancelled the job."""


class Working:
    """Shows how far a job in a thread is."""

    def __init__(self, visit: Visit, label: str) -> None:
        self._visit = visit
        self._label = label
        self._state = (0, 0)
        self._cancelled = threading.Event()
        self._began = time.monotonic()

    async def run(self, permission: Permission, job: Callable[[Progress], T]) -> T:
        """The job's result. Raises Refused when it was refused or cancelled; a cancelled job ends by its progress."""
        t = self._visit.t
        with ui.dialog(value=True).props("persistent") as dialog, ui.card().classes("w-96 p-5"):
            ui.label(self._label).classes("font-semibold")
            bar = ui.linear_progress(0, show_value=False).props("data-testid=progress")
            left = ui.label().classes("k-mute k-small")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=self._cancelled.set).props("flat")
            timer = ui.timer(_LOOKS, lambda: self._show(bar, left))
        try:
            results = await self._visit.act(permission, self._done, job)
        finally:
            timer.cancel()
            dialog.close()
        if not results:
            ui.notify(t("cancelled"))
            raise Refused
        return results[0]

    def _done(self, job: Callable[[Progress], T]) -> list[T]:
        """The result alone in a list; none when the job was cancelled."""
        try:
            return [job(self._note)]
        except Cancelled:
            return []

    def _note(self, done: int, total: int) -> None:
        self._state = (done, total)
        if self._cancelled.is_set():
            raise Cancelled

    def _show(self, bar: ui.linear_progress, left: ui.label) -> None:
        done, total = self._state
        if not total:
            return
        bar.value = done / total
        taken = time.monotonic() - self._began
        remaining = taken / done * (total - done) if done else 0.0
        said = self._visit.t("progress", done=f"{done:,}", total=f"{total:,}")
        if taken > _SOON and done:
            said += " · " + self._visit.t("time_left", seconds=max(1, round(remaining)))
        left.text = said
