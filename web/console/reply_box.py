"""Where one of the staff writes to a customer: reply box with texts of the knowledge base to insert. Knows no list."""

from __future__ import annotations

import time

from nicegui import ui

from web.api.inbox import Suggestion, Talk, Words, replied, suggestions
from web.console.bell import quietly
from web.console.visit import Refused, Visit

MOST = 4_000
_NOTED = 2.0  # seconds between two notices that somebody types
_ENTER = """(e) => { if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
  e.preventDefault(); emit(e.target.value); }"""


class ReplyBox:
    """For one conversation that is the person's own. `drafts`: what was typed and not sent, by conversation."""

    def __init__(self, visit: Visit, conversation_id: str, drafts: dict[str, str]) -> None:
        self._visit = visit
        self._id = conversation_id
        self._drafts = drafts
        self._asked = ""  # the message for which suggestions are shown
        self._told = 0.0
        self._build()

    def _build(self) -> None:
        t = self._visit.t
        self._hints = ui.row().classes("w-full k-hints")
        with ui.row().classes("w-full items-end gap-2 no-wrap"):
            self._words = ui.textarea(value=self._drafts.get(self._id, ""), on_change=self._typed).classes("grow")
            self._words.props(f'outlined dense autogrow maxlength={MOST} placeholder="{t("reply_hint")}"')
            self._words.props(f'aria-label="{t("reply_hint")}" data-testid=reply')
            self._words.on("keydown", lambda event: self._reply(event.args), js_handler=_ENTER)
            send = ui.button(icon="send", on_click=lambda: self._reply(self._words.value))
            send.props(f'round unelevated aria-label="{t("send")}"')

    async def suggest(self, found: Talk) -> None:
        """Offer texts for the customer's last question, once for each."""
        visit = self._visit
        said = [message.id for message in found.messages if message.role == "customer"]
        if not said or said[-1] == self._asked:
            return
        self._asked = said[-1]
        offered = await quietly(visit, suggestions, visit.desk, found)
        if offered is None or self._hints.is_deleted:
            return
        self._hints.clear()
        with self._hints:
            if offered:
                ui.label(visit.t("suggested")).classes("k-mute k-small w-full")
            for one in offered:
                self._hint(one)

    def _hint(self, one: Suggestion) -> None:
        with ui.element("button").classes("k-hint").props("type=button data-testid=suggestion") as button:
            ui.label(one.title).classes("font-semibold k-one-row")
            ui.label(one.text).classes("k-mute k-small k-one-row")
        button.tooltip(self._visit.t("insert"))
        button.on("click", lambda: self._insert(one.text))

    def _insert(self, text: str) -> None:
        before = (self._words.value or "").rstrip()
        self._words.set_value((before + "\n" if before else "") + text)
        self._words.run_method("focus")

    def _typed(self) -> None:
        self._drafts[self._id] = self._words.value or ""
        if self._drafts[self._id] and time.monotonic() - self._told > _NOTED:
            self._told = time.monotonic()
            self._visit.desk.inbox.staff_types(self._id, self._visit.session.staff)

    async def _reply(self, text: str) -> None:
        visit = self._visit
        body = Words.model_construct(text=(text or "")[:MOST])
        try:
            await visit.act("desk.use", replied, visit.desk, visit.session, self._id, body)
        except Refused:
            return
        self._told = 0.0
        self._words.set_value("")
