"""What customers and staff do with conversations that people have: in the database, then told to all.

The database holds the state; here is only what is true for a moment: who types, who has read what, who is there.
Methods that read the database say so: call them in a thread. Knows neither sockets nor pages.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import structlog

from bot.handoff import Passed, Reason
from bot.handoffs import Handoff, Handoffs
from bot.types import Message
from knowledge_base.types import Language
from web.desk_state import DeskState
from web.live_frames import DeskFrame, ReadFrame, StaffMessageFrame, StaffTypingFrame
from web.notices import Notice
from web.presence import Presence
from web.staff.accounts import Staff
from web.staffing import Place, Staffing
from web.wording import Text, wording

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from web.desk import Desk

_MOST_READ = 10_000  # conversations whose last read message is remembered
_log = structlog.stdlib.get_logger(__name__)


class Inbox:
    """The conversations that people have or that wait for them; the bot passes conversations on to it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._read: dict[tuple[str, str], str] = {}  # (conversation, "staff" or "customer") → message id
        self._tasks: set[asyncio.Future[None]] = set()
        self.notices = desk.notices
        self.notices.listen(desk.hub.tell)
        self.notices.listen(self._heard)
        self.presence = Presence(desk.settings.agent_grace_seconds, self._agent_gone)

    @property
    def handoffs(self) -> Handoffs:
        """What is stored. Raises Closed while there is no bot."""
        return self._desk.bot.log.handoffs

    @property
    def staffing(self) -> Staffing:
        """Whether people are there. Opens the database at first use."""
        return Staffing(self._desk.access)

    def attach(self) -> None:
        """Live in the running loop. After a restart, those who had conversations must show that they are there."""
        if self.notices.attach():
            self._later(self._doubt_all())
            if self.notices.connected:
                self._later(self._show_who_is_here())

    def present(self, staff_id: str) -> None:
        """One of the staff has done something, so is there. From any thread."""
        self.notices.call(self.presence.came, staff_id)

    # ---- the bot asks (in threads)

    def sensitive(self) -> Sequence[str]:
        """The words of matters that people would rather see themselves. Reads the database."""
        return self.staffing.sensitive()

    def take_over(self, conversation_id: str, reason: Reason, language: Language) -> Passed | None:
        """Let the conversation wait for a person, if any is there. Writes to the database."""
        if not self.staffing.is_open():
            shut = self.staffing.shut_text()
            return None if shut is None else Passed(shut[language], False)
        handoff = self.handoffs.begin(conversation_id, reason, language)
        state = self._state_of(handoff)
        self._send(conversation_id, "waiting", DeskFrame(**state.model_dump()))
        assert state.text is not None
        return Passed(state.text[language], True)

    # ---- the customer (in threads, but for typing and reading)

    def state(self, conversation_id: str) -> DeskState:
        """Who has the conversation. Reads the database."""
        handoff, staffing = self.handoffs.open_of(conversation_id), self.staffing
        if handoff is not None:
            return self._state_of(handoff)
        is_open = staffing.is_open()
        return DeskState(open=is_open, hours=None if is_open else staffing.shut_text())

    def hear(self, conversation_id: str, message_id: str, text: str) -> bool:
        """Log what the customer says to people; False while the bot has the conversation. Writes to the database."""
        known = self.handoffs.hear(conversation_id, Message(message_id, "customer", text, datetime.now(UTC)))
        if known:
            self._send(conversation_id, "said")
        return known

    def cancel(self, conversation_id: str) -> None:
        """The customer wants no person any more. Writes to the database."""
        if self.handoffs.end(conversation_id, "cancelled"):
            self._over(conversation_id, "bot", wording("cancelled"))

    def customer_types(self, conversation_id: str) -> None:
        """Show staff that the customer types."""
        self._send(conversation_id, "typing")

    def customer_read(self, conversation_id: str, message_id: str) -> None:
        """Show staff what the customer has read."""
        self._remember(conversation_id, "customer", message_id)
        self._read_by(conversation_id, message_id)

    # ---- staff (in threads, but for typing)

    def claim(self, conversation_id: str, staff: Staff) -> bool:
        """Give a waiting conversation to one of the staff; False when somebody was quicker. Writes to the database."""
        if not self.handoffs.claim(conversation_id, staff.id, staff.name):
            return False
        text = wording("with_staff", name=staff.name)
        self._send(
            conversation_id, "changed", DeskFrame(state="staff", name=staff.name, text=text, open=True), staff.id
        )
        self._tell_queue()
        return True

    def say(self, conversation_id: str, staff: Staff, text: str) -> Message | None:
        """Log and send what one of the staff says; None when that person does not have the conversation."""
        message = Message(uuid4().hex, "staff", text, datetime.now(UTC), author=staff.name)
        if not self.handoffs.speak(conversation_id, staff.id, message):
            return None
        frame = StaffMessageFrame(message_id=message.id, name=staff.name, text=text, at=message.at)
        self._send(conversation_id, "said", frame, staff.id)
        return message

    def note(self, conversation_id: str, staff: Staff, text: str) -> None:
        """Keep a note for the others. Writes to the database."""
        self.handoffs.note(conversation_id, staff.name, text)
        self._send(conversation_id, "said", None, staff.id)

    def give_back(self, conversation_id: str, staff: Staff) -> bool:
        """Let the bot go on; False when that person does not have the conversation. Writes to the database."""
        done = self.handoffs.end(conversation_id, "returned", staff.id)
        if done:
            self._over(conversation_id, "bot", wording("returned"), staff.id)
        return done

    def close(self, conversation_id: str, staff: Staff, outcome: Literal["solved", "unsolved"]) -> bool:
        """End the talk; False when that person does not have the conversation. Writes to the database."""
        done = self.handoffs.end(conversation_id, outcome, staff.id)
        if done:
            self._over(conversation_id, "closed", wording("closed"), staff.id)
        return done

    def release(self, staff_id: str) -> None:
        """Let everything that one of the staff has wait again, and tell the customers. Writes to the database."""
        names = {one.conversation_id: one.staff_name for one in self.handoffs.held() if one.staff_id == staff_id}
        for conversation_id in self.handoffs.release(staff_id):
            _log.info("back to waiting", conversation=conversation_id)
            left = wording("left_by_staff", name=names.get(conversation_id) or "")
            state = self.state(conversation_id).model_copy(update={"text": left})
            self._send(conversation_id, "waiting", DeskFrame(**state.model_dump()))
        self._tell_queue()

    def staff_types(self, conversation_id: str, staff: Staff) -> None:
        """Show the customer that a person is typing."""
        self._send(conversation_id, "typing", StaffTypingFrame(name=staff.name), staff.id)

    def staff_read(self, conversation_id: str, staff: Staff, message_id: str) -> None:
        """Show the customer what staff have read."""
        if self._read.get((conversation_id, "staff")) != message_id:
            self._remember(conversation_id, "staff", message_id)
            self._read_by(conversation_id, message_id, staff.id)

    def last_read(self, conversation_id: str, by: Literal["staff", "customer"]) -> str | None:
        """The last message that the other side has read, since the server's start."""
        return self._read.get((conversation_id, by))

    def _state_of(self, handoff: Handoff) -> DeskState:
        read = self.last_read(handoff.conversation_id, "staff")
        if handoff.claimed is not None:
            text = wording("with_staff", name=handoff.staff_name)
            return DeskState(state="staff", open=True, name=handoff.staff_name, text=text, read=read)
        return _waiting(self.staffing.place(self.handoffs, self.handoffs.ahead(handoff)))

    def _over(self, conversation_id: str, state: Literal["bot", "closed"], text: Text, staff_id: str = "") -> None:
        frame = DeskFrame(state=state, open=self.staffing.is_open(), text=text)
        self._send(conversation_id, "changed", frame, staff_id)
        self._tell_queue()

    def _tell_queue(self) -> None:
        """Tell everybody who waits where they stand now."""
        for ahead, handoff in enumerate(self.handoffs.waiting()):
            state = _waiting(self.staffing.place(self.handoffs, ahead))
            frame = DeskFrame(**state.model_dump())
            self.notices.send(Notice(conversation_id=handoff.conversation_id, what="waiting", frame=frame, kept=False))

    def _send(
        self,
        conversation_id: str,
        what: Literal["waiting", "changed", "said", "typing"],
        frame: DeskFrame | StaffMessageFrame | StaffTypingFrame | None = None,
        staff_id: str = "",
    ) -> None:
        self.notices.send(Notice(conversation_id=conversation_id, what=what, frame=frame, staff_id=staff_id))

    def _read_by(self, conversation_id: str, message_id: str, staff_id: str = "") -> None:
        frame = ReadFrame(message_id=message_id) if staff_id else None
        told = Notice(conversation_id=conversation_id, what="read", frame=frame, staff_id=staff_id)
        self.notices.send(told.model_copy(update={"message_id": message_id}))

    def _heard(self, notice: Notice) -> None:
        """What other servers know for a moment."""
        if notice.what == "read":
            by = "staff" if notice.staff_id else "customer"
            self._remember(notice.conversation_id, by, notice.message_id)
        elif notice.what == "here":
            self.presence.elsewhere(notice.staff_id)

    def _remember(self, conversation_id: str, by: str, message_id: str) -> None:
        self._read.pop((conversation_id, by), None)
        self._read[conversation_id, by] = message_id
        while len(self._read) > _MOST_READ:
            del self._read[next(iter(self._read))]

    def _agent_gone(self, staff_id: str) -> None:
        self._later(self._released(staff_id))

    async def _released(self, staff_id: str) -> None:
        await self._desk.call(self.release, staff_id)

    async def _doubt_all(self) -> None:
        for handoff in await self._desk.call(self.handoffs.held):
            if handoff.staff_id is not None:
                self.presence.doubt(handoff.staff_id)

    async def _show_who_is_here(self) -> None:
        """Keep telling the other servers which of the staff have a page open here."""
        while True:
            for staff_id in self.presence.here:
                self.notices.share(Notice(conversation_id="", what="here", staff_id=staff_id))
            await asyncio.sleep(self.presence.pulse)

    def leave(self) -> None:
        """Wait for nobody any more."""
        for task in self._tasks:
            task.cancel()
        self.presence.close()

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("inbox failed", exc_info=task.exception())


def _waiting(place: Place) -> DeskState:
    return DeskState(state="waiting", open=True, position=place.position, minutes=place.minutes, text=place.text)
