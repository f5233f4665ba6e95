"""The list of conversations, filtered and paged; the filters stand in the URL."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import urlencode

from nicegui import ui
from pydantic import ValidationError
from starlette.requests import Request

from bot.outcome import Outcome
from bot.search_log import Found, releases, search
from bot.types import Kind
from web.api.conversations import Filter, Page
from web.api.the_log import log_of
from web.console.frame import forbidden, frame, title
from web.console.links import file_link
from web.console.visit import Refused, Visit, open_visit

PAGE = "/conversations"
_ADDRESS = f"/console{PAGE}"
_PAGE = 50
_COLUMNS = (
    ("opened", "opened", "k-nowrap"),
    ("question", "question", ""),
    ("outcome", "outcome", "k-nowrap"),
    ("kind", "kind", "k-nowrap k-wide"),
    ("messages", "messages", "k-wide"),
    ("language", "language", "k-wide"),
)
_LINK = """<q-td :props="props"><a class="k-link" :href="props.row.url">{{ props.row.question }}</a></q-td>"""


@ui.page("/conversations", response_timeout=20)
async def conversations(request: Request) -> None:
    """Show the page."""
    visit = open_visit("conversations", request)
    if not visit.may("conversations.read"):
        return forbidden(visit)
    with frame(visit):
        title(visit)
        try:
            wanted = Page.model_validate(dict(request.query_params))
        except ValidationError as problem:
            wanted = Page()
            what = ", ".join(str(part) for part in problem.errors()[0]["loc"])
            ui.label(visit.t("bad_filter", what=what)).classes("k-bad")
        await ConversationList(visit, wanted).show()


class ConversationList:
    """Filters, table and pages."""

    def __init__(self, visit: Visit, wanted: Page) -> None:
        self._visit = visit
        self._wanted = wanted
        self._inputs: dict[str, Any] = {}

    async def show(self) -> None:
        """Build it and read the first page."""
        t = self._visit.t
        try:
            known = await self._visit.act("conversations.read", lambda: releases(log_of(self._visit.desk)))
        except Refused:
            return
        self._filters(known)
        with ui.row().classes("w-full items-center gap-3"):
            self._total = ui.label().classes("k-mute").props("data-testid=total aria-live=polite")
            ui.space()
            orders = {False: t("newest"), True: t("oldest")}
            self._order = ui.select(orders, value=self._wanted.oldest_first, on_change=self._changed)
            self._order.props("dense outlined options-dense")
            self._export = file_link(t("export"), "")
            with self._export:
                ui.tooltip(t("export_hint"))
        columns = [
            {"name": name, "label": t(label), "field": name, "align": "left", "classes": look, "headerClasses": look}
            for name, label, look in _COLUMNS
        ]
        self._table = ui.table(columns=columns, rows=[], row_key="id").props("flat bordered wrap-cells dense")
        self._table.classes("w-full")
        self._table.add_slot("body-cell-question", _LINK)
        self._table.add_slot("no-data", f'<div class="k-empty">{t("nothing")}</div>')
        first = self._wanted.offset // _PAGE + 1
        self._pages = ui.pagination(1, first, value=first, on_change=self._turned).props("max-pages=7 boundary-numbers")
        await self._load()

    def _filters(self, known: list[str]) -> None:
        t, wanted = self._visit.t, self._wanted
        with ui.row().classes("w-full items-center gap-2"):
            text = ui.input(t("search_hint"), value=wanted.text).props("outlined dense clearable debounce=400")
            text.props("maxlength=200 type=search").classes("k-grow")
            self._inputs["text"] = text
            self._day("since")
            self._day("until")
            self._choice("language", {one: t(one) for one in ("zh", "en")})
            self._choice("outcome", {one: t(f"outcome_{one}") for one in get_args(Outcome)})
            self._choice("kind", {one: t(f"kind_{one}") for one in get_args(Kind)})
            self._choice("release", {one: one for one in dict.fromkeys([*known, wanted.release]) if one})
            source = ui.input(t("source"), value=wanted.source).props("outlined dense clearable debounce=400")
            self._inputs["source"] = source.props("maxlength=512")
            ui.button(t("clear"), on_click=self._clear).props("flat dense")
        for one in self._inputs.values():
            one.on_value_change(self._changed)

    def _day(self, name: str) -> None:
        value = getattr(self._wanted, name)
        made = ui.input(self._visit.t(name), value=str(value or "")).props("type=date outlined dense stack-label")
        self._inputs[name] = made

    def _choice(self, name: str, options: dict[str, str]) -> None:
        made = ui.select(options, label=self._visit.t(name), value=getattr(self._wanted, name) or None, clearable=True)
        self._inputs[name] = made.props("outlined dense options-dense").classes("k-choice")

    async def _changed(self) -> None:
        given = {name: one.value for name, one in self._inputs.items() if one.value}
        try:
            self._wanted = Page.model_validate(given | {"oldest_first": self._order.value})
        except ValidationError:
            return  # a date that is half typed
        if self._pages.value != 1:
            self._pages.value = 1  # which loads
        else:
            await self._load()

    async def _turned(self) -> None:
        self._wanted.offset = (int(self._pages.value or 1) - 1) * _PAGE
        await self._load()

    def _clear(self) -> None:
        ui.navigate.to(PAGE)

    async def _load(self) -> None:
        visit, wanted = self._visit, self._wanted
        self._show_in_url()
        try:
            found, total = await visit.act(
                "conversations.read",
                lambda: search(log_of(visit.desk), wanted.wanted(), _PAGE, wanted.offset, wanted.oldest_first),
            )
        except Refused:
            return
        self._total.text = visit.t("total", total=f"{total:,}")
        self._pages.max = max(1, -(-total // _PAGE))
        self._pages.set_visibility(total > _PAGE)
        self._table.rows = [self._row(one) for one in found]
        self._table.update()

    def _show_in_url(self) -> None:
        set_ = self._wanted.model_dump(mode="json", exclude_defaults=True)
        ui.navigate.history.replace(_ADDRESS + (f"?{urlencode(set_)}" if set_ else ""))
        filters = {name: value for name, value in set_.items() if name in Filter.model_fields}
        self._export.props["href"] = "/api/conversations/export" + (f"?{urlencode(filters)}" if filters else "")
        self._export.update()

    def _row(self, one: Found) -> dict[str, Any]:
        t = self._visit.t
        return {
            "id": one.id,
            "url": f"{_ADDRESS}/{one.id}",
            "opened": f"{one.opened.astimezone():%Y-%m-%d %H:%M}",
            "question": one.question[:200] or "…",
            "outcome": t(f"outcome_{one.outcome}"),
            "kind": t(f"kind_{one.kind}") if one.kind else "",
            "messages": one.messages,
            "language": t(one.language) if one.language else "",
        }
