"""What all connections of one app share. Knows no protocol."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from starlette.requests import HTTPConnection

from knowledge_base.types import KnowledgeBaseError, Language
from web.auth import ApiKey, Origins, Tokens, api_key, visitor_tokens
from web.hub import Hub
from web.inbox import Inbox
from web.learning import Learning
from web.limits import Limits
from web.metrics import Metrics
from web.notices import Notices
from web.settings import Settings
from web.staff.access import Access, open_access
from web.watching import Watchman

if TYPE_CHECKING:
    from bot.bot import Bot

_THREADS = 16  # for short calls to the database; replies have their own
_FRESH = 30.0  # seconds for which a welcome is shown again
_log = structlog.stdlib.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Closed(Exception):
    """There is no bot yet: it is still being loaded, or it is being shut down."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a visitor sees first."""

    greeting: dict[Language, str]
    suggestions: dict[Language, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class OnTrial:
    """A bot that a share of the conversations runs on, always the same ones."""

    bot: Bot
    share: float

    def has(self, conversation_id: str) -> bool:
        """Whether it has that conversation."""
        drawn = hashlib.sha256(f"{self.bot.release} {conversation_id}".encode()).digest()[:8]
        return int.from_bytes(drawn) < self.share * 2**64


@dataclass(slots=True)
class Desk:
    """The shared parts of one app, and the bot once it is there."""

    settings: Settings
    tokens: Tokens
    key: ApiKey
    origins: Origins
    own_site: Origins
    limits: Limits
    metrics: Metrics
    notices: Notices
    hub: Hub
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    trial: OnTrial | None = None
    _bot: Bot | None = None
    _access: Access | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _inbox: Inbox | None = None
    _learning: Learning | None = None
    _watchman: Watchman | None = None
    _welcome: tuple[float, Welcome] | None = None
    _threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_THREADS))

    @property
    def bot(self) -> Bot:
        """The bot. Raises Closed while there is none."""
        if self._bot is None:
            raise Closed
        return self._bot

    def bot_for(self, conversation_id: str) -> Bot:
        """The bot that answers in a conversation. Raises Closed while there is none."""
        serving, trial = self.bot, self.trial
        return trial.bot if trial and trial.has(conversation_id) else serving

    @property
    def access(self) -> Access:
        """The staff's side, opened at first use: call it in a thread. Raises KnowledgeBaseError or WebError."""
        with self._opening:
            if self._access is None:
                self._access = open_access(self.settings)
            return self._access

    @property
    def inbox(self) -> Inbox:
        """The conversations that people have or that wait for them."""
        if self._inbox is None:
            self._inbox = Inbox(self)
        return self._inbox

    @property
    def learning(self) -> Learning:
        """The rounds of learning, and other work beside the server."""
        with self._opening:
            if self._learning is None:
                self._learning = Learning(self.settings)
            return self._learning

    @property
    def watchman(self) -> Watchman:
        """Who looks whether a release does worse than the one before it."""
        access = self.access
        with self._opening:
            if self._watchman is None:
                self._watchman = Watchman(self.settings, access)
            return self._watchman

    @property
    def ready(self) -> bool:
        """Whether there is a bot to ask."""
        return self._bot is not None

    async def connect(self) -> None:
        """Hear and tell the other servers of this database, if it is one that can have some."""
        if not self.settings.database.startswith("sqlite"):
            self.notices.connect((await self.call(lambda: self.access)).engine)

    def open(self, bot: Bot) -> None:
        """Begin to serve with this bot."""
        self._bot = bot
        self.opened.set()

    async def close(self, patience: float) -> None:
        """Take no more questions and let running replies end; see Hub.close."""
        self._bot = None
        self.trial = None
        self.opened.clear()
        if self._inbox is not None:
            self._inbox.leave()
        await self.hub.close(patience)
        await self.call(self.notices.close)
        if self._access is not None:
            self._access.engine.dispose()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call that may wait for the database, made in a thread."""
        return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=self._threads)

    async def welcome(self) -> Welcome:
        """Greeting and suggested questions, at most half a minute old."""
        if self._welcome is None or time.monotonic() - self._welcome[0] > _FRESH:
            self._welcome = (time.monotonic(), await self.call(_welcome, self.bot))
        return self._welcome[1]


def _welcome(bot: Bot) -> Welcome:
    """What the bot says first, without suggestions while the FAQs cannot be read: most questions need only one."""
    try:
        suggestions = bot.suggestions()
    except KnowledgeBaseError:
        _log.exception("no suggestions")
        suggestions = {"zh": (), "en": ()}
    return Welcome(bot.greeting(), suggestions)


def desk_of(connection: HTTPConnection) -> Desk:
    """The desk of the app that a request or websocket came to."""
    desk = connection.app.state.desk
    assert isinstance(desk, Desk)
    return desk


def open_desk(settings: Settings) -> Desk:
    """A desk for these settings. Raises WebError when the data folder cannot keep its secrets."""
    metrics, notices = Metrics(), Notices()
    return Desk(
        settings=settings,
        tokens=visitor_tokens(settings),
        key=api_key(settings),
        origins=Origins(settings.origins),
        own_site=Origins(()),
        limits=Limits(settings),
        metrics=metrics,
        notices=notices,
        hub=Hub(settings, metrics, notices),
    )
