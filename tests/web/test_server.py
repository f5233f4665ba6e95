"""The server process: listening before loading, the reasons not to start, ending without losing answers, logs."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
import structlog
from websockets.asyncio.client import connect
from websockets.protocol import State

import web.server
from knowledge_base.types import KnowledgeBaseError
from web.app import create_app
from web.errors import WebError
from web.logs import without_words
from web.server import Server, _config, serve
from web.settings import Settings


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.server, "configure_logs", lambda form: None)


@contextmanager
def serving(settings: Settings, progress=None):
    """A whole Server in a thread; yields it with its URL. What it raises is in `server.problem`."""
    app = create_app(None, settings)
    server = Server(_config(app, settings), app.state.desk, progress)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            _wait(lambda: server.started)
            yield SimpleNamespace(server=server, thread=thread, host=f"127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(10)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not done():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


def test_it_listens_while_the_bot_is_being_loaded(bot, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    loading, seen = threading.Event(), []

    def assembled(chosen: Settings, progress) -> object:
        progress(1, 2)
        assert loading.wait(10)
        return bot

    monkeypatch.setattr(web.server, "_assembled", assembled)
    with serving(settings(), lambda done, total: seen.append((done, total))) as running:
        assert httpx.get(f"http://{running.host}/health").status_code == 200
        assert httpx.get(f"http://{running.host}/ready").status_code == 503
        loading.set()
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
    assert seen == [(1, 2)] and bot.closed


def test_what_keeps_the_bot_from_loading_ends_the_server(settings, monkeypatch, quiet) -> None:
    def broken(chosen: Settings, progress) -> object:
        raise KnowledgeBaseError("the models are damaged; delete them")

    monkeypatch.setattr(web.server, "_assembled", broken)
    with pytest.raises(KnowledgeBaseError, match="delete them"):
        serve(settings(port=0))


def test_a_panic_of_foreign_code_while_loading_ends_the_server_too(settings, monkeypatch, quiet) -> None:
    class PanicException(BaseException):
        """As Rust's are in Python."""

    def broken(chosen: Settings, progress) -> object:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(web.server, "_assembled", broken)
    with pytest.raises(PanicException):
        serve(settings(port=0))


def test_a_port_that_is_taken_is_named(settings, quiet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WebError, match=f"port {port} of 127.0.0.1 is taken.*KEFU_PORT"):
            serve(settings(port=port))


def test_a_host_that_is_not_ours_is_named(settings, quiet) -> None:
    with pytest.raises(WebError, match="cannot listen on 192.0.2.1.*KEFU_HOST"):
        serve(settings(host="192.0.2.1", port=0))


async def test_running_replies_reach_their_readers_before_the_end(bot, settings, monkeypatch) -> None:
    monkeypatch.setattr(web.server, "_assembled", lambda chosen, progress: bot)
    with serving(settings()) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        async with connect(f"ws://{running.host}/ws/chat") as chat:
            await chat.recv()
            await chat.send(json.dumps({"type": "message", "text": "hold on"}))
            while json.loads(await chat.recv())["type"] != "token":
                pass
            running.server.should_exit = True
            await asyncio.sleep(0.3)
            await chat.send(json.dumps({"type": "message", "text": "one more", "id": "c2"}))
            assert json.loads(await chat.recv())["code"] == "busy"
            bot.gate.set()
            frame = json.loads(await chat.recv())
            while frame["type"] != "answer":
                frame = json.loads(await chat.recv())
    assert frame["text"] == "You asked: hold on" and not frame["stopped"] and bot.closed


def test_a_socket_that_its_customer_is_closing_is_not_closed_again() -> None:
    done: list[str] = []
    ends = SimpleNamespace(close=lambda: done.append("transport"))
    closing = SimpleNamespace(
        conn=SimpleNamespace(state=State.CLOSING), stop_keepalive=lambda: done.append("keepalive"), transport=ends
    )
    web.server.Socket.shutdown(closing)  # type: ignore[arg-type]
    assert done == ["keepalive", "transport"]


async def test_a_reply_that_takes_too_long_is_stopped_and_logged_at_the_end(bot, settings, monkeypatch) -> None:
    monkeypatch.setattr(web.server, "_assembled", lambda chosen, progress: bot)
    with serving(settings(drain_seconds=0.1)) as running:
        _wait(lambda: httpx.get(f"http://{running.host}/ready").status_code == 200)
        async with connect(f"ws://{running.host}/ws/chat") as chat:
            conversation = json.loads(await chat.recv())["conversation"]
            await chat.send(json.dumps({"type": "message", "text": "hold on"}))
            while json.loads(await chat.recv())["type"] != "token":
                pass
    assert bot.log.load(conversation).messages[-1].answer.stopped


def test_proxies_are_believed_only_when_trusted(running, bot, one_minute: None) -> None:
    forwarded = {"x-forwarded-for": "192.0.2.1"}
    for trusted, second in (((), 429), (("127.0.0.1",), 200)):
        server = running(trusted_proxies=trusted, sessions_per_address=1)
        ask = {"text": "hi"}
        assert httpx.post(f"{server.http}/chat/stream", json=ask).status_code == 200
        assert httpx.post(f"{server.http}/chat/stream", json=ask, headers=forwarded).status_code == second


def test_logged_exceptions_have_no_words_but_our_own() -> None:
    logger = structlog.wrap_logger(logging.getLogger("test"))
    for problem, ours in ((ValueError("call 13800000000"), False), (KnowledgeBaseError("delete it"), True)):
        event = without_words(logger, "error", {"event": "broke", "exc_info": problem})
        assert "13800000000" not in repr(event) and ("delete it" in event["exception"]) is ours
    words = "call 13800000000"
    try:
        raise ValueError(words)
    except ValueError:
        event = without_words(logger, "error", {"event": "broke", "exc_info": True})
    assert event["exception"] == "builtins.ValueError" and "test_server.py" in event["trace"]
    assert "13800000000" not in repr(event)
