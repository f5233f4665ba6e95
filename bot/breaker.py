"""Spares the waiting for something that keeps failing: a circuit breaker. Knows not what fails."""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed while things go well; after `patience` failures in a row open for `rest` seconds.

    Then one try is let through: if it fails, it rests again; if it succeeds, all go on. Any thread may call.
    """

    def __init__(self, patience: int = 3, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._until = 0.0  # when the next try is let through, while it is open
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Seconds until the next try may be made; 0: now, and the caller tells what became of it."""
        with self._lock:
            if self._failures < self._patience:
                return 0.0
            left = self._until - self._clock()
            if left > 0:
                return left
            self._until = self._clock() + self._rest  # the others wait for what becomes of this one
            return 0.0

    def succeeded(self) -> None:
        """It went well."""
        with self._lock:
            self._failures = 0

    def failed(self) -> bool:
        """It went wrong; whether it rests from now on."""
        with self._lock:
            self._failures += 1
            if self._failures < self._patience:
                return False
            self._until = self._clock() + self._rest
            return True
