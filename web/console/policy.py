"""The content security policy of the console's pages: only scripts that the server itself put there run.

Knows nothing of the pages. Vue compiles its templates in the browser, hence 'unsafe-eval'; text that is shown
never becomes a template.
"""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'nonce-{nonce}' 'strict-dynamic' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_SCRIPT = re.compile(rb"<(script|link rel=\"modulepreload\")")


class ConsolePolicy:
    """ASGI middleware around the mounted pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a page's scripts get a number that nobody can guess, and only those run."""
        if scope["type"] != "http" or "/_nicegui/" in scope["path"]:
            return await self._app(scope, receive, send)
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Page(send))


class _Page:
    """Sends a response on; of a page, whole and with its numbers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)
            return
        await self._send(message)

    async def _finish(self, start: Message) -> None:
        nonce = secrets.token_urlsafe(18)
        body = _SCRIPT.sub(rb'<\1 nonce="' + nonce.encode() + b'"', self._body)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
        headers["Content-Length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
