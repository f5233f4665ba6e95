"""Lets the promoted release take over from the one that serves, with conversations going on. Trains nothing.

Looks at the releases' pointer every second, so that promoting and rolling back work from any process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bot.releases import Releases
from web.desk import Desk

if TYPE_CHECKING:
    from bot.bot import Bot

_EVERY = 1.0  # seconds
_log = structlog.stdlib.get_logger(__name__)


class Succession:
    """The bot that serves, and how the next one follows it."""

    def __init__(self, desk: Desk, bot: Bot, load: Callable[[], Bot]) -> None:
        self.bot = bot
        self._desk = desk
        self._load = load
        self._releases = Releases(desk.settings.data / "releases")
        self._seen = bot.release  # the last that was tried

    async def follow(self) -> None:
        """Serve what is promoted, for ever. A release that cannot be loaded changes nothing."""
        while self._desk.settings.release == "current":
            await asyncio.sleep(_EVERY)
            try:
                wanted = await asyncio.to_thread(self._releases.serving)
                if wanted != self._seen:
                    self._seen = wanted
                    await self._succeed()
            except Exception:  # whatever a file or a model raises; the one that serves goes on
                _log.exception("release not taken over", serving=self.bot.release)

    async def _succeed(self) -> None:
        bot = await asyncio.to_thread(self._load)
        old, self.bot = self.bot, bot
        self._desk.open(bot)
        _log.info("release taken over", release=bot.release, before=old.release)
        await self._desk.hub.settled()
        await asyncio.to_thread(old.close)
