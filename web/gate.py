"""Lets staff in and nobody else: every address under /api and /console needs a session or a key.

Whether a role allows what is asked is decided at the route (web.api.rules) or page (web.console.visit).
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.desk import Desk, desk_of
from web.staff.sessions import Session

COOKIE = "kefu_staff"
CSRF = "x-csrf-token"
_OPEN = frozenset({"/api/session", "/api/setup", "/console/sign-in", "/console/setup"})
_OPEN_FILES = re.compile(r"/console/(static|_nicegui/[\d.]+/(static|libraries|components|resources|esm))/")
_DOORS = frozenset({("POST", "/api/session"), ("POST", "/api/setup")})
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not go on."""

    status: int
    code: str
    message: str

    def body(self) -> dict[str, object]:
        """The error as the API tells it."""
        return {"error": {"code": self.code, "message": self.message}}


_STRANGER = Refusal(401, "unauthorized", "sign in at /console, or send a key made with `kefu staff key`")
_FORGED = Refusal(403, "csrf", "send the session's token as X-CSRF-Token; GET /api/session names it")
_FOREIGN = Refusal(403, "origin", "this request comes from another site")


class Gate:
    """ASGI middleware; puts the session into `scope["state"]["session"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its session, or refuse it."""
        if scope["type"] not in ("http", "websocket") or not _is_guarded(scope["path"]):
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        desk = desk_of(connection)
        session = await desk.call(find_session, desk, connection)
        scope.setdefault("state", {})["session"] = session
        refusal = _refusal(desk, connection, session)
        if refusal is None:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await _shown(refusal, connection)(scope, receive, send)


def find_session(desk: Desk, connection: HTTPConnection) -> Session | None:
    """Who is asking, by key or cookie. Reads the database: call it in a thread."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return desk.access.sessions.find_key(key.strip())
    cookie = connection.cookies.get(COOKIE)
    return desk.access.sessions.find(cookie) if cookie else None


def session_of(connection: HTTPConnection) -> Session | None:
    """Who is asking, as the gate has found out."""
    session: Session | None = getattr(connection.state, "session", None)
    return session


def _refusal(desk: Desk, connection: HTTPConnection, session: Session | None) -> Refusal | None:
    by_key = session is not None and not session.csrf  # no other site can make a browser send a key
    if by_key:
        return None
    path, method = connection.scope["path"], connection.scope.get("method")
    reads_what_is_open = _is_open(path) and method not in _UNSAFE
    if reads_what_is_open:
        return None
    if not desk.own_site.admit(connection.headers.get("origin"), connection.headers.get("host")):
        return _FOREIGN
    if session is None:
        return None if _is_open(path) else _STRANGER
    if path.startswith("/api/") and method in _UNSAFE and (method, path) not in _DOORS:
        given = connection.headers.get(CSRF, "").encode()
        return None if hmac.compare_digest(given, session.csrf.encode()) else _FORGED
    return None


def _shown(refusal: Refusal, connection: HTTPConnection) -> Response:
    path = connection.scope["path"]
    if path.startswith("/console") and refusal is _STRANGER and connection.scope["method"] == "GET":
        query = connection.scope["query_string"].decode("ascii", "replace")
        wanted = quote(path + (f"?{query}" if query else ""), safe="")
        return RedirectResponse(f"/console/sign-in?next={wanted}", 303)
    return JSONResponse(refusal.body(), refusal.status, headers={"Cache-Control": "no-store"})


def _is_guarded(path: str) -> bool:
    return path in ("/api", "/console") or path.startswith(("/api/", "/console/"))


def _is_open(path: str) -> bool:
    return path in _OPEN or bool(_OPEN_FILES.match(path))
