"""What servers of one PostgreSQL tell each other: whole, in order, also after a break; who is here; whose turn."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue

import pytest
from sqlalchemy import Engine

from bot.turns import Turns
from knowledge_base.database import open_database
from tests.postgresql import Postgresql
from web.auth import Visitor, visitor_tokens
from web.presence import Presence
from web.settings import Settings
from web.wire import Wire

GAP = "(gap)"


@contextmanager
def wire(engine: Engine) -> Iterator[tuple[Wire, Queue[str]]]:
    heard: Queue[str] = Queue()
    made = Wire(engine, heard.put, lambda: heard.put(GAP))
    try:
        assert made.wait(60)
        yield made, heard
    finally:
        made.close()


@pytest.fixture
def engine(postgresql: Postgresql) -> Iterator[Engine]:
    with postgresql.nothing() as url:
        made = open_database(url)
        yield made
        made.dispose()


def test_texts_of_any_size_come_whole_and_in_order_to_all_others(engine: Engine) -> None:
    texts = ["", "\0 \"'\\ \n", "😀" * 4_000, *(str(number) for number in range(500))]
    with wire(engine) as (one, own), wire(engine) as (_, second), wire(engine) as (_, third):
        for text in texts:
            one.send(text)
        for heard in (second, third):
            assert [heard.get(timeout=60) for _ in texts] == texts
        assert own.empty()


def test_after_a_break_there_is_a_gap_and_then_all_goes_on(engine: Engine, postgresql: Postgresql) -> None:
    with wire(engine) as (one, _), wire(engine) as (_, heard):
        postgresql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kefu'")
        assert heard.get(timeout=60) == GAP
        one.send("again")
        assert heard.get(timeout=60) == "again"


def test_another_schema_is_another_kefu(engine: Engine, postgresql: Postgresql) -> None:
    with postgresql.nothing() as url, wire(open_database(url)) as (_, other), wire(engine) as (_, heard):
        with wire(engine) as (one, _):
            one.send("ours")
        assert heard.get(timeout=60) == "ours" and other.empty()


def test_one_server_answers_at_a_time_and_a_dead_one_holds_nobody(engine: Engine) -> None:
    one, two = Turns(engine), Turns(engine)
    done = threading.Event()

    def second() -> None:
        with two.taken("c"):
            done.set()

    waiting = threading.Thread(target=second)
    with one.taken("c"), two.taken("another"):
        waiting.start()
        assert not done.wait(0.3)
        one.close()  # as when its process dies
        assert done.wait(60)
    waiting.join()
    with Turns(engine, patience=0.2).taken("c"), Turns(engine, patience=0.2).taken("c"):
        pass  # one that hangs is not waited for for ever
    two.close()


class Clock:
    """An event loop's timers, which go off when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[Timer] = []

    def call_later(self, seconds: float, function: Callable[[str], None], argument: str) -> "Timer":
        self._timers.append(Timer(self.now + seconds, partial(function, argument)))
        return self._timers[-1]

    def go(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self._timers if timer.at <= self.now]:
            self._timers.remove(timer)
            if not timer.cancelled:
                timer.ring()


@dataclass
class Timer:
    at: float
    ring: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


def test_who_is_seen_elsewhere_is_not_gone_before_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, gone = Clock(), []
    monkeypatch.setattr("asyncio.get_running_loop", lambda: clock)
    presence = Presence(30, gone.append)
    presence.came("here", "page")
    for staff_id in ("here", "there", "nowhere"):
        presence.doubt(staff_id)
    for _ in range(10):
        clock.go(presence.pulse)
        presence.elsewhere("there")
        presence.elsewhere("here")
    assert gone == ["nowhere"] and presence.here == ["here"]
    clock.go(39)
    assert gone == ["nowhere"]
    clock.go(1)
    assert gone == ["nowhere", "there"]
    presence.left("here", "page")
    clock.go(30)
    assert gone == ["nowhere", "there", "here"]


def test_machines_that_share_a_secret_know_each_others_visitors(tmp_path: Path) -> None:
    def tokens(folder: str, secret: str = "") -> object:
        return visitor_tokens(Settings(data=tmp_path / folder, secret=secret))

    visitor = Visitor("c1", "e1")
    shared = "0123456789" * 4
    token = tokens("one", shared).issue(visitor)  # type: ignore[attr-defined]
    assert tokens("two", shared).read(token) == visitor  # type: ignore[attr-defined]
    assert tokens("two").read(token) is None and tokens("two", shared[1:]).read(token) is None  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="secret"):
        Settings(data=tmp_path, secret="short")
    assert shared not in repr(Settings(data=tmp_path, secret=shared))
