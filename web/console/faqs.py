"""The list of FAQs: searched, filtered, sorted and paged by the database, changed many at a time."""

from __future__ import annotations

from datetime import UTC
from typing import Any, get_args
from urllib.parse import quote, urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import ValidationError
from starlette.requests import Request

from bot.usage import Usage, usage
from knowledge_base.faq_list import Sort, StoredFaq
from knowledge_base.types import Status
from web.api.faq_forms import Listing, editing_of
from web.api.faqs import listed
from web.api.the_log import log_of
from web.console.faq_bulk import BulkBar
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit
from web.desk import Desk

PATH = "/console/faqs"
_PAGE = 50
_COLUMNS = (  # name, whether the database sorts by it, look
    ("question", True, ""),
    ("language", True, "k-nowrap k-wide"),
    ("category", True, "k-wide"),
    ("status", True, "k-nowrap"),
    ("answers", False, "k-nowrap k-wide"),
    ("thumbs", False, "k-nowrap k-wide"),
    ("updated", True, "k-nowrap k-wide"),
)
_LINK = (
    '<q-td :props="props"><a class="k-link" :href="props.row.url">{{ props.row.question }}</a>'
    '<div class="k-mute k-small k-one-line">{{ props.row.answer }}</div></q-td>'
)
_THUMBS = (
    '<q-td :props="props"><span v-if="props.row.helpful || props.row.unhelpful">'
    '<q-icon name="o_thumb_up" class="k-good" /> {{ props.row.helpful }} &nbsp;'
    '<q-icon name="o_thumb_down" class="k-bad" /> {{ props.row.unhelpful }}</span><span v-else>—</span></q-td>'
)
_STATUS = '<q-td :props="props"><span :class="props.row.look">{{ props.row.status }}</span></q-td>'
_LOOKS = {"draft": "k-tag", "review": "k-tag k-warn", "published": "k-tag k-good"}


@ui.page("/faqs", response_timeout=20)
async def faqs(request: Request) -> None:
    """Show the page."""
    visit = open_visit("faqs", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    with frame(visit):
        try:
            wanted = Listing.model_validate(dict(request.query_params))
        except ValidationError:
            wanted = Listing()
        await FaqTable(visit, wanted).show()


class FaqTable:
    """Filters, table, pages and what is done with the rows that are ticked."""

    def __init__(self, visit: Visit, wanted: Listing) -> None:
        self._visit = visit
        self._wanted = wanted
        self._inputs: dict[str, Any] = {}

    async def show(self) -> None:
        """Build it and read the first page."""
        t = self._visit.t
        self._head()
        try:
            categories = await self._visit.act("knowledge.read", _categories, self._visit.desk)
        except Refused:
            return
        self._filters(categories)
        with ui.row().classes("w-full items-center gap-3"):
            self._total = ui.label().classes("k-mute").props("data-testid=total aria-live=polite")
            self._bulk = BulkBar(self._visit, categories, self._load)
        columns = [
            {"name": name, "label": t(name), "field": name, "align": "left", "sortable": sortable}
            | {"classes": look, "headerClasses": look}
            for name, sortable, look in _COLUMNS
        ]
        self._table = ui.table(columns=columns, rows=[], row_key="id", pagination=self._sorting(0))
        self._table.props(
            "flat bordered wrap-cells dense hide-pagination hide-selected-banner binary-state-sort"
        ).classes("w-full")
        if self._visit.may("knowledge.write"):
            self._table.set_selection("multiple")
            self._table.on_select(lambda: self._bulk.show([row["id"] for row in self._table.selected]))
        self._table.add_slot("body-cell-question", _LINK)
        self._table.add_slot("body-cell-status", _STATUS)
        self._table.add_slot("body-cell-thumbs", _THUMBS)
        self._table.add_slot("no-data", f'<div class="k-empty">{t("nothing")}</div>')
        self._table.on("request", self._sorted)
        first = self._wanted.offset // _PAGE + 1
        self._pages = ui.pagination(1, first, value=first, on_change=self._turned).props("max-pages=7 boundary-numbers")
        await self._load()

    def _head(self) -> None:
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-2"):
            title(self._visit)
            ui.space()
            with ui.button(t("export"), icon="o_download").props("flat"), ui.menu():
                self._exports = {
                    kind: ui.link(t(f"export_{kind}"), target="").classes("k-nav").props("download")
                    for kind in ("xlsx", "csv", "jsonl")
                }
            if self._visit.may("knowledge.write"):
                ui.button(t("import"), icon="o_upload").props(f"flat href={PATH}/import")
                ui.button(t("new"), icon="add").props(f"unelevated href={PATH}/new")

    def _filters(self, categories: list[str]) -> None:
        t, wanted = self._visit.t, self._wanted
        with ui.row().classes("w-full items-center gap-2"):
            text = ui.input(t("search_hint"), value=wanted.q).props("outlined dense clearable debounce=300")
            self._inputs["q"] = text.props("maxlength=200 type=search").classes("k-grow")
            named = {"-": t("no_category")} | {
                name: name for name in dict.fromkeys([*categories, wanted.category]) if name
            }
            self._choice("status", {one: t(one) for one in get_args(Status)})
            self._choice("language", {one: t(one) for one in ("zh", "en")})
            self._choice("category", named)
        for one in self._inputs.values():
            one.on_value_change(self._filtered)

    def _choice(self, name: str, options: dict[str, str]) -> None:
        value = getattr(self._wanted, name) or None
        made = ui.select(options, label=self._visit.t(name), value=value if value in options else None, clearable=True)
        self._inputs[name] = made.props("outlined dense options-dense").classes("k-choice")

    async def _filtered(self) -> None:
        given = {name: one.value for name, one in self._inputs.items() if one.value}
        kept = self._wanted.model_dump(include={"sort", "descending"})
        self._wanted = Listing.model_validate(given | kept)
        if self._pages.value != 1:
            self._pages.value = 1  # which loads
        else:
            await self._load()

    async def _turned(self) -> None:
        self._wanted.offset = (int(self._pages.value or 1) - 1) * _PAGE
        await self._load()

    async def _sorted(self, event: GenericEventArguments) -> None:
        asked = event.args["pagination"]
        self._wanted.sort = asked["sortBy"] if asked["sortBy"] in get_args(Sort) else "updated"
        self._wanted.descending = bool(asked["descending"])
        await self._load()

    def _sorting(self, total: int) -> dict[str, Any]:
        wanted = self._wanted
        return {"rowsPerPage": _PAGE, "rowsNumber": total, "sortBy": wanted.sort, "descending": wanted.descending}

    async def _load(self) -> None:
        visit = self._visit
        self._show_in_url()
        try:
            rows, total = await visit.act("knowledge.read", _rows, visit.desk, self._wanted)
        except Refused:
            return
        self._total.text = visit.t("total", total=f"{total:,}")
        self._pages.max = max(1, -(-total // _PAGE))
        self._pages.set_visibility(total > _PAGE)
        self._table.selected = []
        self._bulk.show([])
        self._table.pagination = self._sorting(total)
        self._table.rows = [self._row(stored, used) for stored, used in rows]
        self._table.update()

    def _show_in_url(self) -> None:
        set_ = self._wanted.model_dump(mode="json", exclude_defaults=True)
        ui.navigate.history.replace(PATH + (f"?{urlencode(set_)}" if set_ else ""))
        filters = {name: value for name, value in set_.items() if name in ("q", "language", "status", "category")}
        for kind, link in self._exports.items():
            link.props["href"] = f"/api/faqs/export?{urlencode({'format': kind} | filters)}"
            link.update()

    def _row(self, stored: StoredFaq, used: Usage) -> dict[str, Any]:
        t, faq = self._visit.t, stored.faq
        answers = (
            t("answered", answers=f"{used.answers:,}", last=f"{used.last.astimezone():%m-%d}") if used.last else "—"
        )
        return {
            "id": faq.id,
            "url": faq_url(faq.id),
            "question": faq.question[:300],
            "answer": faq.answer[:160],
            "language": t(faq.language),
            "category": faq.category,
            "status": t(faq.status),
            "look": _LOOKS[faq.status],
            "answers": answers,
            "helpful": used.helpful,
            "unhelpful": used.unhelpful,
            "updated": shown_time(stored),
        }


def faq_url(faq_id: str) -> str:
    """Where an FAQ is edited."""
    return f"{PATH}/{quote(faq_id, safe='')}"


def shown_time(stored: StoredFaq) -> str:
    """When an FAQ was last changed, by the server's clock."""
    return f"{stored.updated.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}"


def _categories(desk: Desk) -> list[str]:
    return editing_of(desk).list.categories()


def _rows(desk: Desk, wanted: Listing) -> tuple[list[tuple[StoredFaq, Usage]], int]:
    found, total = listed(desk, wanted.model_copy(update={"limit": _PAGE}))
    used = usage(log_of(desk), "faq", [one.faq.id for one in found])
    return [(one, used.get(one.faq.id, Usage())) for one in found], total
