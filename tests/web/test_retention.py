"""Conversations that are too old go, all of them and nothing else, and it is noted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.bot import Bot
from bot.retention import expired
from bot.types import Answer, Message
from web.app import create_app
from web.desk import Desk
from web.retention import Retention
from web.settings import Settings

NOW = datetime.now(UTC)
SECRET = "我的手机号是 13800000000"


@pytest.fixture
def desk(real: Bot, settings: Callable[..., Settings]) -> Desk:
    made: Desk = create_app(real, settings(retention_days=30)).state.desk
    return made


def talk(bot: Bot, id: str, *days: float) -> None:
    """A conversation in which something was said so many days ago."""
    for number, ago in enumerate(days):
        bot.log.ask(id, Message(f"q{number}", "customer", f"{SECRET} {id}", NOW - timedelta(days=ago)))
    with bot.log._engine.begin() as connection:
        moment = (NOW - timedelta(days=days[0])).replace(tzinfo=None).isoformat(" ")
        connection.exec_driver_sql("UPDATE conversation SET opened = ? WHERE id = ?", (moment, id))


def test_what_is_too_old_is_erased_and_noted(desk: Desk, real: Bot, tmp_path: Path) -> None:
    talk(real, "old", 40, 31)
    talk(real, "still going", 40, 29)
    talk(real, "new", 1)
    talk(real, "waiting", 50)
    real.log.handoffs.begin("waiting", "asked", "zh")
    real.log.answer("old", Answer("a", "abstain", "…", "zh"))
    with real.log._engine.begin() as connection:  # it was answered at once
        connection.exec_driver_sql("UPDATE message SET at = '2020-01-01 00:00:00' WHERE id = 'a'")
    assert expired(real.log._engine, NOW - timedelta(days=30)) == ["old"]
    assert Retention(desk).sweep(NOW) == 1
    assert real.log.load("old") is None
    assert all(real.log.load(id) for id in ("still going", "new", "waiting"))
    (noted,) = desk.access.audit.page()[0]
    assert (noted.staff_name, noted.action) == ("kefu", "conversation.expire")
    assert noted.after is not None and noted.after["message"] == 3 and noted.after["conversation"] == 1
    assert not any(f"{SECRET} old".encode() in file.read_bytes() for file in (tmp_path / "data").glob("kefu.sqlite*"))
    assert Retention(desk).sweep(NOW) == 0 and len(desk.access.audit.page()[0]) == 1


def test_more_than_fit_one_look_all_go(desk: Desk, real: Bot) -> None:
    for number in range(5):
        talk(real, f"c{number}", 99)
    assert len(expired(real.log._engine, NOW, most=2)) == 2
    assert Retention(desk).sweep(NOW) == 5


async def test_nothing_goes_where_no_age_is_set(real: Bot, settings: Callable[..., Settings]) -> None:
    talk(real, "old", 4000)
    await Retention(create_app(real, settings()).state.desk).follow()  # ends at once
    assert real.log.load("old") is not None
    with pytest.raises(ValueError, match="retention_days"):
        settings(retention_days=-1)
