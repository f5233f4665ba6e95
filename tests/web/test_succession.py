"""A promoted release takes over while conversations go on, a trial has its share, a rollback takes a second."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.asyncio.client import connect

import web.server
from bot.releases import Releases
from bot.types import BotError
from tests.bot.test_releases import make
from tests.web.conftest import ScriptedBot
from tests.web.test_server import _wait, serving
from web.desk import OnTrial


def bots(monkeypatch: pytest.MonkeyPatch, releases: Releases) -> list[ScriptedBot]:
    """Has a fresh bot assembled of whatever release is asked for; "broken" cannot be loaded."""
    made: list[ScriptedBot] = []

    def assembled(chosen, progress, beside=None) -> ScriptedBot:
        name = releases.serving() if chosen.release == "current" else chosen.release
        if name == "broken":
            raise BotError("its files were altered")
        bot = ScriptedBot()
        bot.release = name
        if made:
            bot.log = made[0].log
        made.append(bot)
        return bot

    monkeypatch.setattr(web.server, "_assembled", assembled)
    return made


def known(settings, *names: str) -> Releases:
    """Releases of these names."""
    folder = settings().data / "releases"
    for name in names:
        make(folder, name)
    return Releases(folder)


async def test_a_reply_in_progress_ends_with_the_release_that_began_it(settings, monkeypatch) -> None:
    releases = known(settings, "mine")
    made = bots(monkeypatch, releases)
    with serving(settings(watch_days=0)) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        async with connect(f"ws://{running.host}/ws/chat") as chat:
            await chat.recv()
            await chat.send(json.dumps({"type": "message", "text": "hold on"}))
            while json.loads(await chat.recv())["type"] != "token":
                pass
            releases.promote("mine")
            await asyncio.to_thread(_wait, lambda: running.server._desk.bot.release == "mine")
            assert not made[0].closed
            releases.rollback()  # is not held up by the reply in progress
            await asyncio.to_thread(_wait, lambda: running.server._desk.bot.release == "default")
            releases.promote("mine")
            await asyncio.to_thread(_wait, lambda: running.server._desk.bot.release == "mine")
            made[0].gate.set()
            frame = json.loads(await chat.recv())
            while frame["type"] != "answer":
                frame = json.loads(await chat.recv())
            assert frame["text"] == "You asked: hold on" and not frame["stopped"]
            await asyncio.to_thread(_wait, lambda: made[0].closed)
            await chat.send(json.dumps({"type": "message", "text": "and now"}))
            while json.loads(await chat.recv())["type"] != "answer":
                pass
        assert [len(bot.seen) for bot in made] == [1, 0, 0, 1]
    assert all(bot.closed for bot in made)


def test_the_release_before_stays_open_while_it_may_be_wanted_back(settings, monkeypatch) -> None:
    releases = known(settings, "mine", "next")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        releases.promote("mine")
        _wait(lambda: running.server._desk.bot.release == "mine")
        caught_up = made[0].caught_up
        began = time.monotonic()
        releases.rollback()
        _wait(lambda: running.server._desk.bot is made[0])
        assert time.monotonic() - began < 5 and made[0].caught_up > caught_up and not made[0].closed
        _wait(lambda: made[1].closed)
        releases.promote("next")
        _wait(lambda: running.server._desk.bot.release == "next" and len(made) == 3)


def test_a_release_that_cannot_be_loaded_changes_nothing_until_another_is_promoted(settings, monkeypatch) -> None:
    releases = known(settings, "broken", "good")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        releases.promote("broken")
        _wait(lambda: running.server._succession._damaged == {"broken"})
        assert running.server._desk.bot is made[0] and not made[0].closed
        releases.promote("good")
        _wait(lambda: running.server._desk.bot.release == "good")


async def test_a_share_of_the_conversations_tries_a_release_and_keeps_it(settings, monkeypatch) -> None:
    releases = known(settings, "mine")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        desk = running.server._desk
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        releases.begin_trial("mine", 0.5)
        await asyncio.to_thread(_wait, lambda: desk.trial is not None)
        for _ in range(12):
            async with connect(f"ws://{running.host}/ws/chat") as chat:
                conversation = json.loads(await chat.recv())["conversation"]
                for question in ("one", "two"):
                    await chat.send(json.dumps({"type": "message", "text": question}))
                    while json.loads(await chat.recv())["type"] != "answer":
                        pass
                asked = made[desk.trial.has(conversation)].seen[-2:]
                assert [one.id for one in asked] == [conversation] * 2
        assert len(made) == 2 and all(bot.seen for bot in made), "each has some of the conversations"
        releases.rollback()
        await asyncio.to_thread(_wait, lambda: desk.trial is None and made[1].closed)
        assert desk.bot is made[0] and releases.serving() == "default"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_kept(share: float) -> None:
    bot = ScriptedBot()
    trial = OnTrial(bot, share)  # type: ignore[arg-type]
    assert abs(sum(trial.has(f"c{n}") for n in range(4000)) / 4000 - share) < 0.03


def test_a_promoted_release_that_abstains_more_is_taken_back_and_the_story_says_why(settings, monkeypatch) -> None:
    releases = known(settings, "mine")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        desk = running.server._desk
        talk(desk, "default", abstaining=5, of=60, at=datetime.now(UTC) - timedelta(days=1))
        releases.promote("mine")
        _wait(lambda: desk.bot.release == "mine")
        assert desk.watchman.judge() is None
        talk(desk, "mine", abstaining=25, of=40, at=datetime.now(UTC) + timedelta(seconds=1))
        desk.watchman._seen = None
        found = desk.watchman.judge()
        assert found is not None and (found.figure, found.language) == ("abstained", "en")
        _wait(lambda: desk.bot is made[0])
        last = releases.story()[-1]
        assert (last.act, last.release, last.before, last.found["now"]) == (
            "rollback", "default", "mine", {"count": 25, "of": 40}
        )  # fmt: skip
        assert desk.watchman.judge() is None and desk.watchman.seen() is None
        (noted,) = [one for one in desk.access.audit.page()[0] if one.action == "release.rollback"]
        assert noted.staff_name == "the watch" and noted.subject == "mine"


def talk(desk, release: str, abstaining: int, of: int, at: datetime) -> None:
    """Logs conversations of one question and one answer each."""
    from sqlalchemy import update

    from bot import tables
    from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
    from bot.types import Answer, Message
    from knowledge_base.database import migrate

    migrate(desk.access.engine, MIGRATIONS, VERSION_TABLE)
    log = ConversationLog(desk.access.engine)
    for n in range(of):
        id = log.open().id
        log.ask(id, Message(f"q{n}", "customer", "?", at))
        log.answer(id, Answer(f"a{n}", "abstain" if n < abstaining else "faq", "…", "en", release=release))
        with desk.access.engine.begin() as connection:
            mine = tables.message.c.conversation_id == id
            connection.execute(update(tables.message).where(mine).values(at=at))
