"""Importing FAQs from a file: template, dry run with every problem by row, confirmation, all or nothing."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import UploadEventArguments
from starlette.requests import Request

from web.api.faq_import import MOST_BYTES, MOST_ROWS, SHOWN, Plan, ReplacedOut, imported, planned, problem_out
from web.console.diff import show_diff
from web.console.drop_zone import draw_zone
from web.console.faqs import PATH
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit
from web.console.working import Working


@ui.page("/faqs/import", response_timeout=20)
async def import_page(request: Request) -> None:
    """Show the page."""
    visit = open_visit("faq_import", request)
    if not visit.may("knowledge.write"):
        return forbidden(visit)
    with frame(visit):
        with ui.row().classes("w-full items-center gap-2"):
            ui.button(icon="arrow_back").props(f'flat round href={PATH} aria-label="{visit.t("back")}"')
            title(visit)
        Import(visit).show()


class Import:
    """The steps: choose a file, look at the dry run, import."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._plan: Plan | None = None

    def show(self) -> None:
        """Build the first step."""
        t = self._visit.t
        ui.label(t("how")).classes("k-mute")
        with ui.row().classes("gap-4"):
            for kind in ("xlsx", "csv"):
                ui.link(t(f"template_{kind}"), f"/api/faqs/template?format={kind}").classes("k-link").props("download")
        self._upload = ui.upload(
            auto_upload=True,
            max_files=1,
            max_file_size=MOST_BYTES,
            on_upload=self._read,
            on_rejected=lambda: ui.notify(t("rejected"), type="negative"),
        )
        self._upload.props('accept=".csv,.xlsx,.jsonl"')
        draw_zone(self._visit, self._upload, t("kinds", rows=f"{MOST_ROWS:,}", most=MOST_BYTES // 1_000_000))
        self._result = ui.column().classes("w-full gap-3").props("data-testid=dry-run aria-live=polite")

    async def _read(self, event: UploadEventArguments) -> None:
        """Dry run: nothing is written."""
        visit = self._visit
        name, data = event.file.name, await event.file.read()
        self._upload.reset()
        self._result.clear()
        with self._result:
            ui.spinner(size="lg")
        try:
            self._plan = await visit.act("knowledge.write", planned, visit.desk, name, data)
        except Refused:
            self._result.clear()
            return
        self._result.clear()
        with self._result:
            self._show_plan(name, self._plan)

    def _show_plan(self, name: str, plan: Plan) -> None:
        t, out = self._visit.t, plan.out()
        with ui.column().classes("k-card k-pad w-full gap-2"):
            ui.label(name).classes("font-semibold")
            counts = {"rows": out.rows, "added": out.added, "changed": out.changed, "unchanged": out.unchanged}
            ui.label(t("counts", **{key: f"{count:,}" for key, count in counts.items()}))
            if out.problem_count:
                ui.label(t("problems", count=f"{out.problem_count:,}")).classes("k-bad font-semibold")
            elif out.added or out.changed:
                label = t("import_now", count=f"{out.added + out.changed:,}")
                ui.button(label, icon="o_upload", on_click=self._import).props("unelevated data-testid=confirm")
            else:
                ui.label(t("nothing_new")).classes("k-mute")
        if plan.problems:
            self._show_problems(plan)
        if out.changes:
            self._show_changes(out.changes, out.changed)

    def _show_problems(self, plan: Plan) -> None:
        visit, t = self._visit, self._visit.t
        columns = [
            {"name": name, "label": t(name), "field": name, "align": "left"} for name in ("row", "field", "problem")
        ]
        rows: list[dict[str, Any]] = [
            {"key": at, "row": one.row or "—", "field": one.field, "problem": problem_out(one).message[visit.language]}
            for at, one in enumerate(plan.problems[:SHOWN])
        ]
        table = ui.table(columns=columns, rows=rows, row_key="key", pagination={"rowsPerPage": 0})
        table.props("flat bordered dense wrap-cells hide-pagination data-testid=problems").classes("w-full")
        if len(plan.problems) > SHOWN:
            ui.label(t("first_shown", shown=SHOWN, count=f"{len(plan.problems):,}")).classes("k-mute k-small")

    def _show_changes(self, changes: list[ReplacedOut], count: int) -> None:
        t = self._visit.t
        with ui.expansion(t("would_change", count=f"{count:,}"), value=True).classes("w-full k-card"):
            for one in changes:
                with ui.column().classes("w-full gap-1 k-pad"):
                    ui.label(t("row_of", row=one.row, id=one.id)).classes("k-mute k-small")
                    for name in one.after:
                        ui.label(t(name)).classes("k-small font-semibold")
                        show_diff(_text(one.before[name]), _text(one.after[name]))
            if count > len(changes):
                ui.label(t("first_shown", shown=len(changes), count=f"{count:,}")).classes("k-mute k-small k-pad")

    async def _import(self) -> None:
        visit, plan = self._visit, self._plan
        assert plan is not None
        try:
            done = await Working(visit, visit.t("importing")).run(
                "knowledge.write", lambda progress: imported(visit.desk, visit.session, plan, progress)
            )
        except Refused:
            return
        self._plan = None
        self._result.clear()
        with self._result, ui.column().classes("k-card k-pad w-full gap-2 items-start"):
            ui.icon("o_check_circle", size="28px").classes("k-good")
            ui.label(visit.t("done", added=f"{done.added:,}", changed=f"{done.changed:,}"))
            ui.link(visit.t("to_list"), PATH).classes("k-link")


def _text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value or "")
