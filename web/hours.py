"""When people are at the desk: hours of each weekday in one time zone. Pure functions; knows no staff."""

from datetime import datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from web.wording import Text, wording

_CLOCK = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Day(BaseModel):
    """From when to when; 24:00 is the end of the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: _CLOCK
    closes: _CLOCK

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"a day opens before it closes, not {self.opens}–{self.closes}")
        return self

    def holds(self, clock: time) -> bool:
        """Whether it is open at that time."""
        return self.opens <= f"{clock:%H:%M}" < self.closes

    def __str__(self) -> str:
        return f"{self.opens.removeprefix('0')}–{self.closes.removeprefix('0')}"


class Hours(BaseModel):
    """The hours of Monday to Sunday; None: closed all day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = Field(max_length=64)
    days: tuple[Day | None, ...] = Field(min_length=7, max_length=7)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"{zone!r} is no time zone; write one like Asia/Shanghai")
        return zone


def is_open(hours: Hours | None, now: datetime) -> bool:
    """Whether people are at the desk at this moment; without hours they always are."""
    if hours is None:
        return True
    here = now.astimezone(ZoneInfo(hours.zone))
    day = hours.days[here.weekday()]
    return day is not None and day.holds(here.time())


def shut_text(hours: Hours, now: datetime) -> Text:
    """What to tell a customer who wants a person while nobody is there: the hours, and when somebody will be."""
    here = now.astimezone(ZoneInfo(hours.zone))
    for later in range(8):
        date = here + timedelta(days=later)
        day = hours.days[date.weekday()]
        if day is None or (later == 0 and day.opens <= f"{here:%H:%M}"):
            continue
        if later == 0:
            return wording("shut_today", hours=str(day), opens=day.opens.removeprefix("0"))
        if later == 1:
            morning = "morning" if day.opens < "12:00" else "afternoon"
            return wording(f"shut_tomorrow_{morning}", hours=str(day))
        names = wording("weekdays")
        zh, en = (names[language].split(",")[date.weekday()] for language in ("zh", "en"))
        texts = wording("shut_later", hours=str(day), zh_day=zh, en_day=en)
        return texts
    return wording("shut")
