"""Which of the staff have the console open. What somebody had who is gone for long waits again.

Lives in the event loop. Knows no page and no conversation.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

_PROGRAM = "program"  # the page of those who act over the API only


class Presence:
    """Counts pages; tells `gone` of who has had none for `grace` seconds."""

    def __init__(self, grace: float, gone: Callable[[str], None]) -> None:
        self.pulse = grace / 3
        """Seconds between two signs of life that servers give each other."""
        self._grace = grace
        self._gone = gone
        self._pages: dict[str, set[str]] = defaultdict(set)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def came(self, staff_id: str, page: str = _PROGRAM) -> None:
        """Somebody has opened a page, or has acted over the API."""
        self._pages[staff_id].add(page)
        timer = self._timers.pop(staff_id, None)
        if timer is not None:
            timer.cancel()

    def left(self, staff_id: str, page: str) -> None:
        """A page was closed, or its connection is broken."""
        pages = self._pages[staff_id]
        if page in pages:
            pages.remove(page)
            if not pages - {_PROGRAM}:
                pages.clear()
                self.doubt(staff_id)

    @property
    def here(self) -> list[str]:
        """Who has a page of this server open."""
        return [staff_id for staff_id, pages in self._pages.items() if pages]

    def elsewhere(self, staff_id: str) -> None:
        """Somebody has a page of another server open, which says so again within a pulse, or they may be gone."""
        if not self._pages[staff_id]:
            timer = self._timers.pop(staff_id, None)
            if timer is not None:
                timer.cancel()
            self._wait(staff_id, self._grace + self.pulse)

    def doubt(self, staff_id: str) -> None:
        """Somebody may be gone: wait for a sign of life."""
        if self._pages[staff_id] or staff_id in self._timers:
            return
        self._wait(staff_id, self._grace)

    def close(self) -> None:
        """Wait for nobody any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _wait(self, staff_id: str, seconds: float) -> None:
        self._timers[staff_id] = asyncio.get_running_loop().call_later(seconds, self._waited, staff_id)

    def _waited(self, staff_id: str) -> None:
        del self._timers[staff_id]
        self._gone(staff_id)
