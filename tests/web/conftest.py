"""A scripted bot with its log in memory, an app around it, and a real server on a free port."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
import uvicorn
from fastapi import FastAPI

from bot.bot import Bot
from bot.handoff import People
from bot.types import Answer, Citation, Conversation, Done, Event, Message, Start, Stop, Token
from tests.web.console.server import open_bot
from web.app import create_app
from web.server import _config
from web.settings import Settings

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class NoHandoffs:
    """Nobody ever has a conversation, with the behaviour of bot.handoffs.Handoffs."""

    def open_of(self, conversation_id: str) -> None:
        return None

    def hears(self, conversation_id: str, message_id: str) -> bool:
        return False

    def held(self) -> list[object]:
        return []


@dataclass
class MemoryLog:
    """Conversations in memory, with the behaviour of bot.log.ConversationLog."""

    conversations: dict[str, Conversation] = field(default_factory=dict)
    judgements: list[tuple[str, str, bool, str, str]] = field(default_factory=list)
    contacts: list[tuple[str, str, str]] = field(default_factory=list)
    handoffs: NoHandoffs = field(default_factory=NoHandoffs)
    turns: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(taken=lambda _: contextlib.nullcontext()))

    def open(self) -> Conversation:
        conversation = Conversation(uuid4().hex)
        self.conversations[conversation.id] = conversation
        return conversation

    def load(self, id: str) -> Conversation | None:
        return self.conversations.get(id)

    def ask(self, conversation_id: str, message: Message) -> None:
        before = self.conversations[conversation_id]
        self.conversations[conversation_id] = replace(before, messages=(*before.messages, message))

    def answer(self, conversation_id: str, answer: Answer) -> None:
        self.ask(conversation_id, Message(answer.id, "bot", answer.text, WHEN, answer))

    def feedback(self, conversation_id: str, message_id: str, helpful: bool, reason: str, comment: str) -> bool:
        messages = self.conversations[conversation_id].messages
        if not any(message.id == message_id and message.role == "bot" for message in messages):
            return False
        self.judgements.append((conversation_id, message_id, helpful, reason, comment))
        return True

    def contact(self, conversation_id: str, contact: str, text: str) -> bool:
        self.contacts.append((conversation_id, contact, text))
        return True


class ScriptedBot:
    """Echoes the question word by word.

    "hold …" waits for `gate` after the first piece, "fail …" breaks there, "rewrite" ends with another text than
    it streamed, "many N" streams N pieces.
    """

    release = "default"

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.knowledge = SimpleNamespace(is_empty=False)
        self.gate = threading.Event()
        self.holding = threading.Event()
        self.seen: list[Conversation] = []
        self.closed = False
        self.caught_up = 0

    def reply(
        self,
        conversation: Conversation,
        question: str,
        *,
        message_id: str | None = None,
        stop: Stop = lambda: False,
        people: People | None = None,
    ) -> Generator[Event, None, None]:
        self.seen.append(conversation)
        self.log.ask(conversation.id, Message(uuid4().hex, "customer", question, WHEN))
        id, said, finished = message_id or uuid4().hex, "", False
        yield Start(id, "en")
        reason = ""
        try:
            for number, piece in enumerate(self._pieces(question)):
                if number == 1:
                    self._after_first(question, stop)
                if stop():
                    break
                said += piece
                yield Token(piece)
            else:
                finished = True
        except RuntimeError:
            reason = "failed: RuntimeError"
            raise
        finally:
            text = "authoritative" if finished and question == "rewrite" else said
            answer = replace(self._answer(id, text, stopped=not finished), reason=reason)
            self.log.answer(conversation.id, answer)
        yield Done(answer)

    def greeting(self) -> dict[str, str]:
        return {"zh": "您好", "en": "Hello"}

    def suggestions(self) -> dict[str, tuple[str, ...]]:
        return {"zh": ("怎么退货？",), "en": ("How do I return an item?",)}

    def catch_up(self) -> None:
        self.caught_up += 1

    def close(self) -> None:
        self.closed = True

    def _pieces(self, question: str) -> list[str]:
        if question.startswith("many "):
            return ["x"] * int(question.split()[1])
        return ["You ", "asked: ", *(question if len(question) < 100 else [question])]

    def _after_first(self, question: str, stop: Stop) -> None:
        if question.startswith("fail"):
            raise RuntimeError(f"broken on {question}")
        if question.startswith("hold"):
            self.holding.set()
            until = time.monotonic() + 10
            while not (self.gate.wait(0.01) or stop() or time.monotonic() > until):
                pass

    def _answer(self, id: str, text: str, *, stopped: bool) -> Answer:
        citation = Citation(1, "document", "returns", 7, "Returns", ("Time",), "30 days", 2, WHEN)
        return Answer(
            id, "grounded", text, "en", 0.9, citations=(citation,), stopped=stopped, latency_ms={"search": 12.0}
        )


@dataclass
class Running:
    """A server that listens."""

    port: int
    app: FastAPI

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ws(self, **query: object) -> str:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}/ws/chat?{asked}"


@pytest.fixture
def bot() -> Iterator[ScriptedBot]:
    scripted = ScriptedBot()
    yield scripted
    scripted.gate.set()


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the limits the whole test lies within one minute, as one that ends lets part of what it counted go."""
    begun = time.time()
    for module in ("limits.storage.memory", "limits.strategies"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: begun))


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings in an empty data folder."""
    return lambda **given: Settings(**{"data": tmp_path / "data", "api_key": "k" * 32, **given})


@pytest.fixture
def listen() -> Iterator[Callable[[FastAPI, Settings], Running]]:
    """Starts real servers, and ends them."""
    with contextlib.ExitStack() as running:
        yield lambda app, settings: running.enter_context(_listening(app, settings))


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Bot]:
    """A bot with a knowledge base and a log on disk."""
    made = open_bot(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def running(
    bot: ScriptedBot, settings: Callable[..., Settings], listen: Callable[[FastAPI, Settings], Running]
) -> Callable[..., Running]:
    """Starts a real server of the scripted bot with the given settings."""

    def start(**given: object) -> Running:
        chosen = settings(**given)
        return listen(create_app(bot, chosen), chosen)

    return start


@contextlib.contextmanager
def _listening(app: FastAPI, settings: Settings) -> Iterator[Running]:
    server = uvicorn.Server(_config(app, settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            until = time.monotonic() + 10
            while not server.started:
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.005)
            yield Running(listener.getsockname()[1], app)
        finally:
            server.should_exit = True
            thread.join(10)
