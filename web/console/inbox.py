"""The inbox of the live desk: who waits, what is mine, all, live; and one conversation beside it.

Knows how the list looks; what can be done with one conversation is in web.console.talk.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import get_args
from urllib.parse import urlencode

from nicegui import background_tasks, ui
from starlette.requests import Request

from bot.handoffs import Handoff, Listed, View
from web.api.inbox import listed
from web.console.bell import quietly
from web.console.frame import forbidden, frame, title
from web.console.hours import hours_dialog
from web.console.talk import TalkView
from web.console.visit import Visit, open_visit
from web.notices import Notice

_PAGE = 30
_EMPTY: dict[View, str] = {"waiting": "nobody_waiting", "mine": "nothing_mine", "all": "nothing_yet"}
_ICON = "o_volume_up"
_SOUND = """(e) => { const off = localStorage.kefuSound === "off"; localStorage.kefuSound = off ? "on" : "off";
  e.currentTarget.setAttribute("aria-pressed", String(off)); e.currentTarget.classList.toggle("k-off", !off); }"""
_SILENT = """const e = getHtmlElement(%d); if (e && localStorage.kefuSound === "off") {
  e.classList.add("k-off"); e.setAttribute("aria-pressed", "false"); }"""
_NOTIFY = "() => window.Notification && Notification.requestPermission()"


@ui.page("/inbox", response_timeout=20)
async def inbox(request: Request) -> None:
    """Show the page. The address names the list and the conversation: ?view=mine&c=…"""
    visit = open_visit("inbox", request)
    if not visit.may("desk.use"):
        return forbidden(visit)
    ui.add_head_html('<link rel="stylesheet" href="/console/static/inbox.css">')
    view = request.query_params.get("view", "waiting")
    with frame(visit) as page:
        page.classes("k-inbox-page")
        with ui.row().classes("w-full items-center gap-2 k-inbox-head"):
            title(visit)
            ui.space()
            _tools(visit)
        await InboxView(visit, view if view in get_args(View) else "waiting").show(request.query_params.get("c", ""))


def _tools(visit: Visit) -> None:
    t = visit.t
    sound = ui.button(icon=_ICON).props(f'flat round aria-label="{t("sound")}" aria-pressed=true')
    sound.on("click", js_handler=_SOUND)
    sound.tooltip(t("sound"))
    ui.context.client.on_connect(lambda: ui.run_javascript(_SILENT % sound.id))
    notify = ui.button(icon="o_notifications").props(f'flat round aria-label="{t("notify")}"')
    notify.on("click", js_handler=_NOTIFY)
    notify.tooltip(t("notify"))
    if visit.may("staff.manage"):
        ui.button(t("hours"), icon="o_schedule", on_click=partial(hours_dialog, visit)).props("flat")


class InboxView:
    """The three lists and the conversation that is open."""

    def __init__(self, visit: Visit, view: str) -> None:
        self._visit = visit
        self._view: View = view  # type: ignore[assignment]  # checked by the page
        self._limit = _PAGE
        self._busy = self._again = False
        self._client = ui.context.client

    async def show(self, chosen: str) -> None:
        """Build both sides and live until the page is closed."""
        t = self._visit.t
        with ui.element("div").classes("k-inbox") as self._whole:
            with ui.column().classes("k-inbox-list gap-0"):
                with ui.tabs().props("dense no-caps align=justify").classes("w-full") as tabs:
                    self._tabs = {view: ui.tab(view, label=t(view)) for view in get_args(View)}
                tabs.set_value(self._view)
                tabs.on_value_change(lambda event: self._turn(event.value))
                self._rows = ui.column().classes("w-full gap-0 k-inbox-rows")
            with ui.column().classes("k-talk gap-0") as side:
                self._talk = TalkView(self._visit, side, self._closed, partial(tabs.set_value, "mine"))
        self._client.on_delete(self._visit.desk.inbox.notices.listen(self._heard))
        await self._load()
        if chosen:
            await self._choose(chosen)

    def _heard(self, notice: Notice) -> None:
        self._talk.heard(notice)
        if notice.what in ("waiting", "changed", "said", "gap"):
            self._soon()

    def _soon(self) -> None:
        if self._busy:
            self._again = True
            return
        self._busy = True
        background_tasks.create(self._reload(), context=self._client)

    async def _reload(self) -> None:
        try:
            await self._load()
        finally:
            self._busy = False
        if self._again and not self._client.is_deleted:
            self._again = False
            self._soon()

    async def _load(self) -> None:
        visit = self._visit
        read = await quietly(visit, _read, visit, self._view, self._limit)
        if read is None or self._client.is_deleted:
            return
        rows, totals = read
        for view, tab in self._tabs.items():
            count = f" ({totals[view]})" if view != "all" and totals[view] else ""
            tab.props(f'label="{visit.t(view)}{count}"')
        self._rows.clear()
        with self._rows:
            for row in rows:
                self._row(row)
            if not rows:
                ui.label(visit.t(_EMPTY[self._view])).classes("k-empty")
            if totals[self._view] > len(rows):
                ui.button(visit.t("more"), on_click=self._more).props("flat").classes("w-full")

    def _row(self, row: Listed) -> None:
        handoff, t = row.handoff, self._visit.t
        look = "k-row" + (" k-row-open" if handoff.conversation_id == self._talk.id else "")
        with ui.element("button").classes(look).props("type=button data-testid=row") as button:
            with ui.row().classes("w-full items-center gap-2 no-wrap"):
                ui.label(f"{t('customer')} {handoff.conversation_id[:4].upper()}").classes("font-semibold")
                ui.label(t(handoff.language)).classes("k-mute k-small")
                ui.space()
                ui.label(f"{row.at.astimezone():%H:%M}").classes("k-mute k-small")
            ui.label(row.text).classes("k-row-text" + (" k-row-new" if row.role == "customer" else " k-mute"))
            with ui.row().classes("w-full items-center gap-2 no-wrap k-small"):
                ui.label(t(f"reason_{handoff.reason.replace(' ', '_')}")).classes("k-chip")
                ui.label(standing(self._visit, handoff)).classes("k-mute")
        button.on("click", partial(self._choose, handoff.conversation_id))

    async def _choose(self, conversation_id: str) -> None:
        self._whole.classes(add="k-inbox-open")
        self._address(conversation_id)
        await self._talk.open(conversation_id)
        self._soon()

    def _closed(self) -> None:
        """The conversation was left, which on a phone shows the list again."""
        self._whole.classes(remove="k-inbox-open")
        self._address("")
        self._soon()

    def _address(self, conversation_id: str) -> None:
        query = {"view": self._view} | ({"c": conversation_id} if conversation_id else {})
        ui.navigate.history.replace(f"/console/inbox?{urlencode(query)}")

    async def _turn(self, view: View) -> None:
        self._view, self._limit = view, _PAGE
        self._address(self._talk.id)
        await self._load()

    async def _more(self) -> None:
        self._limit += _PAGE
        await self._load()


def standing(visit: Visit, handoff: Handoff) -> str:
    """In whose hands a conversation is, in words."""
    if handoff.ended is not None:
        return visit.t(f"outcome_{handoff.outcome}")
    if handoff.claimed is not None:
        return visit.t("with", name=handoff.staff_name)
    minutes = max(0, int((datetime.now(UTC) - handoff.asked).total_seconds() // 60))  # the clock may have gone back
    return visit.t("waits", minutes=minutes) if minutes else visit.t("waits_new")


def _read(visit: Visit, view: View, limit: int) -> tuple[list[Listed], dict[View, int]]:
    """The rows of one list, and how many each list has."""
    desk, session = visit.desk, visit.session
    totals: dict[View, int] = {}
    rows: list[Listed] = []
    for one in get_args(View):
        found, totals[one] = listed(desk, session, one, limit if one == view else 1, 0)
        rows = found if one == view else rows
    return rows, totals
