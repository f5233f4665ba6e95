"""Try it: any question, with all that led to its answer; make it a golden question or an FAQ."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from nicegui import ui
from starlette.requests import Request

from web.api.questions import TrialIn, TrialOut, tried
from web.console.frame import forbidden, frame, title
from web.console.golden import GoldenList, confirm_golden
from web.console.trial import show_hits, show_trial
from web.console.visit import Refused, Visit, open_visit

PATH = "/console/try-it"
_MOST_EARLIER = 5
_MOST_URL = 1_000  # characters of a question that the URL keeps


@ui.page("/try-it", response_timeout=20)
async def try_it(request: Request, question: str = "", earlier: str = "", tab: str = "") -> None:
    """Show the page; a question in the URL is asked at once."""
    visit = open_visit("try_it", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    golden = tab == "golden"
    with frame(visit):
        title(visit)
        with ui.row().classes("gap-1").props("role=navigation"):
            for name, address, current in (
                ("try_it", "/try-it", not golden),
                ("golden", "/try-it?tab=golden", golden),
            ):
                link = ui.link(visit.t(name), address).classes("k-tab")
                if current:
                    link.props("aria-current=page")
        if golden:
            await GoldenList(visit).show()
        else:
            await Trial(visit).show(question[:_MOST_URL], earlier[:_MOST_URL])


class Trial:
    """The question, and what came of it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._trial: TrialOut | None = None
        self._earlier: list[str] = []

    async def show(self, question: str, earlier: str) -> None:
        """Build it; ask `question` if there is one."""
        t = self._visit.t
        with ui.column().classes("w-full gap-2 k-card p-4"):
            self._before = ui.textarea(t("earlier"), value=earlier).props("outlined dense autogrow rows=1")
            self._before.props("maxlength=10000").classes("w-full")
            with ui.row().classes("w-full items-center gap-2 no-wrap"):
                self._question = ui.input(t("question"), value=question).props(
                    "outlined dense maxlength=4000 autofocus"
                )
                self._question.classes("k-grow").on("keydown.enter", self._ask)
                self._button = ui.button(t("ask"), icon="o_science", on_click=self._ask).props("unelevated no-wrap")
        self._result = ui.column().classes("w-full gap-4").props("aria-live=polite")
        with self._result:
            ui.label(t("nothing_yet")).classes("k-empty")
        if question:
            await self._ask()

    async def _ask(self) -> None:
        visit = self._visit
        question = (self._question.value or "").strip()
        lines = [line.strip() for line in (self._before.value or "").splitlines()]
        self._earlier = [line for line in lines if line][-_MOST_EARLIER:]
        self._button.props("loading")
        try:
            body = TrialIn.model_construct(question=question, earlier=self._earlier)
            self._trial = await visit.act("knowledge.read", tried, visit.desk, body)
        except Refused:
            return
        finally:
            self._button.props(remove="loading")
        self._keep_in_url(question)
        self._result.clear()
        with self._result:
            show_trial(visit, self._trial)
            self._show_acts(self._trial)
            show_hits(visit, self._trial)

    def _keep_in_url(self, question: str) -> None:
        given = {"question": question[:_MOST_URL]}
        if self._earlier:
            given["earlier"] = "\n".join(self._earlier)[:_MOST_URL]
        ui.navigate.history.replace(f"{PATH}?{urlencode(given)}")

    def _show_acts(self, trial: TrialOut) -> None:
        t = self._visit.t
        with ui.row().classes("gap-2"):
            if self._visit.may("conversations.correct"):
                ui.button(t("make_golden"), icon="o_flag", on_click=self._make_golden).props("outline")
            if self._visit.may("knowledge.write"):
                link = ui.button(t("make_faq"), icon="o_quiz", on_click=lambda: ui.navigate.to(_faq_address(trial)))
                link.props("outline")

    async def _make_golden(self) -> None:
        if self._trial is not None:
            try:
                await confirm_golden(self._visit, self._trial, self._earlier)
            except Refused:
                return


def _faq_address(trial: TrialOut) -> str:
    """The FAQ editor, filled in: the question, and the answer where there is one to begin from."""
    given: dict[str, Any] = {"question": trial.question, "language": trial.language}
    if trial.kind in ("faq", "grounded"):
        given["answer"] = trial.text
    return "/faqs/new?" + urlencode(given, quote_via=quote)
