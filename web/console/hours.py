"""The dialog in which admins set the desk's hours and sensitive words. Knows no conversation."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from pydantic import ValidationError

from web.api.hours import HoursBody, SensitiveBody, set_hours, set_sensitive
from web.console.visit import Refused, Visit
from web.hours import Hours

_ZONE = {"zh": "Asia/Shanghai", "en": "Europe/London"}
_WORKDAY = ("09:00", "18:00")
_DAYS = 7


async def hours_dialog(visit: Visit) -> None:
    """Show the dialog."""
    try:
        hours, words = await visit.act("staff.manage", _read, visit)
    except Refused:
        return
    _Form(visit, hours, words)


class _Form:
    """The dialog while it is open."""

    def __init__(self, visit: Visit, hours: Hours | None, words: list[str]) -> None:
        t = visit.t
        self._visit = visit
        with ui.dialog(value=True) as self._dialog, ui.card().classes("k-hours"):
            ui.label(t("hours")).classes("k-title")
            ui.label(t("hours_why")).classes("k-mute")
            self._always = ui.switch(t("always"), value=hours is None)
            with ui.column().classes("w-full gap-1").bind_visibility_from(self._always, "value", lambda on: not on):
                zone = hours.zone if hours else _ZONE[visit.language]
                self._zone = ui.input(t("zone"), value=zone).props("outlined dense maxlength=64").classes("w-full")
                self._days = [self._day(number, hours) for number in range(_DAYS)]
            self._words = ui.textarea(t("sensitive"), value="\n".join(words)).props("outlined dense rows=6")
            self._words.props(f'hint="{t("sensitive_why")}"').classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=self._dialog.close).props("flat")
                ui.button(t("save"), on_click=self._save).props("unelevated")

    def _day(self, number: int, hours: Hours | None) -> tuple[Any, Any, Any]:
        t, name = self._visit.t, self._visit.t(f"day_{number}")
        known = hours.days[number] if hours else None
        opens, closes = (known.opens, known.closes) if known else _WORKDAY
        with ui.row().classes("w-full items-center gap-2 no-wrap"):
            on = ui.checkbox(name, value=known is not None or (hours is None and number < _DAYS - 2)).classes("grow")
            clocks = [
                ui.input(value=value)
                .props(f'outlined dense maxlength=5 aria-label="{name} {t(label)}"')
                .classes("w-20")
                for label, value in (("from", opens), ("to", closes))
            ]
        return on, clocks[0], clocks[1]

    async def _save(self) -> None:
        visit = self._visit
        try:
            body = HoursBody(hours=None if self._always.value else Hours.model_validate(self._hours()))
        except ValidationError as problem:
            in_zone = any("zone" in error["loc"] for error in problem.errors())
            return ui.notify(visit.t("bad_zone" if in_zone else "bad_hours"), type="negative")
        words = [line.strip()[:64] for line in (self._words.value or "").splitlines() if line.strip()][:500]
        try:
            await visit.act("staff.manage", set_hours, visit.desk, visit.session, body)
            await visit.act("staff.manage", set_sensitive, visit.desk, visit.session, SensitiveBody(words=words))
        except Refused:
            return
        self._dialog.close()
        ui.notify(visit.t("saved"), type="positive")

    def _hours(self) -> dict[str, Any]:
        days = [
            {"opens": opens.value.strip(), "closes": closes.value.strip()} if on.value else None
            for on, opens, closes in self._days
        ]
        return {"zone": self._zone.value.strip(), "days": days}


def _read(visit: Visit) -> tuple[Hours | None, list[str]]:
    staffing = visit.desk.inbox.staffing
    return staffing.hours, list(staffing.sensitive())
