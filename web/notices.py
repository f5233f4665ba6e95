"""Tells whoever is connected what has happened in a conversation. Knows neither sockets nor the database.

One process: whoever listens is called in the event loop. Everything in a notice can be written as JSON, so that a
database's own notifications can carry it between processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, ParamSpec

from web.frames import ServerFrame

P = ParamSpec("P")
What = Literal["waiting", "changed", "said", "typing", "read"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened. `frame` is for the customer; `kept` ones are numbered and sent again after a break."""

    conversation_id: str
    what: What
    frame: ServerFrame | None = None
    kept: bool = True
    staff_id: str = ""  # who did it; empty: the customer


Listener = Callable[[Notice], None]


class Notices:
    """Sends notices from any thread to the listeners of one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []

    def attach(self) -> bool:
        """Deliver in the running loop from now on; whether it is the first time."""
        first = self._loop is None
        self._loop = asyncio.get_running_loop()
        return first

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every notice, until the function that this returns is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def send(self, notice: Notice) -> None:
        """Tell everybody; before anybody is connected there is nobody to tell."""
        self.call(self._deliver, notice)

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call something in the loop, soon; nothing while there is none."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(partial(function, *args, **kwargs))

    def _deliver(self, notice: Notice) -> None:
        for listener in tuple(self._listeners):
            listener(notice)
