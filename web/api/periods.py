"""Periods of whole days as they are asked for: by dates, the last included. Knows nothing of what lies in them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
Day = Annotated[date, Field(ge=FIRST, le=LAST)]
"""A day of the server's own time."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day's midnight to the last day's end, in the server's own time; None: without bound."""

    first: date | None = None
    last: date | None = None

    @property
    def since(self) -> datetime | None:
        """The first moment of it."""
        return None if self.first is None else midnight(self.first)

    @property
    def until(self) -> datetime | None:
        """The first moment after it."""
        return None if self.last is None else midnight(self.last + timedelta(days=1))

    @property
    def name(self) -> str:
        """For file names, e.g. "2026-03-01_2026-03-07"."""
        return f"{self.first or ''}_{self.last or ''}"


def last_days(days: int, today: date | None = None) -> Period:
    """The last `days` days, today among them."""
    today = today or date.today()
    return Period(today - timedelta(days=days - 1), today)


def midnight(day: date) -> datetime:
    """The moment at which a day begins on this server."""
    return datetime.combine(day, time.min).astimezone()
