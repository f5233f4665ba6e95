"""The releases with their story: which serves, which is tried, how that goes, promote, roll back. Judges none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nicegui import ui

from web.api.releases import (
    ChapterOut,
    FigureOut,
    PromoteIn,
    ReleaseOut,
    ReleasesOut,
    WatchOut,
    promoted,
    releases,
    rolled_back,
)
from web.console.visit import Refused, Visit

_EVERY = 1.0  # seconds between two looks
_LONGEST = 300
_SHARE = ("count", "of")
_SHARES = (0.1, 0.3)  # of the conversations, offered for a trial
_ERROR = 400  # characters of what a failed promotion complained of

Translate = Callable[..., str]


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

    def _watch(self, watch: WatchOut) -> None:
        """How conversations go on a watched release, beside those on the one before."""
        t = self._visit.t
        with ui.column().classes("w-full gap-1").props("data-testid=watch"):
            ui.label(t("watch_since", at=_time(watch.since), before=watch.before)).classes("k-small")
            for one in watch.figures:
                if one.now.of or one.before.of:
                    ui.label(_figure(t, one)).classes("k-mute k-small k-pre")
            ui.label(t("watch_what")).classes("k-mute k-small")

    def _card(self, one: ReleaseOut, found: ReleasesOut) -> None:
        t = self._visit.t
        with ui.card().classes("k-gap w-full gap-2").props("data-testid=release"):
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(one.name).classes("font-semibold")
                if one.serving:
                    ui.label(t("serving")).classes("k-tag k-good").props("data-testid=serving")
                if one.trial:
                    share = t("on_trial", share=f"{one.trial:.0%}")
                    ui.label(share).classes("k-tag k-warn").props("data-testid=on-trial")
                if one.passed is False:
                    ui.label(t("refused")).classes("k-tag k-warn")
                shipped = one.name == "default"
                parts = ", ".join(t(f"part_{part}") for part in one.parts) or t("calibration_only")
                ui.label(t("shipped") if shipped else parts).classes("k-mute k-small")
                ui.space()
                if one.passed is not None:
                    ui.link(t("see_judgement"), f"/learning/releases/{one.name}").classes("k-link")
                tried = any(other.trial for other in found.items)
                if one.trial or (one.serving and found.can_roll_back and not tried):
                    self._back_button(bool(one.trial), not found.promoting)
                if not one.serving and not one.damaged and not found.promoting:
                    promote_button(self._visit, one.name, one.passed, self._look)
            if one.damaged:
                ui.label(t("damaged", why=one.damaged)).classes("k-pre k-bad k-small")
            if found.watch and found.watch.release == one.name:
                self._watch(found.watch)
            for chapter in reversed(one.story[-6:]):
                self._chapter(chapter)

    def _chapter(self, chapter: ChapterOut) -> None:
        t = self._visit.t
        said = t(f"act_{chapter.act}", at=_time(chapter.at), release=chapter.release, before=chapter.before)
        why = "" if chapter.act == "refuse" else chapter.why  # the comparison says it in both languages
        if chapter.found:
            why = t("taken_back", figure=_figure(t, chapter.found))
        ui.label(f"{said}  {why}").classes("k-mute k-small k-pre")

    def _back_button(self, is_trial: bool, enabled: bool) -> None:
        t = self._visit.t
        back = ui.button(t("end_trial" if is_trial else "roll_back"), icon="o_undo", on_click=self._roll_back)
        back.props("flat dense").tooltip(t("end_trial_why" if is_trial else "roll_back_why"))
        back.set_enabled(enabled)

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


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def _figure(t: Translate, one: FigureOut) -> str:
    shares = {f"{side}_{name}": getattr(getattr(one, side), name) for side in ("now", "before") for name in _SHARE}
    return t(f"watch_{one.figure}", language=t(one.language), limit=f"{one.limit:.0%}", **shares)


def promote_button(visit: Visit, name: str, passed: bool | None, then: object) -> None:
    """A button that asks, and then begins to promote. then: called afterwards."""
    t = visit.t
    refused = passed is False

    async def ask() -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("k-dialog"):
            ui.label(t("promote_refused" if refused else "promote_confirm", name=name)).classes("k-pre")
            shares = {1.0: t("share_all")} | {one: t("share_some", share=f"{one:.0%}") for one in _SHARES}
            share = ui.radio(shares, value=1.0).props("dense data-testid=share")
            why = ui.input(t("why")).props(f"outlined dense maxlength={_LONGEST}").classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=lambda: dialog.submit(False)).props("flat")
                button = ui.button(t("promote"), on_click=lambda: dialog.submit(True)).props("unelevated")
                button.props("color=negative" if refused else "")
        if await dialog:
            body = PromoteIn(why=(why.value or "")[:_LONGEST], anyway=refused, share=share.value or 1.0)
            try:
                await visit.act("training.use", promoted, visit.desk, visit.session, name, body)
            except Refused:
                return
            if callable(then):
                await then()

    ui.button(t("promote_anyway" if refused else "promote"), on_click=ask).props(
        'flat padding="3px 12px"' if refused else 'unelevated padding="3px 12px"'
    )
