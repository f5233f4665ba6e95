"""Whether people are at the desk, and how long a customer waits for one. Knows no conversation's words.

Reads the database: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from bot.handoff import sensitive_words
from web.hours import Hours, is_open, shut_text
from web.staff.roles import may
from web.wording import Text, wording

if TYPE_CHECKING:
    from bot.handoffs import Handoffs
    from web.staff.access import Access

_HOURS, _SENSITIVE = "desk.hours", "desk.sensitive"
_ENOUGH = 3  # past waits from which one may tell the next


@dataclass(frozen=True, slots=True)
class Place:
    """A customer's place in the queue, from 1; `minutes` None: nobody knows how long it will be."""

    position: int
    minutes: int | None

    @property
    def text(self) -> Text:
        """What the customer is told."""
        ahead, minutes = self.position - 1, self.minutes
        name = ("waiting" if ahead else "waiting_next") + ("" if minutes else "_unknown")
        span = "1 minute" if minutes == 1 else f"{minutes} minutes"
        return wording(name, ahead=ahead, minutes=minutes, span=span)


class Staffing:
    """Asks accounts and settings, and changes the latter."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def hours(self) -> Hours | None:
        """The hours that staff have set; None: always."""
        kept = self._access.kept.get(_HOURS)
        return None if kept is None else Hours.model_validate(kept)

    def set_hours(self, hours: Hours | None) -> None:
        """Keep other hours."""
        self._access.kept.put(_HOURS, None if hours is None else hours.model_dump(mode="json"))

    def sensitive(self) -> Sequence[str]:
        """The words of matters that people would rather see themselves."""
        kept = self._access.kept.get(_SENSITIVE)
        return sensitive_words() if kept is None else [str(word) for word in kept]

    def set_sensitive(self, words: Sequence[str] | None) -> None:
        """Keep other words; None: those that Kefu brings."""
        self._access.kept.put(_SENSITIVE, None if words is None else list(words))

    def is_staffed(self) -> bool:
        """Whether anybody may use the desk at all."""
        return any(person.active and may(person.role, "desk.use") for person in self._access.accounts.all())

    def is_open(self) -> bool:
        """Whether a customer may ask for a person now."""
        return self.is_staffed() and is_open(self.hours, datetime.now(UTC))

    def shut_text(self) -> Text | None:
        """What a customer is told while nobody is there; None where no one ever is."""
        if not self.is_staffed():
            return None
        hours = self.hours
        return wording("shut") if hours is None else shut_text(hours, datetime.now(UTC))

    def place(self, handoffs: Handoffs, ahead: int) -> Place:
        """The place of one with so many ahead: the wait is what the last ones waited, as half of them did."""
        waits = [wait.total_seconds() / 60 for wait in handoffs.recent_waits()]
        return Place(ahead + 1, max(1, round(median(waits))) if len(waits) >= _ENOUGH else None)
