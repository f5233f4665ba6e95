"""A promoted release takes over while conversations go on, and a rollback brings the other one back."""

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect

import web.server
from bot.releases import Releases
from bot.types import BotError
from tests.web.conftest import ScriptedBot
from tests.web.test_server import _wait, serving


def bots(monkeypatch: pytest.MonkeyPatch, releases: Releases) -> list[ScriptedBot]:
    """Has a fresh bot assembled of whatever release is promoted; "broken" cannot be loaded."""
    made: list[ScriptedBot] = []

    def assembled(chosen, progress) -> ScriptedBot:
        if releases.serving() == "broken":
            raise BotError("its files were altered")
        bot = ScriptedBot()
        bot.release = releases.serving()
        if made:
            bot.log = made[0].log
        made.append(bot)
        return bot

    monkeypatch.setattr(web.server, "_assembled", assembled)
    return made


async def test_a_reply_in_progress_ends_with_the_release_that_began_it(settings, monkeypatch) -> None:
    releases = Releases(settings().data / "releases")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        async with connect(f"ws://{running.host}/ws/chat") as chat:
            await chat.recv()
            await chat.send(json.dumps({"type": "message", "text": "hold on"}))
            while json.loads(await chat.recv())["type"] != "token":
                pass
            releases._point(["default", "mine"])
            await asyncio.to_thread(_wait, lambda: running.server._desk.bot.release == "mine")
            assert not made[0].closed
            made[0].gate.set()
            frame = json.loads(await chat.recv())
            while frame["type"] != "answer":
                frame = json.loads(await chat.recv())
            assert frame["text"] == "You asked: hold on" and not frame["stopped"]
            await asyncio.to_thread(_wait, lambda: made[0].closed)
            await chat.send(json.dumps({"type": "message", "text": "and now"}))
            while json.loads(await chat.recv())["type"] != "answer":
                pass
        assert [len(bot.seen) for bot in made] == [1, 1]
        releases._point(["default"])
        _wait(lambda: running.server._desk.bot.release == "default" and made[1].closed)
    assert made[2].closed


def test_a_release_that_cannot_be_loaded_changes_nothing_until_another_is_promoted(settings, monkeypatch) -> None:
    releases = Releases(settings().data / "releases")
    made = bots(monkeypatch, releases)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        releases._point(["default", "broken"])
        _wait(lambda: running.server._succession._seen == "broken")
        assert running.server._desk.bot is made[0] and not made[0].closed
        releases._point(["default", "good"])
        _wait(lambda: running.server._desk.bot.release == "good")
