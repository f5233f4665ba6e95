"""Erases conversations that are older than the operator keeps them, now and every hour. Knows no columns."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from bot.erase import erase
from bot.retention import expired
from web.api.the_log import log_of
from web.desk import Closed, Desk

_EVERY = 3600.0  # seconds
_LOOKED = "retention.looked"  # when the last look was
_LEAP = timedelta(days=1)
_HOLD = 86_400.0  # seconds
_log = structlog.stdlib.get_logger(__name__)


class Retention:
    """Keeps the log no longer than `settings.retention_days`; 0 keeps it for ever.

    Where more than a day has passed since the last look, the server was off or its clock has leapt, and a wrong clock
    would erase everything: it then waits for a day.
    """

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._held: tuple[float, str] | None = None  # since when it waits, and the look before

    async def follow(self) -> None:
        """Look every hour, for ever. What fails once is tried again at the next look."""
        while self._desk.settings.retention_days:
            try:
                await self._desk.call(self.sweep, datetime.now(UTC))
            except Closed:
                _log.debug("no bot to keep a log")
            except Exception:  # whatever the database raises; the next look may succeed
                _log.exception("old conversations not erased")
            await asyncio.sleep(_EVERY)

    def sweep(self, now: datetime) -> int:
        """Erase what is too old, and note it as one entry of the audit log; returns how many conversations.

        Reads and writes the database: call it in a thread. Raises Closed while there is no bot.
        """
        engine = log_of(self._desk)
        if not self._is_sure(now):
            return 0
        before = now - timedelta(days=self._desk.settings.retention_days)
        gone: Counter[str] = Counter()
        while ids := expired(engine, before):
            for id in ids:
                erased = erase(engine, id)
                gone.update(erased.counts if erased else {})
        if gone:
            rows = {"before": before.isoformat(), **gone}
            self._desk.access.audit.note("kefu", "conversation.expire", "", after=rows)
            _log.info("old conversations erased", conversations=gone["conversation"])
        return gone["conversation"]

    def _is_sure(self, now: datetime) -> bool:
        """Whether the clock may be believed; notes the look if so."""
        kept = self._desk.access.kept
        last = kept.get(_LOOKED)
        if last is not None and now - datetime.fromisoformat(last) > _LEAP:
            if self._held is None or self._held[1] != last:  # changed: another server looks, by another clock
                self._held = self._clock(), last
                _log.warning("the clock has gone far on since the last look; nothing is erased for a day", last=last)
            if self._clock() - self._held[0] < _HOLD:
                return False
        self._held = None
        kept.put(_LOOKED, now.isoformat())
        return True
