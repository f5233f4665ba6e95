"""Lets the knowledge base read closely, while nobody asks, what it would else read during the first answers.

Begins when a bot has begun to serve, and again whenever the knowledge base or the release has changed.
"""

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from web.desk import Closed, Desk

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase

_EVERY = 5.0  # seconds between two looks for what has changed
_PAUSE = 0.005  # seconds between two pieces of work: a question that comes goes first
_LOOK = 0.02  # seconds between two looks whether something is still being answered
_log = structlog.stdlib.get_logger(__name__)


class Preparation:
    """What is read beforehand, for the bot that serves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done: tuple[str, int] | None = None  # release and revision
        self._failed = False

    async def follow(self) -> None:
        """Prepare what serves, for ever. What fails is said once: answers only take longer without it."""
        while True:
            try:
                await self.once()
                self._failed = False
            except Closed:
                _log.debug("no bot to prepare")
            except Exception:  # whatever a model or the database raises
                if not self._failed:
                    _log.exception("texts not read beforehand")
                self._failed = True
            await asyncio.sleep(_EVERY)

    async def once(self) -> None:
        """Prepare the bot that serves now, if it is not; gives up when another takes over. Raises Closed."""
        bot = self._desk.bot
        knowledge = cast("KnowledgeBase", bot.knowledge)
        state = (bot.release, await self._desk.call(lambda: knowledge.revision))
        if state == self._done:
            return
        steps, end = knowledge.prepare(), object()
        while await self._desk.call(next, steps, end) is not end:
            await asyncio.sleep(_PAUSE)
            while not self._desk.hub.idle:
                await asyncio.sleep(_LOOK)
            if self._desk.bot is not bot:
                return
        self._done = state
