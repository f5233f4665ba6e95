"""What is done with many FAQs at once: their status, category and validity, or deleting them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from web.api.faq_forms import LONGEST_CATEGORY, Bulk
from web.api.faqs import changed_faqs
from web.console.visit import Refused, Visit


class BulkBar:
    """Buttons that show while FAQs are ticked."""

    def __init__(self, visit: Visit, categories: list[str], done: Callable[[], Awaitable[None]]) -> None:
        """done: called after a change."""
        self._visit = visit
        self._categories = categories
        self._done = done
        self._ids: list[str] = []
        t = visit.t
        self._row = ui.row().classes("items-center gap-1").props("data-testid=bulk")
        with self._row:
            self._count = ui.label().classes("font-semibold")
            for status in ("published", "review", "draft"):
                ui.button(t(f"to_{status}"), on_click=lambda _, to=status: self._apply({"status": to})).props(
                    "flat dense"
                )
            ui.button(t("category"), on_click=self._ask_category).props("flat dense")
            ui.button(t("validity"), on_click=self._ask_validity).props("flat dense")
            ui.button(t("delete"), on_click=self._ask_delete).props("flat dense color=negative")
        self.show([])

    def show(self, ids: list[str]) -> None:
        """Offer what can be done with these; hide when there are none."""
        self._ids = ids
        self._count.text = self._visit.t("ticked", count=len(ids))
        self._row.set_visibility(bool(ids))

    async def _apply(self, change: dict[str, Any], dialog: ui.dialog | None = None) -> None:
        visit = self._visit
        try:
            body = Bulk.model_validate({"ids": self._ids} | change)
        except ValidationError:
            ui.notify(visit.t("faq_no_date"), type="negative")
            return
        try:
            result = await visit.act("knowledge.write", changed_faqs, visit.desk, visit.session, body)
        except Refused:
            return
        if dialog:
            dialog.close()
        ui.notify(visit.t("bulk_deleted" if body.delete else "bulk_done", count=len(result.done)), type="positive")
        await self._done()

    def _ask_category(self) -> None:
        t = self._visit.t
        with ui.dialog(value=True) as dialog, ui.card().classes("w-96 p-5"):
            ui.label(t("bulk_category", count=len(self._ids))).classes("font-semibold")
            name = ui.input(t("category"), autocomplete=self._categories).props(
                f"outlined maxlength={LONGEST_CATEGORY}"
            )
            name.classes("w-full")
            self._buttons(dialog, lambda: self._apply({"category": (name.value or "").strip()}, dialog))

    def _ask_validity(self) -> None:
        t = self._visit.t
        with ui.dialog(value=True) as dialog, ui.card().classes("w-96 p-5"):
            ui.label(t("bulk_validity", count=len(self._ids))).classes("font-semibold")
            begin = ui.input(t("valid_from")).props("type=date outlined stack-label").classes("w-full")
            end = ui.input(t("valid_until")).props("type=date outlined stack-label").classes("w-full")
            ui.label(t("bulk_validity_hint")).classes("k-mute k-small")

            def change() -> Awaitable[None]:
                return self._apply({"valid_from": begin.value or None, "valid_until": end.value or None}, dialog)

            self._buttons(dialog, change)

    def _ask_delete(self) -> None:
        t = self._visit.t
        with ui.dialog(value=True) as dialog, ui.card().classes("w-96 p-5"):
            ui.label(t("bulk_delete", count=len(self._ids))).classes("font-semibold")
            ui.label(t("delete_hint")).classes("k-mute k-small")
            self._buttons(dialog, lambda: self._apply({"delete": True}, dialog), t("delete"), "negative")

    def _buttons(
        self, dialog: ui.dialog, apply: Callable[[], Awaitable[None]], label: str = "", color: str = "primary"
    ) -> None:
        with ui.row().classes("w-full justify-end"):
            ui.button(self._visit.t("cancel"), on_click=dialog.close).props("flat")
            ui.button(label or self._visit.t("save"), on_click=apply, color=color).props("unelevated")
