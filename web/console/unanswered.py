"""Unanswered questions, gathered by meaning, each group one click from an FAQ."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote, urlencode

from nicegui import ui
from starlette.requests import Request

from bot.gaps import Gap, Work
from bot.unanswered import Asked
from knowledge_base.types import Language
from web.api.unanswered import Asking, gathered, ignored, looked_again, spoken
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit

_ADDRESS = "/console/unanswered"
_DAYS = (7, 30, 90, 0)  # 0: all time
_PAGE = 20
_SHOWN = 30  # phrasings of a group
_TAKEN = 20  # phrasings that go into a new FAQ
_LONGEST_ANSWER = 1_000
_LONGEST = 200  # characters of each of them, as they travel in an address


@ui.page("/unanswered", response_timeout=20)
async def unanswered(request: Request) -> None:
    """Show the page."""
    visit = open_visit("unanswered", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    with frame(visit):
        title(visit)
        ui.label(visit.t("what")).classes("k-mute")
        await GapList(visit, _days(request.query_params.get("days")), request.query_params.get("language")).show()


class GapList:
    """The groups of a period, worked out while the page waits."""

    def __init__(self, visit: Visit, days: int, language: str | None) -> None:
        self._visit = visit
        self._days = days
        self._language: Language | None = "zh" if language == "zh" else "en" if language == "en" else None
        self._shown: Work | None = None
        self._gaps: list[Gap] = []

    async def show(self) -> None:
        """Build it and begin the work."""
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-2"):
            periods = {days: t(f"days_{days}") for days in _DAYS}
            self._period = ui.select(periods, label=t("period"), value=self._days, on_change=self._changed)
            self._period.props("outlined dense options-dense").classes("k-choice")
            languages = {"": t("both"), "zh": t("zh"), "en": t("en")}
            self._spoken = ui.select(languages, label=t("language"), value=self._language or "")
            self._spoken.props("outlined dense options-dense").classes("k-choice").on_value_change(self._changed)
            ui.space()
            if self._visit.may("knowledge.write"):
                ui.button(t("look_again"), on_click=self._look_again).props("flat dense")
        self._status = ui.label().classes("k-mute").props("aria-live=polite data-testid=summary")
        self._progress = ui.linear_progress(0, show_value=False).props("instant-feedback")
        self._list = ui.column().classes("w-full gap-3")
        self._pages = ui.pagination(1, 1, value=1, on_change=self._draw).props("max-pages=7")
        self._pages.set_visibility(False)
        self._timer = ui.timer(0.5, self._look)
        await self._look()

    async def _changed(self) -> None:
        self._days = int(self._period.value)
        self._language = self._spoken.value or None
        self._pages.value = 1
        set_ = {"days": self._days} | ({"language": self._language} if self._language else {})
        ui.navigate.history.replace(f"{_ADDRESS}?{urlencode(set_)}")
        self._shown = None
        self._timer.activate()
        await self._look()

    def _asking(self) -> Asking:
        since = date.today() - timedelta(days=self._days - 1) if self._days else None
        return Asking(since=since)

    async def _look(self) -> None:
        visit = self._visit
        try:
            work = await visit.act("knowledge.read", gathered, visit.desk, self._asking(), 0.3)
        except Refused:
            self._timer.deactivate()
            return
        finished = work.finished.is_set()
        self._progress.set_visibility(not finished)
        if not finished:
            self._progress.value = work.done / work.total if work.total else 0
            counts = {"done": work.done, "total": work.total}
            self._status.text = visit.t("working", **counts) if work.total else visit.t("starting")
            return
        self._timer.deactivate()
        self._shown = work
        self._gaps = spoken(work.gaps, self._language)
        self._pages.max = max(1, -(-len(self._gaps) // _PAGE))
        self._pages.set_visibility(len(self._gaps) > _PAGE)
        self._draw()

    def _draw(self) -> None:
        t, work = self._visit.t, self._shown
        if work is None:
            return
        self._status.text = t("gathering_failed") if work.failed else self._summary()
        first = (int(self._pages.value or 1) - 1) * _PAGE
        self._list.clear()
        with self._list:
            if not self._gaps and not work.failed:
                ui.label(t("nothing")).classes("k-empty")
            for gap in self._gaps[first : first + _PAGE]:
                self._card(gap)

    def _summary(self) -> str:
        return self._visit.t(
            "summary",
            questions=f"{sum(len(gap.questions) for gap in self._gaps):,}",
            gaps=f"{len(self._gaps):,}",
            count=f"{sum(gap.count for gap in self._gaps):,}",
            period=self._visit.t(f"days_{self._days}"),
        )

    def _card(self, gap: Gap) -> None:
        visit, t = self._visit, self._visit.t
        with ui.card().classes("k-gap w-full gap-2").props("data-testid=gap"):
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(t("times", count=gap.count)).classes("k-count")
                ui.label(gap.question).classes("k-pre font-semibold k-grow")
                if gap.draft:
                    ui.link(t("open_draft"), f"/faqs/{quote(gap.draft, safe='')}").classes("k-link")
                elif visit.may("knowledge.write"):
                    address = new_faq(gap)
                    ui.button(t("draft"), on_click=lambda: ui.navigate.to(address)).props(
                        "unelevated no-caps padding='4px 12px'"
                    )
                if visit.may("knowledge.write"):
                    ui.button(t("ignore"), on_click=lambda: self._ignore(gap)).props("flat padding='4px 10px'")
            reasons = [t(f"why_{why}", count=count) for why, count in gap.why.items()]
            reasons.append(t("last", at=f"{gap.last.astimezone():%Y-%m-%d %H:%M}"))
            ui.label(" · ".join(reasons)).classes("k-mute k-small")
            with ui.expansion(t("questions", count=len(gap.questions))).props("dense").classes("w-full k-small"):
                for one in gap.questions[:_SHOWN]:
                    self._question(one)

    def _question(self, one: Asked) -> None:
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-3"):
            ui.label(t("times", count=one.count)).classes("k-mute")
            ui.label(one.text).classes("k-pre k-grow")
            for number, id in enumerate(one.conversations, 1):
                ui.link(t("conversation", number=number), f"/conversations/{id}").classes("k-link")

    async def _ignore(self, gap: Gap) -> None:
        visit = self._visit
        try:
            count = await visit.act("knowledge.write", ignored, visit.desk, visit.session, gap)
        except Refused:
            return
        ui.notify(visit.t("ignored", count=count), type="positive")
        self._timer.activate()
        await self._look()

    async def _look_again(self) -> None:
        visit = self._visit
        try:
            count = await visit.act("knowledge.write", looked_again, visit.desk, visit.session)
        except Refused:
            return
        ui.notify(visit.t("looked_again", count=count), type="positive")
        self._timer.activate()
        await self._look()


def new_faq(gap: Gap) -> str:
    """The address, below /console, of the editor with a gap's question and similar questions filled in."""
    similar = [("similar", text[:_LONGEST]) for text in gap.similar[:_TAKEN]]
    known = [("question", gap.question), ("language", gap.language), ("answer", gap.answer[:_LONGEST_ANSWER])]
    return "/faqs/new?" + urlencode([pair for pair in [*known, *similar] if pair[1]])


def _days(given: str | None) -> int:
    return int(given) if given in {str(days) for days in _DAYS} else 30
