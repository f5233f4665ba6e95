"""The remote generator against a small real HTTP server that streams, stalls, refuses, cuts and never ends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.bot import Bot
from bot.breaker import Breaker
from bot.calibration import Calibration
from bot.log import ConversationLog
from bot.remote_generator import RemoteGenerator
from bot.types import BotError, Done, TextGenerator
from knowledge_base.types import Passage

ASK = [{"role": "user", "content": "退 货 the item"}]


def _never() -> bool:
    return False


@dataclass
class Server:
    """What the remote server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    first: list[str] = field(default_factory=list)  # what becomes of the first requests: a status, or "cut"
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    pause: float = 0.0
    requests: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    broken_pipe: threading.Event = field(default_factory=threading.Event)

    def say(self, *pieces: str) -> None:
        deltas = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
        self.lines = [": comment", *(f"data: {json.dumps({'choices': [{'delta': d}]})}" for d in deltas)]
        self.lines += ['data: {"choices": [], "usage": {}}', "data: [DONE]"]


@pytest.fixture
def server() -> Iterator[Server]:
    """A real server on a free port."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append((self.path, body, self.headers["Authorization"]))
            became = state.first.pop(0) if state.first else str(state.status)
            if became == "cut":
                return self.connection.close()
            self.send_response(int(became))
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if became != str(state.status):
                return
            try:
                for line in state.lines:
                    self.wfile.write(f"{line}\n\n".encode())
                    time.sleep(state.pause)
            except OSError:
                state.broken_pipe.set()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def remote(server: Server) -> Iterator[RemoteGenerator]:
    generator = RemoteGenerator(server.url, "qwen", "secret")
    yield generator
    generator.close()


def test_remote_streams_and_asks_rightly(server: Server, remote: RemoteGenerator) -> None:
    server.say("七天", "内可以", "退货。")
    typed: TextGenerator = remote
    assert list(typed.generate(ASK, _never)) == ["七天", "内可以", "退货。"]
    path, body, key = server.requests[0]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert (body["model"], body["messages"], body["stream"]) == ("qwen", ASK, True)


@pytest.mark.parametrize("ending", ["/", "/chat/completions"])
def test_address_may_end_either_way(server: Server, ending: str) -> None:
    server.say("ok")
    generator = RemoteGenerator(server.url + ending, "m")
    assert list(generator.generate(ASK, _never)) == ["ok"]
    path, _, key = server.requests[0]
    assert (path, key) == ("/v1/chat/completions", None)
    generator.close()


@pytest.mark.parametrize("url", ["", "localhost:9000/v1", "ftp://host/v1"])
def test_bad_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address like https://host/v1"):
        RemoteGenerator(url, "m")


def test_remote_half_characters_are_joined(server: Server, remote: RemoteGenerator) -> None:
    server.say("好\ud83d", "\ude00的\ufffd", "!")
    assert list(remote.generate(ASK, _never)) == ["好", "😀的", "!"]


@pytest.mark.parametrize(
    ("status", "lines", "says"),
    [
        (401, ["no"], "answered 401: no.*check KEFU_GENERATOR_KEY"),
        (404, ["no such model"], "answered 404: no such model.*check KEFU_GENERATOR_URL and KEFU_GENERATOR_MODEL"),
        (200, ["data: not json"], "is not a chat completion.*check KEFU_GENERATOR_URL"),
        (200, ['data: {"answer": 1}'], "is not a chat completion"),
        (200, ['data: {"error": {"message": "overloaded"}}'], "reports .*overloaded"),
        (200, ["<html>"], "broke off in the middle"),
        (200, ['data: {"choices": [{"delta": {"content": "half"}}]}'], "broke off in the middle"),
    ],
)
def test_remote_failures_name_the_remedy(
    server: Server, remote: RemoteGenerator, status: int, lines: list[str], says: str
) -> None:
    server.status, server.lines = status, lines
    with pytest.raises(BotError, match=f"(?s){says}"):
        list(remote.generate(ASK, _never))


def test_remote_end_is_also_told_by_the_finish_reason(server: Server, remote: RemoteGenerator) -> None:
    choice = {"delta": {"content": "done"}, "finish_reason": "stop"}
    server.lines = [f"data: {json.dumps({'choices': [choice]})}"]
    assert list(remote.generate(ASK, _never)) == ["done"]


def test_remote_that_is_not_there(server: Server) -> None:
    generator = RemoteGenerator("http://127.0.0.1:9/v1", "m")
    with pytest.raises(BotError, match="cannot be reached .*check KEFU_GENERATOR_URL and that it runs"):
        list(generator.generate(ASK, _never))
    generator.close()


def test_remote_that_falls_silent(server: Server) -> None:
    server.say("one", "two")
    server.pause = 2.0
    generator = RemoteGenerator(server.url, "m", seconds=0.3)
    with pytest.raises(BotError, match="did not answer in time"):
        list(generator.generate(ASK, _never))
    generator.close()


def test_remote_stop_is_prompt_and_hangs_up(server: Server, remote: RemoteGenerator) -> None:
    server.say(*["字"] * 400)
    server.pause = 0.02
    pieces: list[str] = []
    began = time.monotonic()
    for piece in remote.generate(ASK, lambda: len(pieces) >= 2):
        pieces.append(piece)
    assert pieces == ["字", "字"]
    assert time.monotonic() - began < 5
    assert server.broken_pipe.wait(10)


@pytest.mark.parametrize("first", [["503"], ["429", "502"], ["cut"], ["cut", "504"]])
def test_remote_is_asked_again_before_anything_was_written(
    server: Server, remote: RemoteGenerator, first: list[str]
) -> None:
    server.first = list(first)
    server.headers = {"Retry-After": "0"}
    server.say("七天", "内")
    assert list(remote.generate(ASK, _never)) == ["七天", "内"]
    assert len(server.requests) == len(first) + 1


def test_remote_is_not_asked_again_in_vain(server: Server, remote: RemoteGenerator) -> None:
    server.first, server.status = ["503"] * 9, 200
    with pytest.raises(BotError, match="answered 503"):
        list(remote.generate(ASK, _never))
    assert len(server.requests) == 3
    server.first, server.headers = ["503"], {"Retry-After": "3600"}  # longer than a customer waits
    with pytest.raises(BotError, match="answered 503"):
        list(remote.generate(ASK, _never))
    assert len(server.requests) == 4
    server.first, server.status = [], 401  # will not be otherwise a moment later
    with pytest.raises(BotError, match="KEFU_GENERATOR_KEY"):
        list(remote.generate(ASK, _never))
    assert len(server.requests) == 5


def test_remote_that_breaks_off_after_some_words_is_not_asked_again(server: Server, remote: RemoteGenerator) -> None:
    server.say("七天")
    server.lines.pop()
    heard: list[str] = []
    with pytest.raises(BotError, match="broke off in the middle"):
        for piece in remote.generate(ASK, _never):
            heard.append(piece)
    assert heard == ["七天"] and len(server.requests) == 1


def test_remote_that_only_keeps_the_line_alive_is_not_waited_for(server: Server) -> None:
    server.lines, server.pause = [": still here"] * 1_000, 0.05
    generator = RemoteGenerator(server.url, "m", seconds=0.5)
    with pytest.raises(BotError, match="did not answer in time"):
        list(generator.generate(ASK, _never))
    generator.close()


def test_remote_that_never_ends_is_ended(server: Server, remote: RemoteGenerator) -> None:
    server.say(*["and so on and so forth, "] * 5_000)
    with pytest.raises(BotError, match="does not end"):
        list(remote.generate(ASK, _never))


def test_remote_that_keeps_failing_is_left_alone_for_a_while(server: Server) -> None:
    now = [0.0]
    generator = RemoteGenerator(server.url, "m", breaker=Breaker(2, 30, lambda: now[0]))
    server.status = 404
    for _ in range(2):
        with pytest.raises(BotError, match="answered 404"):
            list(generator.generate(ASK, _never))
    with pytest.raises(BotError, match="keeps failing; it is asked again in 30 s"):
        list(generator.generate(ASK, _never))
    assert len(server.requests) == 2
    now[0] += 30
    with pytest.raises(BotError, match="answered 404"):  # one try, which fails
        list(generator.generate(ASK, _never))
    with pytest.raises(BotError, match="keeps failing"):
        list(generator.generate(ASK, _never))
    now[0] += 30
    server.status = 200
    server.say("back")
    for _ in range(3):
        assert list(generator.generate(ASK, _never)) == ["back"]
    generator.close()


def test_one_at_a_time_tries_whether_it_works_again() -> None:
    now = [0.0]
    breaker = Breaker(1, 10, lambda: now[0])
    assert breaker.wait() == 0 and breaker.failed()
    now[0] = 10
    assert breaker.wait() == 0 and breaker.wait() == 10  # the second waits for what becomes of the first
    breaker.succeeded()
    assert breaker.wait() == 0 == breaker.wait()


@pytest.mark.parametrize("fault", ["cut", "stall", "half", "down"])
def test_an_engine_that_fails_ends_in_a_quoted_answer(
    server: Server,
    log: ConversationLog,
    small_knowledge: Callable[..., Any],
    passage: Callable[..., Passage],
    calibration: Calibration,
    fault: str,
) -> None:
    server.say("滤网每", "三个月更换一次。")
    server.first = ["cut"] * 3 if fault == "cut" else []
    server.pause = 2.0 if fault == "stall" else 0.0
    server.lines = server.lines[:2] if fault == "half" else server.lines
    url = "http://127.0.0.1:9/v1" if fault == "down" else server.url
    generator = RemoteGenerator(url, "m", seconds=1.0)
    bot = Bot(small_knowledge([passage("滤网每六个月更换一次。请先关机。")]), log, calibration, generator)
    *_, done = bot.reply(log.open(), "滤网每几个月更换一次？")
    assert isinstance(done, Done)
    assert (done.answer.kind, done.answer.text) == ("grounded", "滤网每六个月更换一次。")
    assert done.answer.citations and "generator failed" in done.answer.reason
    generator.close()
