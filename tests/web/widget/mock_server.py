"""A scripted Kefu server for the widget's tests: wire protocol, host pages. Knows no answer that it was not given."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

FOLDER = Path(__file__).parents[3] / "web" / "static" / "widget"
SCRIPTS = {f"/{name}": FOLDER / name for name in ("widget.js", "desk.js")}
SUGGESTIONS = {
    "zh": ["怎么申请退货？", "多久能发货？", "如何开具发票？"],
    "en": ["How do I return an item?", "When will my order ship?", "Can I get an invoice?"],
}
GREETING = {"zh": "您好，我是青禾商城的客服助手，请问有什么可以帮您？", "en": "Hello, how can we help you today?"}
Frame = dict[str, Any]
Step = Callable[["Reply"], None]


@dataclass
class Conversation:
    """One dialogue: its numbered frames, its history, and the socket that is listening, if any."""

    token: str
    frames: list[Frame] = field(default_factory=list)
    history: list[Frame] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    first_of_reply: int | None = None  # seq of the reply in progress
    socket: ServerConnection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def emit(self, frame: Frame) -> None:
        """Numbers the frame, keeps it and sends it to whoever listens."""
        with self.lock:
            frame["seq"] = len(self.frames) + 1
            self.frames.append(frame)
            transmit(self.socket, frame)

    def leave(self, socket: ServerConnection) -> None:
        """Nobody listens any more, unless another socket does."""
        if self.socket is socket:
            self.socket = None

    def missed(self, last_seq: int) -> list[Frame]:
        """The frames of the reply in progress after `last_seq`."""
        first = self.first_of_reply
        return [] if first is None else [frame for frame in self.frames[first - 1 :] if frame["seq"] > last_seq]


@dataclass
class Reply:
    """One reply being written: what the steps of a script work on."""

    server: "MockServer"
    conversation: Conversation
    question: Frame
    message_id: str
    language: str
    stopped: threading.Event = field(default_factory=threading.Event)
    written: str = ""
    over: bool = False

    def start(self) -> None:
        self.conversation.first_of_reply = len(self.conversation.frames) + 1
        self.emit("start", reply_to=self.question.get("id"), language=self.language)

    def emit(self, type_: str, **fields: Any) -> None:
        self.conversation.emit({"type": type_, "message_id": self.message_id, **fields})

    def finish(self, **answer: Any) -> None:
        fields = {"kind": "grounded", "text": self.written, "language": self.language, "confidence": 0.9}
        fields |= {"citations": [], "options": [], "stopped": self.stopped.is_set()} | answer
        past = {"id": self.message_id, "role": "bot", "at": now(), **fields}
        self.conversation.history.append(past)
        self.conversation.first_of_reply = None
        self.over = True
        self.emit("answer", reply_to=self.question.get("id"), **fields)


def now() -> str:
    """The time as the protocol writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def transmit(socket: ServerConnection | None, frame: Frame) -> None:
    """Sends a frame, if anyone listens."""
    if socket is None:
        return
    try:
        socket.send(json.dumps(frame, ensure_ascii=False))
    except ConnectionClosed:
        return  # kept in the conversation; a resume fetches it


def say(text: str, size: int = 4, delay: float = 0.0) -> Step:
    """Streams a text in pieces of `size` characters, until the customer stops it."""

    def step(reply: Reply) -> None:
        for at in range(0, len(text), size):
            if reply.stopped.wait(delay):
                return
            reply.written += text[at : at + size]
            reply.emit("token", text=text[at : at + size])

    return step


def answer(**fields: Any) -> Step:
    """Ends the reply with an answer; fields that are not given have plain values."""
    return lambda reply: reply.finish(**fields)


def fail(code: str, zh: str, en: str) -> Step:
    """Ends the reply with an error; the same id may then be asked again."""

    def step(reply: Reply) -> None:
        reply.over = True
        reply.conversation.first_of_reply = None
        reply.conversation.asked.discard(reply.question["id"])
        text = {"zh": zh, "en": en}
        reply.conversation.emit({"type": "error", "code": code, "text": text, "reply_to": reply.question.get("id")})

    return step


def pause(gate: threading.Event) -> Step:
    """Waits until the test opens the gate, or the customer stops the reply."""

    def step(reply: Reply) -> None:
        while not gate.wait(0.02) and not reply.stopped.is_set():
            pass

    return step


def cut(reply: Reply) -> None:
    """Drops the customer's connection; the reply goes on."""
    reply.server.cut()


class MockServer:
    """Listens on a free port of this machine. Tests script it and read what it received."""

    def __init__(self) -> None:
        self.scripts: dict[str, Sequence[Step]] = {}  # question → steps after start
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}  # path → HTML, headers
        self.received: list[Frame] = []
        self.scripts_sent: list[str] = []
        self.desk: Frame = {"state": "bot", "open": False}  # who has every conversation
        self.queries: list[dict[str, list[str]]] = []  # of each connection
        self.refusing = False
        self.refused = 0
        self.conversations: dict[str, Conversation] = {}
        self._numbers = count(1)
        self._reply: Reply | None = None
        self._server: Server | None = None

    @contextmanager
    def running(self) -> Iterator["MockServer"]:
        """Serves until the block is left."""
        self._server = serve(self._listen, "127.0.0.1", 0, process_request=self._http, close_timeout=1)
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.cut()
            self._server.shutdown()
            thread.join()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def cut(self) -> None:
        """Drops every connection without a goodbye."""
        for conversation in list(self.conversations.values()):
            socket, conversation.socket = conversation.socket, None
            if socket is not None:
                with suppress(OSError):  # it may have gone by itself
                    socket.socket.shutdown(SHUT_RDWR)

    def expire(self, token: str) -> None:
        """Makes a token worthless and drops every connection."""
        self.cut()
        del self.conversations[token]

    def turn(self, state: str, zh: str = "", en: str = "", **fields: Any) -> None:
        """Gives every conversation to somebody else."""
        self.desk = {"state": state, "open": True, "text": {"zh": zh, "en": en}, **fields}
        for conversation in list(self.conversations.values()):
            conversation.emit({"type": "desk", **self.desk})

    def staff_says(self, text: str, name: str = "An") -> str:
        """A person says something to everybody. Returns the message's id."""
        id = f"m{next(self._numbers)}"
        for conversation in self._everybody():
            past = {"id": id, "role": "staff", "text": text, "at": now(), "author": name}
            conversation.history.append(past)
            conversation.emit({"type": "staff_message", "message_id": id, "name": name, "text": text, "at": now()})
        return id

    def pass_on(self, **frame: Any) -> None:
        """Sends a frame that is not kept."""
        for conversation in self._everybody():
            transmit(conversation.socket, frame)

    def _everybody(self, seconds: float = 5.0) -> list[Conversation]:
        """Whoever is there, once somebody is: a page may still be connecting."""
        _wait(lambda: bool(self.conversations), seconds)
        assert self.conversations, "nobody has come"
        return list(self.conversations.values())

    def of_type(self, kind: str, count: int = 0, seconds: float = 5.0) -> list[Frame]:
        """The frames of one type received so far, once there are `count`: a page shows a message before it has come."""
        found: list[Frame] = []

        def enough() -> bool:
            found[:] = [frame for frame in self.received if frame["type"] == kind]
            return len(found) >= count

        _wait(enough, seconds)
        return found

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/ws/chat":
            self.refused += self.refusing
            return connection.respond(503, "refused\n") if self.refusing else None
        if path in SCRIPTS:
            self.scripts_sent.append(path)
            return _page(SCRIPTS[path].read_text(encoding="utf-8"), {"Content-Type": "text/javascript; charset=utf-8"})
        if path in self.pages:
            html, headers = self.pages[path]
            return _page(html, {"Content-Type": "text/html; charset=utf-8", **headers})
        return connection.respond(404, "not found\n")

    def _listen(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        self.queries.append(query)
        token, last_seq = query.get("token", [""])[0], int(query.get("last_seq", ["0"])[0])
        known = self.conversations.get(token)
        if token and known is None:
            text = {"zh": "之前的会话已过期，已为您开始新的会话。", "en": "Your earlier conversation has expired."}
            transmit(socket, {"type": "error", "code": "unauthorized", "text": text})
        conversation = known or Conversation(f"token-{next(self._numbers)}")
        self._welcome(socket, conversation, known is not None, last_seq)
        try:
            for raw in socket:
                frame = json.loads(raw)
                self.received.append(frame)
                self._handle(conversation, frame)
            conversation.leave(socket)
        except ConnectionClosed:
            conversation.leave(socket)

    def _welcome(self, socket: ServerConnection, chat: Conversation, resumed: bool, last_seq: int) -> None:
        session = {"type": "session", "token": chat.token, "expires_in": 3600, "conversation": chat.token}
        session |= {"greeting": GREETING, "suggestions": SUGGESTIONS, "privacy_url": "/privacy", "resumed": resumed}
        session["desk"] = self.desk
        with chat.lock:  # nobody speaks to a conversation before its greeting
            self.conversations[chat.token] = chat
            chat.socket = socket
            transmit(socket, {**session, "history": chat.history if resumed else [], "last_seq": len(chat.frames)})
            for frame in chat.missed(last_seq):
                transmit(socket, frame)

    def _handle(self, conversation: Conversation, frame: Frame) -> None:
        match frame["type"]:
            case "ping":
                transmit(conversation.socket, {"type": "pong"})
            case "feedback":
                transmit(conversation.socket, {"type": "feedback_saved", "message_id": frame["message_id"]})
            case "contact":
                transmit(conversation.socket, {"type": "contact_saved"})
            case "stop" if self._reply is not None:
                self._reply.stopped.set()
            case "message" if self.desk["state"] in ("waiting", "staff"):
                past = {"id": f"s{len(conversation.history)}", "role": "customer", "text": frame["text"], "at": now()}
                if frame["id"] not in conversation.asked:
                    conversation.asked.add(frame["id"])
                    conversation.history.append(past)
                received = {"type": "received", "message_id": past["id"], "reply_to": frame["id"], "text": past["text"]}
                transmit(conversation.socket, received)
            case "solved":
                transmit(conversation.socket, {"type": "solved_saved", "solved": frame["solved"]})
            case "message" if frame["id"] not in conversation.asked:
                conversation.asked.add(frame["id"])
                threading.Thread(target=self._answer, args=(conversation, frame), daemon=True).start()

    def _answer(self, conversation: Conversation, frame: Frame) -> None:
        text = frame["text"]
        past = {"id": f"c{len(conversation.history)}", "role": "customer", "text": text, "at": now()}
        conversation.history.append(past)
        language = "zh" if any("\u4e00" <= char <= "\u9fff" for char in text) else "en"
        reply = self._reply = Reply(
            self, conversation, frame, f"{conversation.token}-{len(conversation.history)}", language
        )
        reply.start()
        for step in self.scripts.get(text, [say("OK: " + text[:80]), answer()]):
            step(reply)
            if reply.stopped.is_set() and not reply.over:
                break
        if not reply.over:
            reply.finish()


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.01)


def _page(text: str, headers: dict[str, str]) -> Response:
    body = text.encode()
    return Response(200, "OK", Headers({**headers, "Content-Length": str(len(body))}), body)
