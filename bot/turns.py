"""Lets one server at a time answer in a conversation, whichever its customer is connected to.

PostgreSQL holds the lock for this process, on one connection of its own, and gives it back when the process dies. With
SQLite there is one server, whose hub sees to it.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select

from knowledge_base.database import lock_key
from knowledge_base.types import KnowledgeBaseError

_EVERY = 0.1  # seconds between two tries
_log = logging.getLogger(__name__)


class Turns:
    """The locks of one process. All methods may be called from any thread."""

    def __init__(self, engine: Engine, patience: float = 60.0) -> None:
        """patience: seconds after which it is no longer waited for another server, which may hang."""
        self._engine = engine
        self._patience = patience
        self._guard = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def taken(self, conversation_id: str) -> Iterator[None]:
        """Hold the conversation; before that, wait while another server answers in it."""
        if self._engine.dialect.name == "sqlite":
            yield
            return
        key = lock_key(f"reply {conversation_id}")
        until = time.monotonic() + self._patience
        while not self._try(key):
            if time.monotonic() > until:
                _log.warning("Another server does not end its reply; going on without it.")
                yield
                return
            time.sleep(_EVERY)
        try:
            yield
        finally:
            self._release(key)

    def close(self) -> None:
        """Give back the connection and every lock."""
        with self._guard:
            self._forget()

    def _try(self, key: int) -> bool:
        with self._guard:
            try:
                if self._connection is None:
                    self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                return bool(self._connection.execute(select(func.pg_try_advisory_lock(key))).scalar())
            except KnowledgeBaseError:
                self._forget()
                raise

    def _release(self, key: int) -> None:
        """The lock is gone with the connection, should that be broken."""
        with self._guard:
            try:
                if self._connection is not None:
                    self._connection.execute(select(func.pg_advisory_unlock(key)))
            except KnowledgeBaseError:
                self._forget()

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
