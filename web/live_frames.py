"""The frames of a conversation that people have or that waits for them. Knows nothing of sockets or of who asks."""

from datetime import datetime
from typing import Literal

from web.desk_state import DeskState
from web.frames import NumberedFrame, ServerFrame


class DeskFrame(DeskState, NumberedFrame):
    """Who has the conversation now. Numbered when that has changed, not when only the queue has moved."""

    type: Literal["desk"] = "desk"

    def encode(self) -> str:
        """The frame as JSON, without what it does not have."""
        return self.model_dump_json(exclude_none=True)


class StaffMessageFrame(NumberedFrame):
    """What a person of the staff says."""

    type: Literal["staff_message"] = "staff_message"
    message_id: str
    name: str
    text: str
    at: datetime


class ReceivedFrame(NumberedFrame):
    """The customer's message has reached the staff; no answer by the bot follows."""

    type: Literal["received"] = "received"
    message_id: str
    reply_to: str | None
    text: str

    def encode(self) -> str:
        """The frame as JSON, without what it does not have."""
        return self.model_dump_json(exclude_none=True)


class StaffTypingFrame(ServerFrame):
    """A person of the staff is typing."""

    type: Literal["staff_typing"] = "staff_typing"
    name: str


class ReadFrame(ServerFrame):
    """Staff have read the customer's messages up to this one."""

    type: Literal["read"] = "read"
    message_id: str


class SolvedSaved(ServerFrame):
    """What the customer said to "did this solve it?" is stored."""

    type: Literal["solved_saved"] = "solved_saved"
    solved: bool
