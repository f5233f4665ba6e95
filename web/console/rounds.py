"""Rounds of training: what there is to learn from, start, live progress, stop, go on. Trains nothing."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from bot.lessons import Wanted
from web.api.learning import counts, resumed, rounds, started, stopped
from web.api.learning_forms import Counts, RoundIn, RoundOut
from web.console.charts import BLUE, ORANGE, line
from web.console.visit import Refused, Visit

_EVERY = 1.0  # seconds between two looks
_LOG = 12_000  # characters of a log that are shown
_MINUTE = 90  # seconds from which minutes are told


class Rounds:
    """The page's rounds, looked at every second while one runs."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._seen: list[RoundOut] | None = None

    async def show(self) -> None:
        """Build it."""
        self._counts = ui.column().classes("w-full gap-3")
        self._live = ui.column().classes("w-full gap-3")
        self._list = ui.column().classes("w-full gap-3").props("data-testid=rounds")
        await self._draw_counts()
        await self._look()
        ui.timer(_EVERY, self._look)

    async def _draw_counts(self) -> None:
        visit, t = self._visit, self._visit.t
        try:
            found = await visit.act("training.use", counts, visit.desk)
        except Refused:
            return
        self._counts.clear()
        with self._counts:
            with ui.element("div").classes("k-cards"):
                for name in ("new", "approved", "rejected"):
                    with ui.card().classes("k-number"):
                        ui.label(t(f"have_{name}")).classes("k-mute k-small")
                        ui.label(f"{getattr(found, name):,}").classes("k-value").props(f"data-testid=have-{name}")
            with ui.card().classes("k-panel"):
                ui.label(t("can_train")).classes("font-semibold").props("role=heading aria-level=2")
                self._lessons(found)
                ui.label(t("start_why")).classes("k-mute k-small")
                self._buttons(found)

    def _lessons(self, found: Counts) -> None:
        language = self._visit.language
        for lesson in found.lessons:
            with ui.row().classes("items-center gap-2 no-wrap").props("data-testid=lesson"):
                icon, look = ("o_check_circle", "k-good") if lesson.train else ("o_remove_circle_outline", "k-mute")
                ui.icon(icon, size="18px").classes(look).props("aria-hidden=true")
                ui.label(lesson.name[language]).classes("font-semibold k-nowrap")
                ui.label(lesson.why[language]).classes("k-mute k-small")

    def _buttons(self, found: Counts) -> None:
        t = self._visit.t
        models = any(lesson.train and lesson.part != "calibration" for lesson in found.lessons)
        able = next(lesson for lesson in found.lessons if lesson.part == "calibration")
        with ui.row().classes("items-center gap-2"):
            start = ui.button(t("start"), icon="o_school", on_click=lambda: self._start("auto")).props("unelevated")
            start.set_enabled(able.train)
            if models:
                ui.button(t("start_calibration"), on_click=lambda: self._start("calibration")).props("flat")
            if not able.train:
                ui.label(t("too_few_to_start", fewest=able.fewest)).classes("k-mute")

    async def _start(self, wanted: Wanted) -> None:
        visit = self._visit
        try:
            await visit.act("training.use", started, visit.desk, visit.session, RoundIn(only=wanted))
        except Refused:
            return
        await self._look()

    async def _look(self) -> None:
        visit = self._visit
        try:
            found = await visit.act("training.use", rounds, visit.desk)
        except Refused:
            return
        if found == self._seen:
            return
        ended = self._seen is not None and _running(self._seen) and not _running(found)
        self._seen = found
        self._draw(found)
        if ended:
            await self._draw_counts()

    def _draw(self, found: list[RoundOut]) -> None:
        running = _running(found)
        self._live.clear()
        self._live.set_visibility(running is not None)
        if running:
            with self._live:
                self._progress(running)
        self._list.clear()
        with self._list:
            if not found:
                ui.label(self._visit.t("no_rounds")).classes("k-empty")
            for one in found:
                if one is not running:
                    self._card(one)

    def _progress(self, one: RoundOut) -> None:
        t = self._visit.t
        with ui.card().classes("k-panel").props("data-testid=running"):
            with ui.row().classes("w-full items-center gap-2"):
                ui.label(one.name).classes("font-semibold")
                ui.label(t(f"step_{one.step or 'starting'}")).props("aria-live=polite data-testid=step")
                ui.space()
                ui.button(t("stop"), on_click=lambda: self._act(stopped, one)).props("flat dense")
            ui.linear_progress(one.done / one.total if one.total else 0, show_value=False).props("instant-feedback")
            said = t("progress_of", done=f"{one.done:,}", total=f"{one.total:,}") if one.total else ""
            if one.seconds_left:
                minutes = one.seconds_left > _MINUTE
                count = round(one.seconds_left / 60) if minutes else one.seconds_left
                said += " · " + t("left_minutes" if minutes else "left_seconds", count=count)
            ui.label(said).classes("k-mute k-small")
            self._curve(one)

    def _curve(self, one: RoundOut) -> None:
        """The loss, part by part."""
        if not one.loss:
            return
        t = self._visit.t
        curves: dict[str, list[tuple[float, float]]] = {}
        for point in one.loss:
            curves.setdefault(t(f"part_{point.part}"), []).append((point.step, point.loss))
        ui.label(t("loss_of")).classes("k-small k-mute")
        options = line(curves, (BLUE, ORANGE, "#009e73"), (t("training_step"), t("loss")))
        ui.echart(options, renderer="svg").classes("k-chart").props("data-testid=loss")

    def _card(self, one: RoundOut) -> None:
        visit, t = self._visit, self._visit.t
        looks = {"passed": "k-good", "refused": "k-warn", "failed": "k-bad"}
        with ui.card().classes("k-gap w-full gap-2").props("data-testid=round"):
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(one.name).classes("font-semibold")
                ui.label(t(f"state_{one.state}")).classes(f"k-tag {looks.get(one.state, '')}")
                ui.label(f"{one.began.astimezone():%Y-%m-%d %H:%M}").classes("k-mute k-small")
                ui.space()
                if one.state in ("passed", "refused"):
                    ui.link(t("see_judgement"), f"/learning/releases/{one.name}").classes("k-link")
                else:
                    ui.button(t("resume"), on_click=lambda: self._act(resumed, one)).props("flat dense")
            if one.error:
                ui.label(one.error).classes("k-pre k-bad k-small")
            if made := one.steps.get("dataset"):
                told = {name: f"{made[name]:,}" for name in ("train", "fit", "judging")}
                ui.label(t("trained_on", **told)).classes("k-mute k-small")
            if one.loss:
                with ui.expansion(t("loss_of")).props("dense").classes("w-full k-small"):
                    self._curve(one)
            if log := visit.desk.learning.log(one.name)[-_LOG:].strip():
                with ui.expansion(t("log")).props("dense").classes("w-full k-small"):
                    ui.label(log).classes("k-pre k-small")

    async def _act(self, what: Any, one: RoundOut) -> None:
        visit = self._visit
        try:
            await visit.act("training.use", what, visit.desk, visit.session, one.name)
        except Refused:
            return
        await self._look()


def _running(found: list[RoundOut]) -> RoundOut | None:
    return next((one for one in found if one.state == "running"), None)
