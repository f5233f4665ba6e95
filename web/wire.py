"""Carries short texts between the servers of one PostgreSQL, by LISTEN and NOTIFY. Knows not what they say.

What is sent while the database is away is sent when it is back, the newest of it. What the others said meanwhile is
lost, and `gap` is told so. One thread listens, one sends; nobody who sends waits.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
import structlog
from psycopg import sql
from sqlalchemy import Engine

from knowledge_base.types import KnowledgeBaseError

_PART = 1_800  # characters; a notification holds less than 8,000 bytes
_MOST = 10_000  # texts that wait to be sent
_AT_ONCE = 200  # of them in one transaction
_LISTEN_SECONDS = 1.0  # after which a listener looks whether it is to end
_AGAIN_SECONDS = 1.0  # before a lost connection is made anew
_log = structlog.stdlib.get_logger(__name__)


class Wire:
    """The line to the other servers; `send` from any thread, `heard` and `gap` are called in the listener's."""

    def __init__(self, engine: Engine, heard: Callable[[str], None], gap: Callable[[], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._gap = gap
        self._me = secrets.token_hex(6)
        self._waiting: deque[str] = deque(maxlen=_MOST)
        self._sending: list[str] = []  # payloads that are on their way
        self._number = 0
        self._something = threading.Event()
        self._closed = threading.Event()
        self._listening = threading.Event()
        self._parts: dict[tuple[str, int], dict[int, str]] = {}
        self._threads = [
            threading.Thread(target=self._forever, args=(work,), name=name, daemon=True)
            for name, work in (("wire listens", self._listen), ("wire sends", self._send))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, text: str) -> None:
        """Say it to all other servers, soon."""
        self._waiting.append(text)
        self._something.set()

    def wait(self, seconds: float) -> bool:
        """Whether it listens, after at most so long."""
        return self._listening.wait(seconds)

    def close(self) -> None:
        """Send what still waits, if it can be sent, and end."""
        self._closed.set()
        self._something.set()
        for thread in self._threads:
            thread.join(5)

    def _forever(self, work: Callable[[psycopg.Connection], None]) -> None:
        broken = False
        while not self._closed.is_set():
            try:
                with self._connection() as connection:
                    if broken:
                        _log.info("other servers can be reached again", thread=threading.current_thread().name)
                    broken = False
                    work(connection)
            except (KnowledgeBaseError, psycopg.Error) as problem:
                if not broken:
                    _log.error("other servers cannot be reached", problem=str(problem).splitlines()[0])
                broken = True
                self._closed.wait(_AGAIN_SECONDS)

    def _listen(self, connection: psycopg.Connection) -> None:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_channel(connection))))
        self._parts.clear()
        if self._listening.is_set():
            self._gap()
        self._listening.set()
        while not self._closed.is_set():
            for notify in connection.notifies(timeout=_LISTEN_SECONDS):
                try:
                    self._take(notify.payload)
                except Exception:  # a newer server may say what this one does not know
                    _log.exception("not understood from another server")
                if self._closed.is_set():
                    return

    def _take(self, payload: str) -> None:
        """Put a text together from its parts, which come in order, and pass it on."""
        sender, number, part, parts, piece = json.loads(payload)
        if sender == self._me:
            return
        held = self._parts.setdefault((sender, number), {})
        held[part] = piece
        if len(held) == parts:
            del self._parts[sender, number]
            self._heard("".join(held[i] for i in range(parts)))

    def _send(self, connection: psycopg.Connection) -> None:
        channel = _channel(connection)
        while True:
            while self._load():
                with connection.transaction(), connection.cursor() as cursor:
                    cursor.executemany("SELECT pg_notify(%s, %s)", [(channel, payload) for payload in self._sending])
                self._sending = []
            if self._closed.is_set():
                return
            self._something.wait()
            self._something.clear()

    def _load(self) -> bool:
        """Whether something is to be sent: what a broken connection has left, else what waits."""
        while self._waiting and len(self._sending) < _AT_ONCE:
            self._number += 1
            self._sending += _payloads(self._me, self._number, self._waiting.popleft())
        return bool(self._sending)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """A connection of its own, outside the pool."""
        raw = self._engine.raw_connection()
        connection = cast(psycopg.Connection, raw.driver_connection)
        raw.detach()
        try:
            connection.autocommit = True
            yield connection
        finally:
            connection.close()


def _channel(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT current_schema()").fetchone()
    return f"kefu {row[0] if row else ''}"


def _payloads(sender: str, number: int, text: str) -> list[str]:
    parts = [text[start : start + _PART] for start in range(0, len(text), _PART)] or [""]
    return [
        json.dumps([sender, number, part, len(parts), piece], ensure_ascii=False) for part, piece in enumerate(parts)
    ]
