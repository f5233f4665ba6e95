"""Business hours: open or not, and what a customer is told, in both languages and across time zones."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from web.hours import Day, Hours, is_open, shut_text
from web.staffing import Place

WORK = Day(opens="09:00", closes="18:00")
LATE = Day(opens="14:00", closes="24:00")
WEEK = Hours(zone="Asia/Shanghai", days=(WORK, WORK, WORK, WORK, LATE, None, None))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in Shanghai (UTC+8) in the week of Monday 2026-01-05; day 1 is that Monday."""
    return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=day - 1, hours=hour - 8, minutes=minute)


@pytest.mark.parametrize(
    ("when", "is_it"),
    [
        (at(1, 8, 59), False),
        (at(1, 9), True),
        (at(1, 17, 59), True),
        (at(1, 18), False),
        (at(5, 13), False),
        (at(5, 23, 59), True),
        (at(6, 12), False),
    ],
)
def test_open(when: datetime, is_it: bool) -> None:
    assert is_open(WEEK, when) is is_it and is_open(None, when)


@pytest.mark.parametrize(
    ("when", "zh", "en"),
    [
        (at(1, 7), "9:00–18:00 在线。请留下联系方式，我们会在今天 9:00 后", "today after 9:00"),
        (at(1, 20), "9:00–18:00 在线。请留下联系方式，我们会在明天上午联系您。", "9:00–18:00. Leave a contact and"),
        (at(4, 20), "14:00–24:00 在线。请留下联系方式，我们会在明天下午", "tomorrow afternoon"),
        (at(6, 12), "周一 9:00–18:00 在线。请留下联系方式，我们会在周一联系您", "on Monday"),
    ],
)
def test_what_a_customer_is_told(when: datetime, zh: str, en: str) -> None:
    text = shut_text(WEEK, when)
    assert zh in text["zh"] and en in text["en"]


def test_never_open_is_said_too() -> None:
    assert "目前不在线" in shut_text(Hours(zone="UTC", days=(None,) * 7), at(1, 9))["zh"]


@pytest.mark.parametrize(
    ("opens", "closes"), [("18:00", "09:00"), ("09:00", "09:00"), ("9:00", "18:00"), ("25:00", "26:00")]
)
def test_no_hours(opens: str, closes: str) -> None:
    with pytest.raises(ValidationError):
        Day(opens=opens, closes=closes)


@pytest.mark.parametrize(
    ("place", "zh", "en"),
    [
        (
            Place(3, 3),
            "已为您转接，前面还有 2 位，预计等待 3 分钟。",
            "You're in the queue: 2 ahead of you, about 3 minutes.",
        ),
        (
            Place(2, 1),
            "已为您转接，前面还有 1 位，预计等待 1 分钟。",
            "You're in the queue: 1 ahead of you, about 1 minute.",
        ),
        (Place(1, 2), "已为您转接，您排在第一位，预计等待 2 分钟。", "You're next in the queue, about 2 minutes."),
        (Place(2, None), "已为您转接，前面还有 1 位。", "You're in the queue: 1 ahead of you."),
    ],
)
def test_the_place_in_the_queue(place: Place, zh: str, en: str) -> None:
    assert place.text == {"zh": zh, "en": en}
