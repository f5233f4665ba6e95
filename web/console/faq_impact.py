"""The impact of an FAQ before it is published: questions with the old and the new answer side by side."""

from __future__ import annotations

from nicegui import ui

from bot.impact import Change, Impact, Outcome
from knowledge_base.types import Faq
from web.api.faq_checks import impact_of
from web.console.visit import Refused, Visit
from web.console.working import Working

_SHOWN = 100  # changes


class ImpactDialog:
    """Looks at the questions, then shows what would change."""

    def __init__(self, visit: Visit, faq: Faq) -> None:
        self._visit = visit
        self._faq = faq

    async def show(self) -> None:
        """Work it out and open it."""
        visit, t = self._visit, self._visit.t
        try:
            found = await Working(visit, t("impact_running")).run(
                "knowledge.read", lambda progress: impact_of(visit.desk, self._faq, progress=progress)
            )
        except Refused:
            return
        with ui.dialog(value=True) as dialog, ui.card().classes("k-broad").props("data-testid=impact"):
            with ui.row().classes("w-full items-center no-wrap"):
                ui.label(t("impact_title")).classes("font-semibold")
                ui.space()
                ui.button(icon="close", on_click=dialog.close).props(f'flat round aria-label="{t("close")}"')
            self._summary(found)
            for change in found.changes[:_SHOWN]:
                self._change(change)

    def _summary(self, found: Impact) -> None:
        t = self._visit.t
        said = t("impact_some", changes=len(found.changes), logged=found.logged, golden=found.golden)
        if not found.changes:
            said = t("impact_none", logged=found.logged, golden=found.golden)
        ui.label(said).classes("k-mute")

    def _change(self, change: Change) -> None:
        t = self._visit.t
        with ui.column().classes("k-card k-pad w-full gap-2"):
            with ui.row().classes("w-full items-baseline gap-2"):
                ui.label(change.asked.query).classes("font-semibold k-pre")
                ui.label(t(change.asked.origin)).classes("k-tag")
            with ui.element("div").classes("k-two"):
                self._outcome(t("before"), change.before)
                self._outcome(t("after"), change.after)

    def _outcome(self, label: str, outcome: Outcome) -> None:
        with ui.column().classes("gap-1 w-full"):
            ui.label(label).classes("k-mute k-small")
            if outcome.title:
                ui.label(outcome.title).classes("k-small")
            ui.label(outcome.text or self._visit.t(f"kind_{outcome.kind}")).classes("k-pre k-said")
