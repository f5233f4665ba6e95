"""Watches the release on trial, or promoted lately, and takes it back when it does worse than stated. Trains nothing.

What is worse, bot/watch.py says; the limits are the settings'.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from bot.live import Watched, compared, watched
from bot.releases import Releases
from bot.watch import Limits, Live, Worse, worse
from web.settings import Settings
from web.staff.access import Access

if TYPE_CHECKING:
    from web.desk import Desk

EVERY = 20.0  # seconds between two looks
_WATCH = "the watch"  # who rolled back, in the story and in the audit log
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a watched release."""

    what: Watched
    before: Live
    now: Live


class Watchman:
    """Compares the watched release with the one before it. Any thread may call."""

    def __init__(self, settings: Settings, access: Access) -> None:
        self._settings = settings
        self._access = access
        self._releases = Releases(settings.data / "releases")
        self._limits = limits(settings)
        self._seen: tuple[float, Look] | None = None
        self._alone = Lock()

    def seen(self) -> Look | None:
        """What is seen of the watched release, if one is; the counts are at most EVERY seconds old."""
        what = watched(self._releases, self._settings.watch_days, datetime.now(UTC))
        if what is None:
            return None
        with self._alone:
            kept = self._seen
            if kept and time.monotonic() - kept[0] < EVERY and _same(kept[1].what, what):
                return kept[1]
            look = Look(what, *compared(self._access.engine, what))
            self._seen = time.monotonic(), look
        return look

    def judge(self) -> Worse | None:
        """Look, and take the release back if it is worse; what spoke against it."""
        look = self.seen()
        found = worse(look.before, look.now, self._limits) if look else None
        if look is None or found is None:
            return None
        told = asdict(found)
        serving = self._releases.rollback(_WATCH, only=look.what.release, found=told).name
        _log.warning("release taken back", release=look.what.release, serving=serving, figure=found.figure)
        after = {"serving": serving, "why": told}
        self._access.audit.note(_WATCH, "release.rollback", look.what.release, {"release": look.what.release}, after)
        return found


async def watch(desk: Desk) -> None:
    """Judge again and again, for ever."""
    while desk.settings.release == "current":
        await asyncio.sleep(EVERY)
        try:
            await desk.call(lambda: desk.watchman.judge())
        except Exception:  # of files or the database; the next look may succeed
            _log.exception("release not watched")


def limits(settings: Settings) -> Limits:
    """The limits of the settings."""
    return Limits(settings.watch_abstained, settings.watch_disliked, settings.watch_corrected)


def _same(one: Watched, other: Watched) -> bool:
    return (one.release, one.before, one.since) == (other.release, other.before, other.since)
