"""One document: how it was cut into passages; replace it, put it into the trash, restore it, delete it for good."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from nicegui import ui
from starlette.requests import Request

from web.api.document_bodies import CutPage, CutsListed, DocumentText
from web.api.documents import cuts_of, document_of
from web.console.document_acts import Acts
from web.console.document_upload import Uploads
from web.console.frame import forbidden, frame, title
from web.console.passage import show_passage
from web.console.visit import Refused, Visit, open_visit

_LIST = "/documents"  # NiceGUI puts /console before it
_PAGE = 50
T = TypeVar("T")
_MOST_SHOWN = 50_000  # characters of a text in the trash


@ui.page("/documents/view", response_timeout=20)
async def document(request: Request, id: str = "") -> None:
    """Show the page."""
    visit = open_visit("documents", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    with frame(visit):
        ui.link(f"← {visit.t('back')}", _LIST).classes("k-link")
        await DocumentView(visit, id[:512]).show()


class DocumentView:
    """A document's facts, acts and passages."""

    def __init__(self, visit: Visit, document_id: str) -> None:
        self._visit = visit
        self._id = document_id
        self._acts = Acts(visit, self.load)
        self._number = 1

    async def show(self) -> None:
        """Build it."""
        self._page = ui.column().classes("w-full gap-4")
        with self._page:
            await self._show()

    async def _show(self) -> None:
        self._acts.show()
        self._head = ui.column().classes("w-full gap-2")
        self._upload = ui.column().classes("w-full")
        if self._visit.may("knowledge.write"):
            with self._upload:
                Uploads(self._visit, self._id, self.load).show()
        self._upload.set_visibility(False)
        self._body = ui.column().classes("w-full gap-2")
        await self.load()

    async def load(self) -> None:
        """Read the document and show it as it now is."""
        with self._page:  # which stays, while the button that was clicked may go
            await self._load()

    async def _load(self) -> None:
        visit = self._visit
        self._head.clear()
        self._body.clear()
        try:
            shown = await visit.act("knowledge.read", document_of, visit.desk, self._id)
        except Refused:
            self._upload.set_visibility(False)
            with self._head:
                title(visit)
                ui.label(visit.t("no_such_document")).classes("k-empty")
            return
        with self._head:
            self._show_head(shown)
        if shown.trashed:
            self._upload.set_visibility(False)
            with self._body:
                ui.label(visit.t("whole_text")).classes("font-semibold")
                ui.label(shown.text[:_MOST_SHOWN]).classes("k-pre k-card p-4 w-full")
        else:
            await self._show_passages()

    def _show_head(self, shown: DocumentText) -> None:
        visit, t = self._visit, self._visit.t
        ui.label(shown.title or shown.id).classes("k-title k-pre").props("role=heading aria-level=1")
        facts = t(
            "facts",
            id=shown.id,
            language=t(shown.language),
            version=shown.version,
            updated=f"{shown.updated.astimezone():%Y-%m-%d %H:%M}",
            characters=f"{shown.characters:,}",
        )
        ui.label(facts).classes("k-mute k-pre")
        if shown.trashed:
            ui.label(t("is_in_trash")).classes("k-warn")
        if not visit.may("knowledge.write"):
            return
        with ui.row().classes("gap-2"):
            if shown.trashed:
                ui.button(t("restore"), icon="o_restore_from_trash", on_click=self._restore).props("unelevated")
                erase = ui.button(t("erase"), icon="o_delete_forever", on_click=self._erase)
                erase.props("outline color=negative")
            else:
                ui.button(t("replace"), icon="o_upload_file", on_click=self._replace).props("unelevated")
                ui.button(t("to_trash"), icon="o_delete", on_click=self._trash).props("outline")

    async def _show_passages(self) -> None:
        visit = self._visit
        listed = CutsListed(limit=_PAGE, offset=(self._number - 1) * _PAGE)
        try:
            page = await visit.act("knowledge.read", cuts_of, visit.desk, self._id, listed)
        except Refused:
            return
        with self._body:
            self._draw(page)

    def _draw(self, page: CutPage) -> None:
        t = self._visit.t
        ui.label(t("passages", total=f"{page.total:,}")).classes("font-semibold")
        for cut in page.items:
            with ui.column().classes("k-card p-4 w-full gap-1").props("data-testid=passage"):
                facts = t("passage_facts", number=cut.number, language=t(cut.language), tokens=cut.tokens)
                ui.label(facts).classes("k-mute k-small")
                if cut.headings:
                    ui.label(" › ".join(cut.headings)).classes("font-semibold k-pre")
                show_passage(cut.text)
        pages = -(-page.total // _PAGE)
        if pages > 1:
            ui.pagination(1, pages, value=self._number, on_change=lambda event: self._turn(event.value)).props(
                "max-pages=7 boundary-numbers"
            )

    async def _turn(self, number: int) -> None:
        self._number = int(number)
        await self.load()

    def _replace(self) -> None:
        self._upload.set_visibility(True)

    async def _trash(self) -> None:
        await self._done(self._acts.trash([self._id]))

    async def _restore(self) -> None:
        await self._done(self._acts.restore([self._id]))

    async def _erase(self) -> None:
        if await self._done(self._acts.confirm_erase(self._id)):
            ui.navigate.to(f"{_LIST}?tab=trash")

    async def _done(self, act: Awaitable[T]) -> T | None:
        """What an act gives; None when it was refused."""
        with self._page:
            try:
                return await act
            except Refused:
                return None
