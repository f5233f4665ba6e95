"""How a refused HTTP request is told why: OpenAI's shape under /v1, an error frame elsewhere.

Refuses nothing itself.
"""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.desk import Closed
from web.frames import Code, ErrorFrame, error

_MB = 1_048_576  # bytes
MOST_BODY = _MB
"""Bytes that a request's body may have, where no prefix of MOST_UPLOADED is its address."""
MOST_UPLOADED = {
    "/api/documents": 60 * _MB,
    "/api/faqs/import": 20 * _MB,
    "/console/_nicegui/client": 60 * _MB,  # where the console's pages send their files
}
"""Bytes that files may have, by the addresses that take them and those below."""
_LOADING = 5.0
_STATUS: dict[Code, int] = {
    "bad_frame": 400,
    "too_large": 413,
    "too_long": 400,
    "empty": 400,
    "rate_limited": 429,
    "busy": 503,
    "unauthorized": 401,
    "internal": 500,
    "unknown_message": 404,
}


class ApiError(Exception):
    """A request of the completions API, or of the staff's, that is refused."""

    def __init__(self, status: int, message: str, code: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after

    def body(self) -> dict[str, object]:
        """The error as OpenAI's clients read it."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": str(self), "type": kind, "param": None, "code": self.code}}


def api_error(frame: ErrorFrame) -> ApiError:
    """The API's error for an error frame; in English, as its readers are programmers."""
    return ApiError(_STATUS[frame.code], frame.text["en"], frame.code, frame.retry_after)


def refusal(frame: ErrorFrame) -> Response:
    """The HTTP response that carries an error frame."""
    return Response(
        frame.encode(),
        _STATUS[frame.code],
        headers=_retry(frame.retry_after),
        media_type="application/json",
    )


class DeclaredSize:
    """ASGI middleware that refuses a request by its Content-Length, in the shapes of this module.

    Bodies of undeclared length are counted by the routers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            request = Request(scope)
            declared = request.headers.get("content-length", "0")
            if declared.isascii() and declared.isdigit() and int(declared) > most_body(scope["path"]):
                return await _shaped(request, error("too_large"))(scope, receive, send)
        await self._app(scope, receive, send)


def most_body(path: str) -> int:
    """Bytes that the body of a request to this address may have."""
    prefixes = (prefix for prefix in MOST_UPLOADED if path == prefix or path.startswith(f"{prefix}/"))
    return max((MOST_UPLOADED[prefix] for prefix in prefixes), default=MOST_BODY)


def explain_problems(app: FastAPI) -> None:
    """Make the app answer refused requests in these shapes."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(Closed, _closed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, broken)


def _retry(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": f"{seconds:.0f}"}


def _answer(problem: ApiError) -> Response:
    return JSONResponse(problem.body(), problem.status, headers=_retry(problem.retry_after))


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(("/v1/", "/api/"))


def _shaped(request: Request, frame: ErrorFrame) -> Response:
    return _answer(api_error(frame)) if _is_api(request) else refusal(frame)


async def _api_error(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, ApiError)
    return _answer(problem)


async def _closed(request: Request, _problem: Exception) -> Response:
    return _shaped(request, error("busy", say="loading", retry_after=_LOADING))


async def _invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    if not _is_api(request):
        return refusal(error("bad_frame"))
    wrong = problem.errors()[0]
    where = ".".join(str(part) for part in wrong["loc"] if part != "body")
    return _answer(ApiError(400, f"{where or 'body'}: {wrong['msg']}", "invalid_request"))


async def _http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if problem.status_code == 413:
        return _shaped(request, error("too_large"))
    headers: Mapping[str, str] = problem.headers or {}
    body = ApiError(problem.status_code, str(problem.detail), "http_error").body()
    return JSONResponse(body, problem.status_code, headers=dict(headers))


async def broken(request: Request, _problem: Exception | None = None) -> Response:
    """What a request gets that an unforeseen error has ended."""
    return _shaped(request, error("internal"))
