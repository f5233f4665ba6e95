"""Erases conversations that are older than the operator keeps them, now and every hour. Knows no columns."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import structlog

from bot.erase import erase
from bot.retention import expired
from web.api.the_log import log_of
from web.desk import Closed, Desk

_EVERY = 3600.0  # seconds
_log = structlog.stdlib.get_logger(__name__)


class Retention:
    """Keeps the log no longer than `settings.retention_days`; 0 keeps it for ever."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

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
