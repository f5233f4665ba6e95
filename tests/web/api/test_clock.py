"""A clock that is put back or on: order, tokens, sessions, locks, limits, outcomes and retention bear it."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.search_log import Wanted, search
from bot.tables import conversation
from bot.types import Message
from tests.web.api.conftest import PASSWORD
from web.auth import Tokens, Visitor
from web.desk import Desk
from web.limits import Limits
from web.retention import Retention
from web.settings import Settings
from web.staff.accounts import AccountError

SignIn = Callable[..., TestClient]
SOON, LONG = timedelta(hours=1), timedelta(days=3650)


class Clock:
    """The wall clock, which may be put to another time; what counts durations goes on as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift = timedelta()
        wall, clock = time.time, self

        class Shifted(datetime):
            """As datetime, at the clock's time."""

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return datetime.now(tz) + clock.shift

        for name, module in list(sys.modules.items()):
            if name.split(".")[0] in ("bot", "web", "knowledge_base") and getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", Shifted)
        shifted = SimpleNamespace(time=lambda: wall() + clock.shift.total_seconds(), monotonic=time.monotonic)
        for name in ("web.auth", "itsdangerous.timed", "limits.storage.memory", "limits.strategies", "web.limits"):
            monkeypatch.setattr(f"{name}.time", shifted)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, client: TestClient) -> Clock:
    return Clock(monkeypatch)


def said(socket: Any, text: str) -> dict[str, Any]:
    socket.send_json({"type": "message", "text": text})
    while (frame := socket.receive_json())["type"] not in ("answer", "error"):
        pass
    assert frame["type"] == "answer"
    return dict(frame)


@pytest.mark.parametrize("jump", [timedelta(seconds=-3), -SOON, SOON])
def test_a_customer_keeps_the_conversation_and_its_order(
    client: TestClient, bot: Bot, clock: Clock, jump: timedelta
) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        said(socket, "first question")
        clock.shift += jump
        said(socket, "second question")
    with client.websocket_connect(f"/ws/chat?token={session['token']}") as socket:
        again = socket.receive_json()
        said(socket, "third question")
    assert again["conversation"] == session["conversation"] and again["resumed"]
    logged = bot.log.load(session["conversation"])
    assert logged is not None
    assert [one.text for one in logged.messages if one.role == "customer"] == [
        "first question",
        "second question",
        "third question",
    ]
    assert [one.role for one in logged.messages] == ["customer", "bot"] * 3


def test_a_token_of_a_far_future_opens_nothing_and_a_new_conversation_begins(client: TestClient, clock: Clock) -> None:
    clock.shift = LONG
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
    clock.shift = timedelta()
    with client.websocket_connect(f"/ws/chat?token={session['token']}") as socket:
        assert socket.receive_json()["code"] == "unauthorized"
        assert socket.receive_json()["conversation"] != session["conversation"]


def test_a_token_lasts_twice_its_lifetime_at_most(clock: Clock) -> None:
    tokens = Tokens("s" * 32, 60)
    token = tokens.issue(Visitor("c"))
    for seconds, opens in ((0, True), (-59, True), (-62, False), (59, True), (62, False)):
        clock.shift = timedelta(seconds=seconds)
        assert (tokens.read(token) is not None) is opens, seconds


def test_staff_stay_signed_in_over_an_hour_and_no_session_lasts_for_years(sign_in: SignIn, clock: Clock) -> None:
    clock.shift = LONG
    person = sign_in("admin")
    clock.shift = LONG - SOON
    assert person.get("/api/session").status_code == 200
    clock.shift = timedelta()
    assert person.get("/api/session").status_code == 401
    assert sign_in("admin").get("/api/session").status_code == 200


def test_a_lock_lasts_a_quarter_of_an_hour_whatever_the_clock_does(desk: Desk, clock: Clock) -> None:
    accounts = desk.access.accounts
    accounts.add("An", PASSWORD, "agent")
    clock.shift = LONG
    for _ in range(5):
        assert accounts.admit("An", "wrong password") is None
    clock.shift = timedelta()
    with pytest.raises(AccountError, match="locked"):
        accounts.admit("An", PASSWORD)
    clock.shift = timedelta(minutes=14)
    with pytest.raises(AccountError, match="locked"):
        accounts.admit("An", PASSWORD)
    clock.shift = timedelta(minutes=16)
    assert accounts.admit("An", PASSWORD) is not None


@pytest.mark.parametrize("jump", [timedelta(seconds=-50), -SOON, -LONG, SOON, LONG])
def test_nobody_is_refused_for_longer_than_two_minutes(clock: Clock, settings: Settings, jump: timedelta) -> None:
    limits = Limits(settings)
    while (wait := limits.message("a", "ip")) is None:
        pass
    assert 1 <= wait <= 60
    clock.shift = jump
    wait = limits.message("a", "ip")
    assert wait is None or 1 <= wait <= 60
    clock.shift = jump + timedelta(minutes=2)
    assert limits.message("a", "ip") is None


@pytest.fixture
def settings(desk: Desk) -> Settings:
    return desk.settings


def test_a_conversation_of_the_future_is_over_half_an_hour_after_it(bot: Bot, desk: Desk, clock: Clock) -> None:
    clock.shift = LONG
    bot.log.ask("c1", Message("m1", "customer", "hello", datetime.now(UTC) + clock.shift))
    list(bot.reply(bot.log.load("c1"), "how do I descale it?"))  # type: ignore[arg-type]
    clock.shift = timedelta()
    (found,), _ = search(desk.access.engine, Wanted())
    assert found.outcome == "abandoned"


class Monotonic:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def old(bot: Bot, id: str, days: int) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    bot.log.ask(id, Message("m1", "customer", "hello", at))
    with bot.log._engine.begin() as connection:
        connection.execute(conversation.update().where(conversation.c.id == id).values(opened=at))


def test_a_clock_that_leaps_on_erases_nothing_for_a_day(desk: Desk, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "settings", desk.settings.model_copy(update={"retention_days": 30}))
    desk.open(bot)
    passed, now = Monotonic(), datetime.now(UTC)
    retention = Retention(desk, passed)
    old(bot, "older", 40)
    old(bot, "younger", 2)
    assert retention.sweep(now) == 1
    assert retention.sweep(now + LONG) == 0
    passed.seconds = 3600
    assert retention.sweep(now + LONG + SOON) == 0
    assert retention.sweep(now + 2 * SOON) == 0  # the clock is right again: nothing was lost
    assert bot.log.load("younger") is not None
    assert retention.sweep(now + LONG) == 0  # and if it is truly so late, a day later
    passed.seconds += 86_401
    assert retention.sweep(now + LONG + timedelta(days=1)) == 1
    assert bot.log.load("younger") is None


def test_a_server_with_a_wrong_clock_erases_nothing_while_another_has_the_right_one(
    desk: Desk, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "settings", desk.settings.model_copy(update={"retention_days": 30}))
    desk.open(bot)
    passed, now = Monotonic(), datetime.now(UTC)
    wrong, right = Retention(desk, passed), Retention(desk, passed)
    old(bot, "younger", 2)
    for hour in range(72):
        passed.seconds = hour * 3600.0
        assert right.sweep(now + hour * SOON) == wrong.sweep(now + LONG + hour * SOON) == 0
    assert bot.log.load("younger") is not None
