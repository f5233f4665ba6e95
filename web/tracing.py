"""Gives every request an id, which its log lines and its response carry, and logs how it ended. Knows no route's work.

Of the address only the route's pattern is logged: what stands in its place may be a customer's words.
"""

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import broken

_HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}")  # a proxy's own id goes on
_log = structlog.stdlib.get_logger(__name__)


class Traced:
    """ASGI middleware. A request that an unforeseen error ends is answered 500, and logged with its id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get(_HEADER, "")
        id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request=id):
            await _Answer(send, id).follow(self._app, scope, receive)


class _Answer:
    """One response on its way out."""

    def __init__(self, send: Send, id: str) -> None:
        self._send = send
        self._id = id
        self._status = 0

    async def follow(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        began = time.monotonic()
        try:
            await app(scope, receive, self._pass)
        except Exception:  # whatever a route lets through; its words may be a customer's, which web.logs takes out
            _log.exception("request failed")
            if self._status:
                raise  # half an answer cannot be mended: the connection is closed
            await (await broken(Request(scope)))(scope, receive, self._pass)
        finally:
            tell = _log.info if self._status >= 400 or scope["method"] not in ("GET", "HEAD") else _log.debug
            milliseconds = round((time.monotonic() - began) * 1000)
            tell("request", method=scope["method"], route=_pattern(scope), status=self._status, ms=milliseconds)

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            MutableHeaders(scope=message)[_HEADER] = self._id
        await self._send(message)


def _pattern(scope: Scope) -> str:
    """The route's address with its placeholders; empty where none was found."""
    return str(getattr(scope.get("route"), "path", ""))
