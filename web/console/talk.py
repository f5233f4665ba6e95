"""One conversation of the inbox: transcript, notes, and whose it is. Knows no list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from nicegui import background_tasks, ui

from bot.handoffs import Note
from bot.types import Message
from web.api.inbox import Closing, Talk, Words, claimed, closed, noted, returned, seen, talk
from web.console.bell import quietly
from web.console.reply_box import MOST, ReplyBox
from web.console.visit import Refused, Visit
from web.notices import Notice
from web.problems import ApiError

_SHOWN = 200  # messages of a transcript


class TalkView:
    """The right side of the inbox. `id`: the conversation that is open, or nothing."""

    def __init__(self, visit: Visit, place: ui.column, left: Callable[[], None], took: Callable[[], object]) -> None:
        """left, took: called when the conversation is left, and when it has become the person's own."""
        self.id = ""
        self._visit = visit
        self._place = place
        self._left, self._took = left, took
        self._client = ui.context.client
        self._drafts: dict[str, str] = {}
        self._busy = self._again = False
        self._forget()
        with place:
            ui.label(visit.t("choose")).classes("k-empty k-talk-none")

    async def open(self, conversation_id: str) -> None:
        """Show a conversation."""
        self.id = conversation_id
        self._forget()
        self._build()
        await self._load()

    def heard(self, notice: Notice) -> None:
        """Something has happened in some conversation."""
        if notice.conversation_id != self.id and notice.what != "gap":
            return
        if notice.what != "typing":
            self._soon()
        elif not notice.staff_id:
            self._typing.set_visibility(True)
            self._quiet.deactivate()
            self._quiet.activate()

    def _forget(self) -> None:
        self._known: set[str] = set()
        self._reads: dict[str, ui.label] = {}  # under each staff message: that the customer has read it
        self._standing: tuple[object, ...] = ()
        self._noted = -1
        self._box: ReplyBox | None = None

    def _build(self) -> None:
        t = self._visit.t
        self._place.clear()
        with self._place:
            with ui.row().classes("k-talk-head w-full items-center gap-2 no-wrap"):
                back = ui.button(icon="arrow_back", on_click=self._leave).classes("k-talk-back")
                back.props(f'flat round aria-label="{t("back")}"')
                self._head = ui.row().classes("items-center gap-2 grow")
            self._said = ui.column().classes("k-said-list gap-0").props("role=log tabindex=0 data-testid=transcript")
            self._typing = ui.label(t("typing")).classes("k-mute k-small px-4")
            self._typing.set_visibility(False)
            self._quiet = ui.timer(5.0, lambda: self._typing.set_visibility(False), active=False, immediate=False)
            with ui.column().classes("k-talk-under gap-1"):
                self._under = ui.column().classes("w-full gap-1")
                self._note_pad()

    async def _load(self) -> None:
        visit, id = self._visit, self.id
        try:
            found = await quietly(visit, talk, visit.desk, id) if id else None
        except ApiError:  # it may have been erased meanwhile
            ui.notify(visit.t("no_such_conversation"), type="warning")
            return self._leave()
        if found is None or self._client.is_deleted or id != self.id:
            return
        self._header(found)
        self._transcript(found.messages)
        self._show_notes(found.notes)
        if self._box is not None:
            await quietly(visit, seen, visit.desk, visit.session, found)
            await self._box.suggest(found)

    def _soon(self) -> None:
        if self._busy:
            self._again = True
            return
        self._busy = True
        background_tasks.create(self._reload(), context=self._client)

    async def _reload(self) -> None:
        try:
            await self._load()
        finally:
            self._busy = False
        if self._again and not self._client.is_deleted:
            self._again = False
            self._soon()

    def _header(self, found: Talk) -> None:
        """Who has it and what can be done; the reply box is left alone unless that has changed."""
        handoff, t = found.handoff, self._visit.t
        standing = (handoff.id, handoff.claimed, handoff.staff_id, handoff.ended)
        if standing == self._standing:
            return
        self._standing = standing
        mine = handoff.ended is None and handoff.staff_id == self._visit.session.staff.id
        self._head.clear()
        with self._head:
            ui.label(f"{t('customer')} {self.id[:4].upper()}").classes("font-semibold")
            ui.label(t(f"reason_{handoff.reason.replace(' ', '_')}")).classes("k-chip k-small")
            ui.space()
            if handoff.ended is not None:
                ui.label(t(f"outcome_{handoff.outcome}")).classes("k-mute")
            elif handoff.claimed is None:
                ui.button(t("claim"), icon="o_front_hand", on_click=self._claim).props("unelevated")
            elif mine:
                self._ways_out()
            else:
                ui.label(t("with", name=handoff.staff_name)).classes("k-mute")
        self._under.clear()
        with self._under:
            self._box = ReplyBox(self._visit, self.id, self._drafts) if mine else None

    def _ways_out(self) -> None:
        t = self._visit.t
        back = ui.button(t("return"), icon="o_smart_toy", on_click=self._return).classes("k-way")
        back.props(f'flat dense aria-label="{t("return")}"')
        finish = ui.dropdown_button(t("finish"), icon="o_task_alt", auto_close=True).classes("k-way")
        with finish.props(f'flat dense aria-label="{t("finish")}"'):
            ui.item(t("finish_solved"), on_click=partial(self._finish, "solved"))
            ui.item(t("finish_unsolved"), on_click=partial(self._finish, "unsolved"))

    def _note_pad(self) -> None:
        t = self._visit.t
        with ui.expansion(t("notes"), icon="o_sticky_note_2").props("dense").classes("w-full k-notes") as self._pad:
            self._notes = ui.column().classes("w-full gap-0 k-note-list")
            with ui.row().classes("w-full items-end gap-2 no-wrap"):
                self._jot = ui.textarea().classes("grow")
                self._jot.props(f'outlined dense autogrow maxlength={MOST} placeholder="{t("note_hint")}"')
                self._jot.props(f'aria-label="{t("note_hint")}"')
                ui.button(t("add_note"), on_click=self._note).props("flat")

    def _show_notes(self, notes: Sequence[Note]) -> None:
        if len(notes) == self._noted:
            return
        self._noted = len(notes)
        self._pad.set_text(f"{self._visit.t('notes')} ({len(notes)})")
        self._notes.clear()
        with self._notes:
            for note in notes:
                ui.label(f"{note.staff_name} · {note.at.astimezone():%m-%d %H:%M}").classes("k-mute k-small")
                ui.label(note.text).classes("k-pre k-note")

    def _transcript(self, messages: Sequence[Message]) -> None:
        fresh = [message for message in messages[-_SHOWN:] if message.id not in self._known]
        with self._said:
            for message in fresh:
                self._known.add(message.id)
                self._line(message)
        if any(message.role == "customer" for message in fresh):
            self._typing.set_visibility(False)
        read = self._visit.desk.inbox.last_read(self.id, "customer")
        for id, label in self._reads.items():
            label.set_visibility(id == read)
        if fresh:
            end = f"const e = getHtmlElement({self._said.id}); if (e) e.scrollTop = e.scrollHeight;"
            ui.run_javascript(f"setTimeout(() => {{ {end} }}, 50)")

    def _line(self, message: Message) -> None:
        t = self._visit.t
        who = message.author or t("customer" if message.role == "customer" else "bot")
        with ui.column().classes(f"k-msg k-msg-{message.role} gap-0").props(f"data-testid=said-{message.role}"):
            ui.label(f"{who} · {message.at.astimezone():%H:%M}").classes("k-mute k-small")
            ui.label(message.text).classes("k-pre k-bubble")
            if message.answer and message.answer.citations:
                titles = dict.fromkeys(citation.title for citation in message.answer.citations)
                ui.label(t("sources") + " · ".join(titles)).classes("k-mute k-small")
            if message.role == "staff":
                self._reads[message.id] = ui.label(t("read")).classes("k-mute k-small")

    async def _note(self) -> None:
        visit = self._visit
        body = Words.model_construct(text=(self._jot.value or "")[:MOST])
        try:
            await visit.act("desk.use", noted, visit.desk, visit.session, self.id, body)
        except Refused:
            return
        self._jot.set_value("")

    async def _claim(self) -> None:
        visit = self._visit
        try:
            await visit.act("desk.use", claimed, visit.desk, visit.session, self.id)
        except Refused:
            return self._soon()
        self._took()

    async def _return(self) -> None:
        visit = self._visit
        try:
            await visit.act("desk.use", returned, visit.desk, visit.session, self.id)
        except Refused:
            return
        ui.notify(visit.t("returned"), type="positive")

    async def _finish(self, outcome: Literal["solved", "unsolved"]) -> None:
        visit = self._visit
        try:
            await visit.act("desk.use", closed, visit.desk, visit.session, self.id, Closing(outcome=outcome))
        except Refused:
            return
        ui.notify(visit.t("finished"), type="positive")

    def _leave(self) -> None:
        self.id = ""
        self._forget()
        self._place.clear()
        with self._place:
            ui.label(self._visit.t("choose")).classes("k-empty k-talk-none")
        self._left()
