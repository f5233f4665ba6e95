"""Golden questions in the console: make one of what was tried, list, delete, export."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from web.api.golden import GoldenIn, GoldenOut, GoldenPage, Turn, added_golden, deleted_golden, golden_page, titles_of
from web.api.questions import TrialOut
from web.console.visit import Refused, Visit
from web.desk import Desk

_PAGE = 50
_MOST_SOURCES = 10
_LONGEST_ANSWER = 500


async def confirm_golden(visit: Visit, trial: TrialOut, earlier: list[str]) -> None:
    """Ask which sources answer the question, and keep it. Raises Refused."""
    t = visit.t
    sources = dict((hit.source_id, hit.title or hit.source_id) for hit in trial.hits[:_MOST_SOURCES])
    cited = {citation.source_id for citation in trial.citations}
    with ui.dialog(value=True) as dialog, ui.card().classes("w-full max-w-xl p-5 gap-3"):
        ui.label(t("make_golden")).classes("k-title")
        ui.label(trial.question).classes("k-pre font-semibold")
        ui.label(t("golden_hint")).classes("k-mute k-small")
        answerable = ui.switch(t("answerable"), value=bool(sources))
        with ui.column().classes("gap-0") as ticks:
            ui.label(t("relevant")).classes("k-small k-mute")
            ticked = {id: ui.checkbox(name, value=id in cited) for id, name in sources.items()}
            answers = ui.textarea(t("must_contain")).props("outlined dense autogrow rows=2 maxlength=4000")
            answers.classes("w-96 max-w-full mt-2")
        ticks.bind_visibility_from(answerable, "value")

        async def keep() -> None:
            wanted = [id for id, tick in ticked.items() if tick.value] if answerable.value else []
            needed = [line.strip()[:_LONGEST_ANSWER] for line in (answers.value or "").splitlines() if line.strip()]
            body = GoldenIn.model_construct(
                question=trial.question,
                language=trial.language,
                relevant=wanted,
                answers=needed[:20] if answerable.value else [],
                answerable=bool(answerable.value),
                history=[Turn(role="customer", text=text) for text in earlier],
            )
            try:
                await visit.act("conversations.correct", added_golden, visit.desk, visit.session, body)
            except Refused:
                return
            dialog.close()
            ui.notify(t("golden_added"), type="positive")

        with ui.row().classes("w-full justify-end"):
            ui.button(t("cancel"), on_click=dialog.close).props("flat")
            ui.button(t("save"), on_click=keep).props("unelevated")
    await dialog
    dialog.delete()


class GoldenList:
    """All golden questions, page by page."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def show(self) -> None:
        """Build the list."""
        t = self._visit.t
        with ui.row().classes("w-full items-center"):
            self._total = ui.label().classes("k-mute").props("data-testid=total")
            ui.space()
            with ui.element("a").props("href=/api/golden/export download").classes("k-link"):
                ui.label(t("export"))
        self._list = ui.column().classes("w-full gap-2").props("data-testid=golden")
        self._pages = ui.pagination(1, 1, value=1, on_change=self._load).props("max-pages=7")
        await self._load()

    async def _load(self) -> None:
        visit = self._visit
        offset = (int(self._pages.value or 1) - 1) * _PAGE
        try:
            page, titles = await visit.act("knowledge.read", _read, visit.desk, offset)
        except Refused:
            return
        self._total.text = visit.t("golden_total", total=f"{page.total:,}")
        self._pages.max = max(1, -(-page.total // _PAGE))
        self._pages.set_visibility(page.total > _PAGE)
        self._list.clear()
        with self._list:
            if not page.items:
                ui.label(visit.t("golden_none")).classes("k-empty")
            for one in page.items:
                self._draw(one, titles)

    def _draw(self, one: GoldenOut, titles: Mapping[str, str]) -> None:
        t = self._visit.t
        comma = "，" if self._visit.language == "zh" else ", "
        sources = comma.join(titles.get(id, id) for id in one.relevant) if one.answerable else t("no_answer")
        facts = [t(one.language), sources, *([" / ".join(one.answers)] if one.answers else [])]
        facts += [one.staff_name, f"{one.at.astimezone():%Y-%m-%d}"]
        with ui.row().classes("k-card w-full items-center px-4 py-2 no-wrap"):
            with ui.column().classes("gap-0 k-grow"):
                ui.label(one.question).classes("k-pre")
                ui.label(" · ".join(facts)).classes("k-mute k-small k-pre")
            if self._visit.may("conversations.correct"):
                delete = ui.button(icon="o_delete", on_click=lambda: self._delete(one)).props("flat round dense")
                delete.props(f'aria-label="{t("delete")}"')

    async def _delete(self, one: GoldenOut) -> None:
        visit, t = self._visit, self._visit.t
        with self._list, ui.dialog(value=True) as dialog, ui.card().classes("max-w-xl p-5 gap-3"):
            ui.label(t("golden_delete", question=one.question)).classes("k-pre")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=lambda: dialog.submit(False)).props("flat")
                ui.button(t("delete"), on_click=lambda: dialog.submit(True)).props("unelevated color=negative")
        if not await dialog:
            return
        try:
            await visit.act("conversations.correct", deleted_golden, visit.desk, visit.session, one.id)
        except Refused:
            pass
        await self._load()


def _read(desk: Desk, offset: int) -> tuple[GoldenPage, dict[str, str]]:
    """A page of the questions, and the titles of what answers them."""
    page = golden_page(desk, _PAGE, offset)
    return page, titles_of(desk, {id for one in page.items for id in one.relevant})
