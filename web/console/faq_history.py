"""The history of an FAQ: each version with what it changed, and one click to go back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from knowledge_base.types import Faq
from web.api.faq_forms import VersionOut
from web.api.faqs import history, restored_faq
from web.console.diff import show_diff
from web.console.visit import Refused, Visit

_SHOWN = ("question", "answer", "similar", "never", "category", "valid_from", "valid_until", "status")
_MOST = 50  # versions shown


class HistoryDialog:
    """The versions of one FAQ, newest first."""

    def __init__(self, visit: Visit, faq_id: str, take: Callable[[Faq, int], None]) -> None:
        """take: puts a restored FAQ into the form."""
        self._visit = visit
        self._id = faq_id
        self._take = take

    async def show(self) -> None:
        """Read the history and open it."""
        visit, t = self._visit, self._visit.t
        try:
            found = await visit.act("knowledge.read", history, visit.desk, self._id)
        except Refused:
            return
        with ui.dialog(value=True) as dialog, ui.card().classes("k-broad").props("data-testid=history"):
            with ui.row().classes("w-full items-center"):
                ui.label(t("history")).classes("font-semibold")
                ui.space()
                ui.button(icon="close", on_click=dialog.close).props(f'flat round aria-label="{t("close")}"')
            versions = found.items[:_MOST]
            for at, one in enumerate(versions):
                older = versions[at + 1].faq if at + 1 < len(versions) else {}
                self._version(one, older, dialog)

    def _version(self, one: VersionOut, older: dict[str, Any], dialog: ui.dialog) -> None:
        t = self._visit.t
        with ui.column().classes("k-card k-pad w-full gap-1").props(f"data-version={one.version}"):
            with ui.row().classes("w-full items-center gap-2"):
                ui.label(t("version", version=one.version)).classes("font-semibold")
                ui.label(" · ".join(filter(None, (_moment(one.began), one.who)))).classes("k-mute k-small")
                ui.space()
                if one.current:
                    ui.label(t("current")).classes("k-tag k-good")
                elif self._visit.may("knowledge.write"):
                    ui.button(t("restore"), on_click=lambda: self._restore(one.version, dialog)).props("outline dense")
            for name in _SHOWN:
                before, after = self._text(name, older.get(name)), self._text(name, one.faq.get(name))
                if before != after:
                    ui.label(t(name)).classes("k-mute k-small")
                    show_diff(before if older else after, after)

    def _text(self, name: str, value: Any) -> str:
        if name == "status" and value:
            return self._visit.t(value)
        return "\n".join(value) if isinstance(value, list) else str(value or "")

    async def _restore(self, version: int, dialog: ui.dialog) -> None:
        visit = self._visit
        try:
            stored = await visit.act("knowledge.write", restored_faq, visit.desk, visit.session, self._id, version)
        except Refused:
            return
        self._take(stored.faq, stored.version)
        dialog.close()
        ui.notify(visit.t("restored", version=version), type="positive")


def _moment(value: datetime | None) -> str:
    return f"{value.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}" if value else ""
