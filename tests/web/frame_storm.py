"""Anything at all sent over the chat's websocket, to a real server with a real bot, by a Hypothesis state machine.

As a program (`make storm`, or `python -m tests.web.frame_storm --frames 100000`) it goes on until so many frames
have been sent, and prints what it saw as JSON.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from knowledge_base.types import Faq
from tests.web.conftest import Running, _listening
from tests.web.console.server import open_bot
from web.app import create_app
from web.settings import Settings

WAIT = 60  # seconds for one frame, on a busy machine
PATIENCE = 40  # offences until the server shows somebody out
MOST_FRAME = 16_384  # bytes
PLENTY = 10**9
BROKEN = ("frame failed", "reply failed", "chat not begun")
FAQS = [
    Faq("return.zh", "怎么申请退货？", "在订单页点击“申请退货”。", "zh"),
    Faq("return.en", "How do I return an item?", "Open the order and choose Return.", "en"),
]
QUESTIONS = [
    "怎么申请退货？",
    "How do I return an item?",
    "转人工",
    "I want to talk to a person",
    "谢谢",
    "???",
    "\u202e \x00",
    "",
]
KNOWN = {
    *("session", "start", "token", "answer", "error", "pong", "feedback_saved", "contact_saved", "desk"),
    *("received", "staff_message", "staff_typing", "read", "solved_saved"),
}
OFFENCES = {"bad_frame", "too_large", "rate_limited"}
CODES = OFFENCES | {"too_long", "empty", "busy", "unauthorized", "unknown_message"}

ids = st.sampled_from(["a", "b", "c"]) | st.text(max_size=70)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))
kinds = st.sampled_from(
    ["message", "resume", "stop", "feedback", "contact", "typing", "cancel_handoff", "read", "solved", "ping", "x"]
)
fields = st.sampled_from(
    ["text", "id", "token", "last_seq", "message_id", "helpful", "reason", "comment", "contact", "solved", "seq"]
)
nearly = st.builds(lambda kind, rest: json.dumps({"type": kind, **rest}), kinds, st.dictionaries(fields, values))
garbage = (
    st.text(max_size=60)
    | values.map(json.dumps)
    | nearly
    | nearly.flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))
    | st.sampled_from(["", "{", "[" * 5000, '{"type":"ping","type":"stop"}', '{"type":"message","text":"\\ud800"}'])
    | st.integers(MOST_FRAME - 9, MOST_FRAME + 9).map("x".__mul__)
    | st.binary(max_size=60)
)


class World:
    """One server for many machines, and what has been seen so far."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.frames = 0
        self.seen: Counter[str] = Counter()
        self.broken: list[dict[str, Any]] = []
        self.tokens: list[str] = []  # of other conversations


class Tab:
    """One connection of a visitor; knows what the protocol promises it."""

    def __init__(self, world: World, **query: object) -> None:
        self.world = world
        self._kept = ExitStack()
        connecting = connect(world.server.ws(**query), open_timeout=WAIT, max_size=None)
        self.socket: ClientConnection = self._kept.enter_context(connecting)
        self.token = self.conversation = ""
        self.seq = self.offences = 0
        self.answers: list[str] = []
        self.closed = False
        self.settle()

    def send(self, *frames: str | bytes) -> None:
        """Send as they are, then see what comes of it."""
        try:
            for frame in frames:
                self.world.frames += 1
                self.socket.send(frame)
        except ConnectionClosed:
            pass  # seen when what came before it has been read
        self.settle()

    def settle(self) -> None:
        """Read all that comes until the answer to a ping."""
        try:
            self.socket.send('{"type":"ping"}')
            self.world.frames += 1
            while self._take(json.loads(self.socket.recv(WAIT))) != "pong":
                pass
        except ConnectionClosed as closed:
            # exactly when it has offended often enough; what was sent after that does not count
            assert self.offences >= PATIENCE and closed.rcvd and closed.rcvd.code in (1008, 1009), closed
            self.closed = True

    def close(self) -> None:
        self._kept.close()

    def _take(self, frame: dict[str, Any]) -> str:
        kind = frame["type"]
        assert kind in KNOWN, frame
        self.world.seen[kind if kind != "error" else f"error: {frame['code']}"] += 1
        if kind == "session":
            self.token, self.conversation, self.seq = frame["token"], frame["conversation"], frame["last_seq"]
        elif kind == "error":
            assert frame["code"] in CODES and frame["text"]["zh"] and frame["text"]["en"], frame
            self.offences += frame["code"] in OFFENCES
        seq = frame.get("seq")
        if seq is not None and seq > self.seq:  # a lower one has been asked for again under its id
            assert seq == self.seq + 1, (self.seq, frame)
            self.seq = seq
            if kind == "answer":
                assert frame["text"] or frame["stopped"], frame
                assert frame["message_id"] not in self.answers, "answered once"
                self.answers.append(frame["message_id"])
        return str(kind)


class Storm(RuleBasedStateMachine):
    """A visitor who does everything wrong and much of it right."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.tab: Tab | None = None
        self.second: Tab | None = None

    @initialize()
    def open(self) -> None:
        self.tab = Tab(self.world)

    @property
    def here(self) -> Tab:
        """The open tab; a new one with the old one's token where the server has closed it."""
        assert self.tab is not None
        if self.tab.closed:
            self.tab.close()
            self.tab = Tab(self.world, token=self.tab.token)
        return self.tab

    @rule(frames=st.lists(garbage, min_size=1, max_size=36))
    def anything(self, frames: list[str | bytes]) -> None:
        self.here.send(*frames)

    @rule(text=st.sampled_from(QUESTIONS) | st.text(max_size=40), id=st.none() | st.sampled_from(["a", "b", "c"]))
    def ask(self, text: str, id: str | None) -> None:
        self.here.send(json.dumps({"type": "message", "text": text, "id": id}))

    @rule(id=st.sampled_from(["a", "b"]), times=st.integers(2, 4))
    def ask_the_same(self, id: str, times: int) -> None:
        self.here.send(*[json.dumps({"type": "message", "text": QUESTIONS[1], "id": id})] * times)

    @rule(length=st.integers(1_998, 2_003))
    def ask_at_length(self, length: int) -> None:
        self.here.send(json.dumps({"type": "message", "text": "长" * length}))

    @rule(kind=st.sampled_from(["stop", "typing", "cancel_handoff", "ping"]), times=st.integers(1, 20))
    def act(self, kind: str, times: int) -> None:
        self.here.send(*[json.dumps({"type": kind})] * times)

    @rule(helpful=st.booleans(), comment=st.text(max_size=30), known=st.booleans(), other=ids)
    def judge(self, helpful: bool, comment: str, known: bool, other: str) -> None:
        tab = self.here
        message_id = tab.answers[-1] if known and tab.answers else other
        frame = {"type": "feedback", "message_id": message_id, "helpful": helpful, "comment": comment}
        tab.send(json.dumps(frame), json.dumps({"type": "read", "message_id": message_id}))

    @rule(contact=st.text(max_size=210), solved=st.booleans())
    def leave(self, contact: str, solved: bool) -> None:
        frames = ({"type": "contact", "contact": contact}, {"type": "solved", "solved": solved})
        self.here.send(*map(json.dumps, frames))

    @rule(seq=st.integers(-2, 60) | st.integers(), damaged=st.booleans())
    def resume(self, seq: int, damaged: bool) -> None:
        tab = self.here
        tab.answers.clear()  # they may come again
        token = ("x" if damaged else "") + tab.token
        tab.send(json.dumps({"type": "resume", "token": token, "last_seq": seq}))

    @rule(seq=st.integers(0, 60), again=st.booleans())
    def reload(self, seq: int, again: bool) -> None:
        tab = self.here
        tab.close()
        before = tab.conversation
        self.tab = Tab(self.world, token=tab.token, last_seq=seq) if again else Tab(self.world)
        assert (self.tab.conversation == before) is again, "a token opens its own conversation"

    @rule(text=st.sampled_from(QUESTIONS[:4]))
    def ask_in_another_tab(self, text: str) -> None:
        if self.second is None or self.second.closed or self.second.conversation != self.here.conversation:
            if self.second is not None:
                self.second.close()
            self.second = Tab(self.world, token=self.here.token)
        self.second.send(json.dumps({"type": "message", "text": text}))
        self.here.settle()

    @rule(text=st.binary(min_size=1, max_size=20).filter(lambda data: not _is_utf8(data)))
    def send_broken_text(self, text: bytes) -> None:
        """Text that is no UTF-8 ends the connection, by the websocket's own rules, and nothing else."""
        tab = self.here
        try:
            tab.socket.send(text, text=True)
            while True:
                tab.socket.recv(WAIT)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == 1007, closed
        self.world.frames += 1
        tab.close()
        self.tab = Tab(self.world, token=tab.token)

    def teardown(self) -> None:
        for tab in filter(None, (self.tab, self.second)):
            tab.close()
        assert not self.world.broken, self.world.broken[0]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class Unhandled(logging.Handler):
    """Notes what no code of Kefu has caught."""

    def __init__(self, broken: list[dict[str, Any]]) -> None:
        super().__init__(logging.ERROR)
        self._broken = broken

    def emit(self, record: logging.LogRecord) -> None:
        if "Invalid UTF-8" not in record.getMessage():
            self._broken.append({"event": record.getMessage(), "exc_info": record.exc_info})


@contextmanager
def world(folder: Path) -> Any:
    """A server over a real bot, whose log is listened to."""
    rates = ("messages_per_visitor", "messages_per_address", "sessions_per_address", "frames_per_connection")
    chosen = Settings(data=folder, api_key="k" * 32, **dict.fromkeys(rates, PLENTY))
    bot = open_bot(folder)
    with ExitStack() as kept:
        kept.callback(bot.close)
        bot.knowledge.put_faqs(FAQS)  # type: ignore[attr-defined]
        made = World(kept.enter_context(_listening(create_app(bot, chosen), chosen)))
        before = structlog.get_config()
        kept.callback(lambda: structlog.configure(**before))

        def listen(_logger: Any, _method: str, event: Any) -> Any:
            if event["event"] in BROKEN or event.get("log_level") == "critical":
                made.broken.append(dict(event))
            raise structlog.DropEvent

        structlog.configure(processors=[listen], cache_logger_on_first_use=False)
        server_log, unhandled = logging.getLogger("uvicorn.error"), Unhandled(made.broken)
        kept.callback(server_log.removeHandler, unhandled)
        server_log.addHandler(unhandled)
        yield made


def storm(made: World, frames: int, examples: int, steps: int) -> None:
    """Run machines until so many frames have been sent. Raises what they find."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if frames == 0 else list(Phase),
        derandomize=frames == 0,
    )
    Storm.world = made
    while True:
        run_state_machine_as_test(Storm, settings=chosen)  # type: ignore[no-untyped-call]
        if made.frames >= frames:
            return


def main() -> None:
    """Read the command line and go on until done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    frames = parser.parse_args().frames
    logging.getLogger("uvicorn.error").propagate = False
    with tempfile.TemporaryDirectory() as folder, world(Path(folder) / "data") as made:
        storm(made, frames, 30, 60)
        json.dump({"frames": made.frames, "broken": len(made.broken), "seen": made.seen}, sys.stdout, indent=1)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
