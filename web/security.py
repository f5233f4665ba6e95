"""Response headers that tell browsers what our pages may do. Knows nothing of the pages."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the widget styles its shadow root
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}  # a year; browsers ignore it over plain HTTP
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware that adds the headers to every HTTP response; those that a route has set stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its response with headers added."""

        async def guarded(message: Message) -> None:
            # a 304 has no type to tell a page by, and the headers of the kept response go on holding
            if message["type"] == "http.response.start" and message["status"] != 304:
                _guard(MutableHeaders(scope=message), scope["scheme"])
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


def _guard(headers: MutableHeaders, scheme: str) -> None:
    page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", _PAGE_POLICY if page else _DATA_POLICY)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    for name, value in (_ALWAYS | (_OVER_TLS if scheme == "https" else {})).items():
        headers.setdefault(name, value)
