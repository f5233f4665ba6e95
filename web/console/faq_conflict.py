"""What the second of two editors sees: the text of the first, their own, and the choice between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from knowledge_base.faq_list import StoredFaq
from knowledge_base.faq_row import row_of
from knowledge_base.types import Faq
from web.console.visit import Visit

_SHOWN = ("question", "answer", "similar", "never", "category", "valid_from", "valid_until", "status")


class ConflictDialog:
    """Opens when an FAQ was changed, or deleted, while somebody else edited it."""

    def __init__(
        self,
        visit: Visit,
        mine: dict[str, Any],
        stored: StoredFaq | None,
        take: Callable[[Faq, int], None],
        keep: Callable[[int], Awaitable[None]],
    ) -> None:
        """take: puts the other's FAQ into the form; keep: saves the form over that version."""
        self._visit = visit
        self._mine = mine
        self._stored = stored
        self._take = take
        self._keep = keep

    def show(self) -> None:
        """Open it."""
        t = self._visit.t
        with ui.dialog(value=True).props("persistent") as dialog, ui.card().classes("k-broad"):
            ui.label(t("conflict" if self._stored else "conflict_deleted")).classes("font-semibold")
            if self._stored:
                self._texts(row_of(self._stored.faq))
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=dialog.close).props("flat")
                if self._stored:
                    ui.button(t("take_theirs"), on_click=lambda: self._take_theirs(dialog)).props("outline")
                ui.button(t("keep_mine"), on_click=lambda: self._keep_mine(dialog)).props("unelevated")

    def _texts(self, theirs: dict[str, Any]) -> None:
        t = self._visit.t
        with ui.element("div").classes("k-two").props("data-testid=conflict"):
            for label, values in (("theirs", theirs), ("mine", self._mine)):
                with ui.column().classes("gap-2"):
                    ui.label(t(label)).classes("k-mute k-small")
                    for name in _SHOWN:
                        if _text(theirs.get(name)) != _text(self._mine.get(name)):
                            ui.label(t(name)).classes("k-small font-semibold")
                            text = _text(values.get(name))
                            ui.label(t(text) if name == "status" else text or "—").classes("k-pre")

    def _take_theirs(self, dialog: ui.dialog) -> None:
        assert self._stored is not None
        self._take(self._stored.faq, self._stored.version)
        dialog.close()

    async def _keep_mine(self, dialog: ui.dialog) -> None:
        dialog.close()
        await self._keep(self._stored.version if self._stored else 0)


def _text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list | tuple) else str(value or "")
