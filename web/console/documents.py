"""The list of documents and the trash: search, sort, pages, all kept in the URL. Files are dropped here."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import quote, urlencode

from nicegui import ui
from pydantic import ValidationError
from starlette.requests import Request

from knowledge_base.document_list import Sort
from web.api.document_bodies import DocumentOut, Listed
from web.api.documents import page_of
from web.console.document_acts import Acts
from web.console.document_upload import Uploads
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit

PATH = "/console/documents"
_PAGE = 50
_LIVE = (
    ("title", ""),
    ("id", "k-wide"),
    ("language", "k-wide"),
    ("passages", ""),
    ("version", "k-wide"),
    ("updated", ""),
)
_GONE = (("title", ""), ("id", "k-wide"), ("language", "k-wide"), ("trashed", ""))
_LINK = """<q-td :props="props"><a class="k-link" :href="props.row.url">{{ props.row.title }}</a></q-td>"""


@ui.page("/documents", response_timeout=20)
async def documents(request: Request) -> None:
    """Show the page."""
    visit = open_visit("documents", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    query = dict(request.query_params)
    in_trash = query.pop("tab", "") == "trash"
    try:
        listed = Listed.model_validate(query)
    except ValidationError:
        listed = Listed()
    with frame(visit):
        title(visit)
        with ui.row().classes("gap-1").props("role=navigation"):
            for name, address, current in (
                ("documents", "/documents", not in_trash),
                ("trash", "/documents?tab=trash", in_trash),
            ):
                link = ui.link(visit.t(name), address).classes("k-tab")
                if current:
                    link.props("aria-current=page")
        await DocumentTable(visit, listed, in_trash).show()


class DocumentTable:
    """Filters, table and pages of the documents, or of those in the trash."""

    def __init__(self, visit: Visit, listed: Listed, in_trash: bool) -> None:
        self._visit = visit
        self._listed = listed
        self._in_trash = in_trash
        self._may_write = visit.may("knowledge.write")
        self._acts = Acts(visit, self.load)

    async def show(self) -> None:
        """Build it and read the first page."""
        if self._may_write and not self._in_trash:
            Uploads(self._visit, changed=self.load).show()
        self._acts.show()
        self._filters()
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-2 min-h-9"):
            self._total = ui.label().classes("k-mute").props("data-testid=total aria-live=polite")
            ui.space()
            with ui.row().classes("gap-2") as self._selected:
                if self._in_trash:
                    ui.button(t("restore"), icon="o_restore_from_trash", on_click=self._restore).props("flat dense")
                    ui.button(t("erase"), icon="o_delete_forever", on_click=self._erase).props(
                        "flat dense color=negative"
                    )
                else:
                    ui.button(t("to_trash"), icon="o_delete", on_click=self._trash).props("flat dense")
        self._selected.set_visibility(False)
        self._make_table()
        first = self._listed.offset // _PAGE + 1
        self._pages = ui.pagination(1, first, value=first, on_change=self._turned).props("max-pages=7 boundary-numbers")
        await self.load()

    def _filters(self) -> None:
        t, listed = self._visit.t, self._listed
        with ui.row().classes("w-full items-center gap-2"):
            self._text = ui.input(t("search_hint"), value=listed.q).props("outlined dense clearable debounce=400")
            self._text.props("maxlength=200 type=search").classes("k-grow")
            languages = {one: t(one) for one in ("zh", "en")}
            self._language = ui.select(languages, label=t("language"), value=listed.language, clearable=True)
            self._language.props("outlined dense options-dense").classes("k-choice")
            orders = {one: t(f"sort_{one}") for one in get_args(Sort)}
            self._sort = ui.select(orders, label=t("sort"), value=listed.sort).props("outlined dense options-dense")
            self._sort.classes("k-choice")
        for one in (self._text, self._language, self._sort):
            one.on_value_change(self._changed)

    def _make_table(self) -> None:
        t = self._visit.t
        columns = [
            {
                "name": name,
                "label": t("language" if name == "language" else f"col_{name}"),
                "field": name,
                "align": "right" if name in ("passages", "version") else "left",
                "classes": look,
                "headerClasses": look,
            }
            for name, look in (_GONE if self._in_trash else _LIVE)
        ]
        selection: Any = "multiple" if self._may_write else None
        self._table = ui.table(
            columns=columns, rows=[], row_key="id", selection=selection, on_select=self._select
        ).props("flat bordered wrap-cells dense")
        self._table.classes("w-full").add_slot("body-cell-title", _LINK)

    def _select(self) -> None:
        self._selected.set_visibility(bool(self._table.selected))

    def _chosen(self) -> list[str]:
        return [row["id"] for row in self._table.selected]

    async def _trash(self) -> None:
        try:
            await self._acts.trash(self._chosen())
        except Refused:
            return

    async def _restore(self) -> None:
        try:
            await self._acts.restore(self._chosen())
        except Refused:
            await self.load()

    async def _erase(self) -> None:
        for document_id in self._chosen():
            try:
                await self._acts.confirm_erase(document_id)
            except Refused:
                break
        await self.load()

    async def _changed(self) -> None:
        given = {"q": self._text.value or "", "language": self._language.value, "sort": self._sort.value}
        self._listed = Listed.model_validate(given)
        if self._pages.value != 1:
            self._pages.value = 1  # which loads
        else:
            await self.load()

    async def _turned(self) -> None:
        self._listed.offset = (int(self._pages.value or 1) - 1) * _PAGE
        await self.load()

    async def load(self) -> None:
        """Read the page of the list that is shown."""
        visit, listed = self._visit, self._listed
        self._show_in_url()
        try:
            page = await visit.act("knowledge.read", page_of, visit.desk, listed, self._in_trash)
        except Refused:
            return
        self._total.text = visit.t("total", total=f"{page.total:,}")
        self._pages.max = max(1, -(-page.total // _PAGE))
        self._pages.set_visibility(page.total > _PAGE)
        self._table.add_slot("no-data", f'<div class="k-empty">{self._why_empty()}</div>')
        self._table.selected = []
        self._select()
        self._table.rows = [self._row(one) for one in page.items]
        self._table.update()

    def _why_empty(self) -> str:
        if self._listed.q or self._listed.language:
            return self._visit.t("nothing_found")
        if self._in_trash:
            return self._visit.t("trash_empty")
        return self._visit.t("no_documents" if self._may_write else "no_documents_reader")

    def _show_in_url(self) -> None:
        set_ = self._listed.model_dump(mode="json", exclude_defaults=True)
        set_ |= {"tab": "trash"} if self._in_trash else {}
        ui.navigate.history.replace(PATH + (f"?{urlencode(set_)}" if set_ else ""))

    def _row(self, one: DocumentOut) -> dict[str, Any]:
        return {
            "id": one.id,
            "url": f"{PATH}/view?id={quote(one.id, safe='')}",
            "title": one.title or one.id,
            "language": self._visit.t(one.language),
            "passages": one.passages,
            "version": one.version,
            "updated": f"{one.updated.astimezone():%Y-%m-%d %H:%M}",
            "trashed": f"{one.trashed.astimezone():%Y-%m-%d %H:%M}" if one.trashed else "",
        }
