"""How much one visitor, address or connection may do. Counts in memory; knows nothing of what is sent."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from web.settings import Settings


class TooManyConnections(Exception):
    """The server, or the visitor's address, has as many connections as it may have."""


class Limits:
    """Rates and connection counts of one app. Every check answers at once and is safe from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._rates = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._visitor = RateLimitItemPerMinute(settings.messages_per_visitor)
        self._address = RateLimitItemPerMinute(settings.messages_per_address)
        self._session = RateLimitItemPerMinute(settings.sessions_per_address)
        self._sign_in = RateLimitItemPerMinute(settings.sign_ins_per_address)
        self._frame = RateLimitItemPerMinute(settings.frames_per_connection)
        self._most = settings.connections
        self._most_per_address = settings.connections_per_address
        self._open: Counter[str] = Counter()

    def message(self, conversation_id: str, address: str) -> float | None:
        """Count one message, feedback or contact; None if it may pass, else the seconds to wait."""
        waits = self._hit(self._visitor, "visitor", conversation_id)
        return waits if waits is not None else self._hit(self._address, "address", address)

    def session(self, address: str) -> float | None:
        """Count one new conversation; None if it may be opened, else the seconds to wait."""
        return self._hit(self._session, "session", address)

    def sign_in(self, address: str) -> float | None:
        """Count one try to sign in; None if it may be made, else the seconds to wait."""
        return self._hit(self._sign_in, "sign_in", address)

    def frame(self, connection: str) -> float | None:
        """Count one frame of a connection; None if it may be read, else the seconds to wait."""
        return self._hit(self._frame, "frame", connection)

    @contextmanager
    def connection(self, address: str) -> Iterator[None]:
        """Holds one connection. Raises TooManyConnections when there is none left to hold."""
        if self._open.total() >= self._most or self._open[address] >= self._most_per_address:
            raise TooManyConnections
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _hit(self, rate: RateLimitItemPerMinute, kind: str, who: str) -> float | None:
        if self._rates.hit(rate, kind, who):
            return None
        reset = self._rates.get_window_stats(rate, kind, who).reset_time
        return float(max(1, math.ceil(reset - time.time())))


def address_of(host: str | None) -> str:
    """The name under which a client's address is counted: IPv6 by its /64 network, which is one household."""
    if not host:
        return "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64))
    return host
