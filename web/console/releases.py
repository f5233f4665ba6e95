"""The releases with their story: which serves, promote, roll back. Judges none."""

from __future__ import annotations

from nicegui import ui

from web.api.releases import ChapterOut, PromoteIn, ReleaseOut, ReleasesOut, promoted, releases, rolled_back
from web.console.visit import Refused, Visit

_EVERY = 1.0  # seconds between two looks
_LONGEST = 300
_ERROR = 400  # characters of what a failed promotion complained of


class ReleaseList:
    """All releases, looked at every second: another person, or the command line, may promote too."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._seen: ReleasesOut | None = None

    async def show(self) -> None:
        """Build it."""
        self._status = ui.column().classes("w-full").props("aria-live=polite data-testid=promoting")
        self._list = ui.column().classes("w-full gap-3").props("data-testid=releases")
        await self._look()
        ui.timer(_EVERY, self._look)

    async def _look(self) -> None:
        visit = self._visit
        try:
            found = await visit.act("training.use", releases, visit.desk)
        except Refused:
            return
        if found == self._seen:
            return
        self._seen = found
        self._status.clear()
        with self._status:
            if found.promoting:
                ui.label(visit.t("promoting")).classes("k-warn")
                ui.linear_progress(show_value=False).props("indeterminate")
            elif found.failed:
                ui.label(visit.t("promote_failed", error=found.failed[-_ERROR:])).classes("k-pre k-bad")
        self._list.clear()
        with self._list:
            for one in found.items:
                self._card(one, found)

    def _card(self, one: ReleaseOut, found: ReleasesOut) -> None:
        t = self._visit.t
        with ui.card().classes("k-gap w-full gap-2").props("data-testid=release"):
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(one.name).classes("font-semibold")
                if one.serving:
                    ui.label(t("serving")).classes("k-tag k-good").props("data-testid=serving")
                if one.passed is False:
                    ui.label(t("refused")).classes("k-tag k-warn")
                shipped = one.name == "default"
                parts = ", ".join(t(f"part_{part}") for part in one.parts) or t("calibration_only")
                ui.label(t("shipped") if shipped else parts).classes("k-mute k-small")
                ui.space()
                if one.passed is not None:
                    ui.link(t("see_judgement"), f"/learning/releases/{one.name}").classes("k-link")
                if one.serving and found.can_roll_back:
                    back = ui.button(t("roll_back"), icon="o_undo", on_click=self._roll_back).props("flat dense")
                    back.tooltip(t("roll_back_why"))
                    back.set_enabled(not found.promoting)
                elif not one.serving and not one.damaged and not found.promoting:
                    promote_button(self._visit, one.name, one.passed, self._look)
            if one.damaged:
                ui.label(t("damaged", why=one.damaged)).classes("k-pre k-bad k-small")
            for chapter in reversed(one.story[-6:]):
                self._chapter(chapter)

    def _chapter(self, chapter: ChapterOut) -> None:
        at = f"{chapter.at.astimezone():%Y-%m-%d %H:%M}"
        said = self._visit.t(f"act_{chapter.act}", at=at, release=chapter.release, before=chapter.before)
        why = "" if chapter.act == "refuse" else chapter.why  # the comparison says it in both languages
        ui.label(f"{said}  {why}").classes("k-mute k-small k-pre")

    async def _roll_back(self) -> None:
        visit = self._visit
        try:
            await visit.act("training.use", rolled_back, visit.desk, visit.session, "")
        except Refused:
            return
        await self._look()
        assert self._seen is not None
        serving = next(one.name for one in self._seen.items if one.serving)
        ui.notify(visit.t("rolled_back", name=serving), type="positive")


def promote_button(visit: Visit, name: str, passed: bool | None, then: object) -> None:
    """A button that asks, and then begins to promote. then: called afterwards."""
    t = visit.t
    refused = passed is False

    async def ask() -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("k-dialog"):
            ui.label(t("promote_refused" if refused else "promote_confirm", name=name)).classes("k-pre")
            why = ui.input(t("why")).props(f"outlined dense maxlength={_LONGEST}").classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=lambda: dialog.submit(False)).props("flat")
                button = ui.button(t("promote"), on_click=lambda: dialog.submit(True)).props("unelevated")
                button.props("color=negative" if refused else "")
        if await dialog:
            body = PromoteIn(why=(why.value or "")[:_LONGEST], anyway=refused)
            try:
                await visit.act("training.use", promoted, visit.desk, visit.session, name, body)
            except Refused:
                return
            if callable(then):
                await then()

    ui.button(t("promote_anyway" if refused else "promote"), on_click=ask).props(
        'flat padding="3px 12px"' if refused else 'unelevated padding="3px 12px"'
    )
