"""Lets the promoted release take over from the one that serves, with conversations going on. Trains nothing.

Looks at the releases' folder every second, so that promoting, trying and rolling back work from any process. The
release before the current one stays open while the watch may want it back, so that a rollback takes a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bot.live import watched
from bot.releases import Releases, Trial
from web.desk import Desk, OnTrial

if TYPE_CHECKING:
    from bot.bot import Bot

Load = Callable[[str, "Bot"], "Bot"]
"""(name of a release, an open bot) → the bot of that release."""
_EVERY = 1.0  # seconds
_CATCHING_UP = 5  # looks between two at what the bots that do not serve have missed
_log = structlog.stdlib.get_logger(__name__)


class Succession:
    """The bots that are open: the one that serves, the one on trial, the one before."""

    def __init__(self, desk: Desk, bot: Bot, load: Load) -> None:
        self._desk = desk
        self._load = load
        self._releases = Releases(desk.settings.data / "releases")
        self._serving = bot.release
        self._open = {bot.release: bot}
        self._damaged: set[str] = set()
        self._problem = ""
        self._leaving: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        """Serve what is promoted, for ever. A release that cannot be loaded changes nothing."""
        looks = 0
        while self._desk.settings.release == "current":
            await asyncio.sleep(_EVERY)
            looks += 1
            try:
                await self._look()
                if looks % _CATCHING_UP == 0:
                    await self._catch_up()
                self._problem = ""
            except Exception as problem:  # of files or the database; the one that serves goes on
                if str(problem) != self._problem:
                    self._problem = str(problem)
                    _log.exception("releases not followed", serving=self._serving)

    async def close(self) -> None:
        """Close all bots."""
        for task in self._leaving:
            task.cancel()
        for bot in self._open.values():
            await asyncio.to_thread(bot.close)

    async def _look(self) -> None:
        wanted, trial, before = await asyncio.to_thread(self._wanted)
        self._damaged &= {wanted, trial.release if trial else "", before or ""}
        if wanted != self._serving and (bot := await self._opened(wanted)):
            await asyncio.to_thread(bot.catch_up)
            old, self._serving = self._serving, wanted
            self._desk.open(bot)
            _log.info("release taken over", release=wanted, before=old)
        tried = await self._opened(trial.release) if trial and trial.release != self._serving else None
        self._desk.trial = OnTrial(tried, trial.share) if tried and trial else None
        if before is not None and before != self._serving:
            await self._opened(before)
        keep = {self._serving, before, trial.release if trial else None}
        for name in [name for name in self._open if name not in keep]:
            self._leave(self._open.pop(name))

    def _wanted(self) -> tuple[str, Trial | None, str | None]:
        """What is to serve, what is tried, and what is to be ready for a rollback."""
        trial = self._releases.trial()
        what = watched(self._releases, self._desk.settings.watch_days, datetime.now(UTC))
        return self._releases.serving(), trial, what.before if what and trial is None else None

    async def _opened(self, name: str) -> Bot | None:
        """The bot of a release; None for one that cannot be loaded, which is said once."""
        if name in self._damaged:
            return None
        try:
            if name not in self._open:
                self._open[name] = await asyncio.to_thread(self._load, name, self._open[self._serving])
        except Exception:  # whatever a file or a model raises
            self._damaged.add(name)
            _log.exception("release not opened", release=name, serving=self._serving)
            return None
        return self._open[name]

    async def _catch_up(self) -> None:
        for name, bot in list(self._open.items()):
            if name != self._serving:
                await asyncio.to_thread(bot.catch_up)

    def _leave(self, bot: Bot) -> None:
        """Close a bot once the replies that it has begun have ended."""

        async def last() -> None:
            await self._desk.hub.settled()
            await asyncio.to_thread(bot.close)

        task = asyncio.ensure_future(last())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
