"""The console's first page: how the bot is doing in a period, in numbers, charts and lists."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from pydantic import ValidationError
from starlette.requests import Request

from bot.statistics import Statistics
from web.api.overview import KINDS, OUTCOMES, Looking, looked
from web.api.periods import last_days
from web.console import charts
from web.console.frame import forbidden, frame, title
from web.console.links import file_link, source_address
from web.console.overview_cards import cards
from web.console.visit import Refused, Visit, open_visit

_ADDRESS = "/console/overview"
_DAYS = (1, 7, 30, 0)  # 0: custom
_COLOURS = (charts.GREEN, charts.BLUE, charts.ORANGE, charts.GREY)  # of OUTCOMES
_KIND_COLOURS = (charts.GREEN, charts.GREEN, charts.BLUE, charts.ORANGE, charts.GREY)
_PAGING = """:rows-per-page-options="[0]" :pagination-label="(first, last, all) => first + '–' + last + ' / ' + all" """
_LINK = """<q-td :props="props"><a class="k-link" :href="props.row.url">{{ props.row.title }}</a></q-td>"""


@ui.page("/overview", response_timeout=20)
async def overview(request: Request) -> None:
    """Show the page."""
    visit = open_visit("overview", request)
    if not visit.may("overview.read"):
        return forbidden(visit)
    with frame(visit):
        title(visit)
        await Overview(visit, dict(request.query_params)).show()


class Overview:
    """Period, language, and everything that is counted of them."""

    def __init__(self, visit: Visit, given: dict[str, str]) -> None:
        self._visit = visit
        days = given.pop("days", "")
        self._days = int(days) if days in {str(one) for one in _DAYS} else 0 if given.get("since") else 7
        try:
            self._looking = Looking.model_validate(given)
        except ValidationError:
            self._looking, self._days = Looking(), 7
        if self._days:
            period = last_days(self._days)
            self._looking = Looking(since=period.first, until=period.last, language=self._looking.language)

    async def show(self) -> None:
        """Build it; the numbers come as soon as the page stands."""
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-2"):
            periods = {days: t(f"days_{days}") for days in _DAYS}
            self._period = ui.select(periods, label=t("period"), value=self._days)
            self._since = ui.input(t("since"), value=str(self._looking.since or date.today())).props("type=date")
            self._until = ui.input(t("until"), value=str(self._looking.until or date.today())).props("type=date")
            languages = {"": t("both"), "zh": t("zh"), "en": t("en")}
            self._language = ui.select(languages, label=t("language"), value=self._looking.language or "")
            for one in (self._period, self._since, self._until, self._language):
                one.props("outlined dense options-dense stack-label").classes("k-choice")
                one.on_value_change(self._changed)
            for one in (self._since, self._until):
                one.bind_visibility_from(self._period, "value", value=0)
        self._busy = ui.linear_progress(show_value=False).props("indeterminate")
        self._place = ui.column().classes("w-full gap-4").props("data-testid=numbers")
        ui.timer(0.01, self._load, once=True)

    async def _changed(self) -> None:
        language = self._language.value or None
        if days := int(self._period.value):
            period = last_days(days)
            self._looking = Looking(since=period.first, until=period.last, language=language)
        else:
            given = {"since": self._since.value, "until": self._until.value, "language": language}
            try:
                self._looking = Looking.model_validate(given)
            except ValidationError:
                return  # a date that is half typed
            if self._looking.since and self._looking.until and self._looking.since > self._looking.until:
                ui.notify(self._visit.t("bad_period"), type="warning")
                return
        set_ = {"days": days, "language": language} if days else self._looking.model_dump(mode="json")
        ui.navigate.history.replace(f"{_ADDRESS}?{urlencode({name: one for name, one in set_.items() if one})}")
        await self._load()

    async def _load(self) -> None:
        visit = self._visit
        self._busy.set_visibility(True)
        try:
            found = await visit.act("overview.read", looked, visit.desk, self._looking)
        except Refused:
            return
        finally:
            self._busy.set_visibility(False)
        self._place.clear()
        with self._place:
            cards(visit, found, self._named())
            with ui.row().classes("gap-3"):
                self._csv("quality", visit.t("quality_csv") + " ")
                self._csv("handoffs", visit.t("handoffs_csv") + " ")
            self._charts(found)
            with ui.element("div").classes("k-two"):
                self._top(found)
                self._unused(found)

    def _named(self) -> str:
        """The period in words, as it stands behind a number."""
        t = self._visit.t
        if days := int(self._period.value):
            name = t(f"days_{days}")
            return name if self._visit.language == "zh" else name[0].lower() + name[1:]
        return t("from_to", since=self._looking.since, until=self._looking.until)

    def _charts(self, found: Statistics) -> None:
        t = self._visit.t
        days = [f"{day:%m-%d}" for day in found.days]
        outcomes = {t(one): [counts.get(one, 0) for counts in found.days.values()] for one in OUTCOMES}
        self._chart(
            "per_day", "days", charts.stacked(days, outcomes, _COLOURS, (t("day"), t("conversations"))), bool(days)
        )
        with ui.element("div").classes("k-two"):
            names, counts = [t(f"kind_{kind}") for kind in KINDS], [found.kinds.get(kind, 0) for kind in KINDS]
            options = charts.lying(names, counts, t("questions"), _KIND_COLOURS)
            self._chart("kinds", "answers", options, found.questions > 0)
            both = (found.first_token, found.whole)
            times = {
                t("median"): [round(one.middle or 0) for one in both],
                t("high"): [round(one.high or 0) for one in both],
            }
            named = (t("first_token"), t("whole"))
            options = charts.grouped(named, times, (charts.BLUE, charts.ORANGE), t("milliseconds"))
            self._chart("speed", "latency", options, found.whole.count > 0)

    def _chart(self, name: str, table: str, options: dict[str, Any], is_filled: bool) -> None:
        with self._panel(name, table):
            if not is_filled:
                ui.label(self._visit.t("nothing")).classes("k-empty")
                return
            ui.echart(options, renderer="svg").classes("k-chart").props(f"data-testid=chart-{name}")

    def _panel(self, name: str, table: str, hint: str = "") -> ui.card:
        with ui.card().classes("k-panel") as card:
            with ui.row().classes("w-full items-center gap-2"):
                ui.label(self._visit.t(name)).classes("font-semibold").props("role=heading aria-level=2")
                if hint:
                    ui.label(hint).classes("k-mute k-small")
                ui.space()
                self._csv(table)
        return card

    def _csv(self, table: str, before: str = "") -> None:
        set_ = {name: one for name, one in self._looking.model_dump(mode="json").items() if one}
        address = f"/api/overview/{table}.csv?{urlencode(set_)}"
        link = file_link(before + self._visit.t("csv"), address).classes("k-small")
        link.props(f"data-testid=csv-{table}")

    def _top(self, found: Statistics) -> None:
        t = self._visit.t
        rows = [
            {"id": f"{one.kind} {one.id}", "title": one.title, "count": one.count, "url": _page(one.kind, one.id)}
            for one in found.top
        ]
        with self._panel("top", "top", t("top_why")):
            self._table(rows, "no_top", [("title", "question", "left"), ("count", "answers", "right")])

    def _unused(self, found: Statistics) -> None:
        t, unused = self._visit.t, found.unused
        of = t("unused_of", count=f"{unused.count:,}", total=f"{unused.published:,}", period=self._named())
        rows = [{"id": id, "title": question, "url": _page("faq", id)} for id, question in unused.faqs]
        with self._panel("unused", "unused", of):
            self._table(rows, "no_unused", [("title", "question", "left")])

    def _table(self, rows: list[dict[str, Any]], empty: str, columns: list[tuple[str, str, str]]) -> None:
        t = self._visit.t
        if not rows:
            ui.label(t(empty)).classes("k-empty")
            return
        made = [{"name": name, "label": t(label), "field": name, "align": align} for name, label, align in columns]
        table = ui.table(columns=made, rows=rows, row_key="id", pagination=10).props("flat dense wrap-cells")
        table.props(_PAGING).classes("w-full").add_slot("body-cell-title", _LINK)


def _page(kind: str, id: str) -> str:
    return "/console" + source_address(kind, id)
