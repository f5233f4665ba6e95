"""What can be done with documents: into the trash, undo, restore, delete for good with a receipt. Knows no list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from knowledge_base.convert import Cancelled
from knowledge_base.types import Put
from web.api.document_bodies import ReceiptOut
from web.api.documents import erased, found_row, restored, trashed
from web.console.visit import Refused, Visit
from web.uploads import Job

_TICK = 0.3


class Acts:
    """The acts of one page, and the line that offers to undo the last one."""

    def __init__(self, visit: Visit, changed: Callable[[], Awaitable[None]]) -> None:
        """changed: called when documents have come or gone."""
        self._visit = visit
        self._changed = changed

    def show(self) -> None:
        """Build the line; it shows once there is something to undo."""
        with ui.row().classes("w-full items-center k-card px-4 py-2").props("role=status") as self._line:
            self._told = ui.label()
            ui.space()
            ui.button(self._visit.t("undo"), icon="undo", on_click=self._undo).props("flat dense")
        self._line.set_visibility(False)
        self._gone: list[str] = []

    async def trash(self, ids: list[str]) -> None:
        """Move documents to the trash, and offer to undo it. Raises Refused."""
        visit = self._visit
        self._gone = await visit.act("knowledge.write", trashed, visit.desk, visit.session, ids)
        self._told.text = visit.t("in_trash", count=len(self._gone))
        self._line.set_visibility(True)
        await self._changed()

    async def restore(self, ids: list[str]) -> None:
        """Take documents out of the trash, with progress; can be cancelled. Raises Refused."""
        visit = self._visit
        for document_id in ids:
            job = Job(document_id)
            dialog = _progress(visit, visit.t("restoring", id=document_id), job, cancel=True)
            try:
                put = await visit.act("knowledge.write", self._restored, document_id, job)
            finally:
                dialog.delete()
            if put is not None:
                ui.notify(visit.t("restored", id=document_id, passages=put.passages), type="positive")
        await self._changed()

    def _restored(self, document_id: str, job: Job) -> Put | None:
        try:
            return restored(self._visit.desk, self._visit.session, document_id, job.encoded)
        except Cancelled:
            return None

    async def _undo(self) -> None:
        self._line.set_visibility(False)
        try:
            await self.restore(self._gone)
        except Refused:
            await self._changed()

    async def confirm_erase(self, document_id: str) -> bool:
        """Say what will be gone, delete it for good if that is wanted, and show the receipt. Raises Refused.

        Returns whether it was deleted; what lists documents has yet to be told.
        """
        visit, t = self._visit, self._visit.t
        row = await visit.act("knowledge.write", found_row, visit.desk, document_id)
        with ui.dialog(value=True) as dialog, ui.card().classes("max-w-xl p-5 gap-3"):
            ui.label(t("erase_title", title=row.title)).classes("k-title k-pre")
            ui.label(t("erase_what", id=row.id, characters=f"{row.characters:,}")).classes("k-pre")
            ui.label(t("erase_keeps")).classes("k-mute")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=lambda: dialog.submit(False)).props("flat")
                ui.button(t("erase"), on_click=lambda: dialog.submit(True)).props("unelevated color=negative")
        wanted = await dialog
        dialog.delete()
        if wanted:
            await self._erase(document_id)
        return bool(wanted)

    async def _erase(self, document_id: str) -> None:
        visit = self._visit
        job = Job(document_id)
        dialog = _progress(visit, visit.t("erasing"), job)
        try:
            receipt = await visit.act("knowledge.write", erased, visit.desk, visit.session, document_id, job.encoded)
        finally:
            dialog.delete()
        self._line.set_visibility(False)
        await _show_receipt(visit, receipt)


def _progress(visit: Visit, what: str, job: Job, cancel: bool = False) -> ui.dialog:
    """A dialog that tells how far a job is."""
    with ui.dialog(value=True).props("persistent") as dialog, ui.card().classes("w-80 p-5 gap-3"):
        ui.label(what).classes("k-pre")
        bar = ui.linear_progress(0.0, show_value=False).props("rounded")
        count = ui.label().classes("k-mute k-small")
        if cancel:
            ui.button(visit.t("cancel"), on_click=lambda: setattr(job, "stop", True)).props("flat")

        def draw() -> None:
            bar.value = job.done / job.total if job.total else 0.0
            count.text = f"{job.done} / {job.total}" if job.total else ""

        ui.timer(_TICK, draw)
    return dialog


async def _show_receipt(visit: Visit, receipt: ReceiptOut) -> None:
    t = visit.t
    lines = (
        ("receipt_document", f"{receipt.title} ({receipt.id})"),
        ("receipt_passages", f"{receipt.passages:,}"),
        ("receipt_probed", f"{receipt.probed:,}"),
        ("receipt_found", f"{receipt.passages_found:,}"),
        ("receipt_vectors", f"{receipt.vectors_found:,}"),
        ("receipt_rows", f"{receipt.rows_found:,}"),
        ("receipt_elsewhere", ", ".join(receipt.elsewhere) or t("receipt_none")),
        ("receipt_citing", f"{receipt.answers_citing:,}"),
        ("receipt_when", f"{receipt.at.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("receipt_who", receipt.staff_name),
    )
    with ui.dialog(value=True) as dialog, ui.card().classes("max-w-2xl p-5 gap-3").props("data-testid=receipt"):
        ui.label(t("receipt")).classes("k-title")
        good = receipt.clean
        with ui.row().classes("items-center no-wrap"):
            ui.icon("verified" if good else "error", size="22px").classes("k-good" if good else "k-bad")
            ui.label(t("receipt_clean" if good else "receipt_unclean"))
        with ui.element("dl").classes("k-facts"):
            for name, value in lines:
                with ui.element("dt"):
                    ui.label(t(name))
                with ui.element("dd").props(f"data-testid={name}"):
                    ui.label(value).classes("k-pre")
        text = receipt.model_dump_json(indent=2)
        with ui.row().classes("w-full justify-end"):
            ui.button(
                t("download_receipt"),
                icon="download",
                on_click=lambda: ui.download(text.encode(), "kefu-receipt.json", "application/json"),
            ).props("flat")
            ui.button(t("close"), on_click=dialog.close).props("unelevated")
    await dialog
    dialog.delete()
