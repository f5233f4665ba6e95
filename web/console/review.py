"""The review queue: what the log could teach, one example after another, decided by keyboard or button."""

from __future__ import annotations

from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import KeyEventArguments

from bot.examples import Status
from web.api.learning import collect, counts, decided, examples_page
from web.api.learning_forms import Decision, ExampleOut
from web.console.visit import Refused, Visit

_PAGE = 50
_STATUSES: tuple[Status, ...] = ("new", "approved", "rejected")
_LONGEST = 4_000
_PAD = 'padding="3px 12px"'


class Review:
    """The queue of one status; one example is the current one, which the keys decide."""

    def __init__(self, visit: Visit, status: str | None) -> None:
        self._visit = visit
        self._status: Status = next((one for one in _STATUSES if one == status), "new")
        self._shown: list[ExampleOut] = []
        self._cards: list[ui.card] = []
        self._at = 0
        self._last: ExampleOut | None = None
        self._open = False  # a dialog has the keys
        self._total = 0

    async def show(self) -> None:
        """Build it."""
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-2"):
            choice = ui.select({one: t(f"status_{one}") for one in _STATUSES}, label=t("status"), value=self._status)
            choice.props("outlined dense options-dense").classes("k-choice").on_value_change(
                lambda event: self._choose(event.value)
            )
            self._count = ui.label().classes("k-mute").props("aria-live=polite data-testid=count")
            ui.space()
            self._collect = ui.button(t("collect"), on_click=self._begin_collecting).props("flat dense")
        ui.label(t("keys")).classes("k-mute k-small k-wide")
        self._list = ui.column().classes("w-full gap-3").props("data-testid=queue")
        ui.keyboard(on_key=self._key, ignore=["input", "select", "textarea"], repeating=False)
        self._timer = ui.timer(1.0, self._look, active=False)
        await self._load()

    async def _choose(self, status: Status) -> None:
        self._status, self._at = status, 0
        ui.navigate.history.replace(f"/console/learning?{urlencode({'status': status})}")
        await self._load()

    async def _load(self) -> None:
        visit = self._visit
        try:
            page = await visit.act("conversations.correct", examples_page, visit.desk, self._status, _PAGE)
        except Refused:
            return
        self._shown, self._total = page.items, page.total
        self._draw()

    def _draw(self) -> None:
        t = self._visit.t
        self._count.text = t("review_count", shown=len(self._shown), total=f"{self._total:,}")
        self._at = max(0, min(self._at, len(self._shown) - 1))
        self._list.clear()
        self._cards = []
        with self._list:
            if not self._shown:
                ui.label(t(f"none_{self._status}")).classes("k-empty")
            for number, one in enumerate(self._shown):
                self._cards.append(self._card(number, one))
        self._mark()

    def _card(self, number: int, one: ExampleOut) -> ui.card:
        t = self._visit.t
        with ui.card().classes("k-gap k-example w-full gap-2").props("data-testid=example") as card:
            card.on("click", lambda: self._go(number))
            with ui.row().classes("w-full items-center gap-2"):
                ui.label(t(f"label_{one.label}")).classes("k-tag")
                ui.label(t(one.language)).classes("k-tag")
                if one.source_id:
                    ui.label(t("source", id=one.source_id)).classes("k-tag k-one-line")
                if one.sure:
                    ui.label(t("sure")).classes("k-tag k-good")
                if one.masked:
                    kinds = ", ".join(t(f"mask_{kind}", count=count) for kind, count in sorted(one.masked.items()))
                    ui.label(t("masked", kinds=kinds)).classes("k-tag k-warn").props("data-testid=masked")
                ui.space()
                ui.link(t("conversation"), f"/conversations/{one.conversation_id}").classes("k-link k-small")
            ui.label(one.question).classes("k-pre font-semibold")
            ui.label(one.answer).classes("k-pre")
            if one.staff_name:
                ui.label(f"{one.staff_name} · {one.decided and one.decided.astimezone():%Y-%m-%d %H:%M}").classes(
                    "k-mute k-small"
                )
            with ui.row().classes("gap-2"):
                if self._status != "approved":
                    ui.button(t("approve"), on_click=lambda: self._decide(one, "approved")).props(f"unelevated {_PAD}")
                ui.button(t("edit"), on_click=lambda: self._edit(one)).props(f"flat {_PAD}")
                if self._status != "rejected":
                    ui.button(t("reject"), on_click=lambda: self._decide(one, "rejected")).props(f"flat {_PAD}")
        return card

    def _go(self, number: int) -> None:
        self._at = number
        self._mark()

    def _mark(self) -> None:
        for number, card in enumerate(self._cards):
            current = number == self._at
            card.classes(add="k-current" if current else "", remove="" if current else "k-current")
            card.props(f"aria-current={'true' if current else 'false'}")

    async def _key(self, event: KeyEventArguments) -> None:
        modified = event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta
        if not event.action.keydown or self._open or modified:
            return
        key = str(event.key.name or "").lower()
        if key == "u":
            await self._undo()
        elif key in ("j", "k") and self._cards:
            self._go(max(0, min(len(self._cards) - 1, self._at + (1 if key == "j" else -1))))
            self._cards[self._at].run_method("$el.scrollIntoView", {"block": "nearest"})
        elif key in ("a", "r") and self._shown:
            await self._decide(self._shown[self._at], "approved" if key == "a" else "rejected")
        elif key == "e" and self._shown:
            await self._edit(self._shown[self._at])

    async def _decide(self, one: ExampleOut, status: Status, **words: str) -> None:
        visit = self._visit
        body = Decision.model_construct(status=status, question=words.get("question"), answer=words.get("answer"))
        try:
            after = await visit.act("conversations.correct", decided, visit.desk, visit.session, one.id, body)
        except Refused:
            return
        self._last = one
        if status == self._status:
            self._shown = [after if shown.id == one.id else shown for shown in self._shown]
        else:
            self._shown = [shown for shown in self._shown if shown.id != one.id]
            self._total -= 1
        if not self._shown and self._total:
            return await self._load()
        self._draw()

    async def _undo(self) -> None:
        """Put the example decided last back, with the words that it had."""
        if (one := self._last) is None:
            return
        visit = self._visit
        body = Decision.model_construct(status=one.status, question=one.question, answer=one.answer, sure=one.sure)
        try:
            await visit.act("conversations.correct", decided, visit.desk, visit.session, one.id, body)
        except Refused:
            return
        self._last = None
        ui.notify(visit.t("undone"))
        await self._load()

    async def _edit(self, one: ExampleOut) -> None:
        t = self._visit.t
        self._open = True
        with self._list, ui.dialog(value=True) as dialog, ui.card().classes("k-dialog"):
            field = f"outlined autogrow maxlength={_LONGEST}"
            question = ui.textarea(t("question"), value=one.question).props(field).classes("w-full")
            answer = ui.textarea(t("answer"), value=one.answer).props(field).classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=lambda: dialog.submit(False)).props("flat")
                ui.button(t("save_approve"), on_click=lambda: dialog.submit(True)).props("unelevated")
        saved = await dialog
        self._open = False
        if saved:
            words = {"question": (question.value or "")[:_LONGEST], "answer": (answer.value or "")[:_LONGEST]}
            changed = {name: text for name, text in words.items() if text != getattr(one, name)}
            await self._decide(one, "approved", **changed)
        dialog.delete()

    async def _begin_collecting(self) -> None:
        visit = self._visit
        try:
            before = await visit.act("conversations.correct", counts, visit.desk)
            await visit.act("conversations.correct", collect, visit.desk, visit.session)
        except Refused:
            return
        self._before = before.new
        self._collect.disable()
        self._count.text = visit.t("collecting")
        self._timer.activate()

    async def _look(self) -> None:
        visit = self._visit
        try:
            found = await visit.act("conversations.correct", counts, visit.desk)
        except Refused:
            self._timer.deactivate()
            return
        if found.collecting:
            return
        self._timer.deactivate()
        self._collect.enable()
        if found.failed:
            ui.notify(visit.t("collect_failed", error=found.failed[-300:]), type="negative", multi_line=True)
        else:
            ui.notify(visit.t("collected", count=max(0, found.new - self._before)), type="positive")
        await self._load()
