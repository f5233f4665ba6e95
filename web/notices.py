"""Tells whoever is connected what has happened in a conversation. Knows no sockets and no table.

Listeners are called in the event loop of their process. With PostgreSQL, notices reach the listeners of the other
servers too (web.wire).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from web.frames import AnswerFrame
from web.live_frames import DeskFrame, ReadFrame, StaffMessageFrame, StaffTypingFrame

if TYPE_CHECKING:
    from web.wire import Wire

P = ParamSpec("P")
What = Literal["waiting", "changed", "said", "typing", "read", "joined", "followed", "answered", "stop", "here", "gap"]
Frame = Annotated[
    AnswerFrame | DeskFrame | ReadFrame | StaffMessageFrame | StaffTypingFrame, Field(discriminator="type")
]


class Notice(BaseModel):
    """Something happened. `frame` is for the customer; `kept` ones are numbered and sent again after a break.

    Between servers only: a customer has come in by their token (`joined`) where another server has that conversation
    (`followed`), the bot has `answered`, its reply is to `stop`, one of the staff is `here`, notices may be lost
    (`gap`, of no conversation).
    """

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    what: What
    frame: Frame | None = None
    kept: bool = True
    staff_id: str = ""  # who did it; empty: the customer
    message_id: str = ""  # what was read


Listener = Callable[[Notice], None]


class Notices:
    """Sends notices from any thread to the listeners of one event loop, and to those of other servers."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        self._wire: Wire | None = None

    def attach(self) -> bool:
        """Deliver in the running loop from now on; whether it is the first time."""
        first = self._loop is None
        self._loop = asyncio.get_running_loop()
        return first

    def connect(self, engine: Engine) -> None:
        """Carry notices to and from the other servers of this database."""
        from web.wire import Wire

        self._wire = Wire(engine, self._heard, lambda: self._tell(Notice(conversation_id="", what="gap")))

    @property
    def connected(self) -> bool:
        """Whether there may be other servers."""
        return self._wire is not None

    def close(self) -> None:
        """Say what still waits to be said, and hear no other server any more."""
        if self._wire is not None:
            self._wire.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every notice, until the function that this returns is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def send(self, notice: Notice) -> None:
        """Tell everybody; before anybody is connected there is nobody to tell."""
        self._tell(notice)
        self.share(notice)

    def share(self, notice: Notice) -> None:
        """Tell the other servers only."""
        if self._wire is not None:
            self._wire.send(notice.model_dump_json())

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call something in the loop, soon; nothing while there is none."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(partial(function, *args, **kwargs))

    def _heard(self, text: str) -> None:
        self._tell(Notice.model_validate_json(text))

    def _tell(self, notice: Notice) -> None:
        self.call(self._deliver, notice)

    def _deliver(self, notice: Notice) -> None:
        for listener in tuple(self._listeners):
            listener(notice)
