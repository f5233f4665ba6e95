"""The widget's scripts, which other sites load. Knows nothing of what is in them."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent.parent / "static" / "widget"
WIDGET = _FOLDER / "widget.js"
LIVE_DESK = _FOLDER / "desk.js"
_HEADERS = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Vary": "Accept-Encoding",
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Script:
    body: bytes
    etag: str


@router.api_route("/widget.js", methods=["GET", "HEAD"], include_in_schema=False)
def widget(request: Request) -> Response:
    """The script; 304 when the browser has it already."""
    return _sent(request, WIDGET)


@router.api_route("/desk.js", methods=["GET", "HEAD"], include_in_schema=False)
def live_desk(request: Request) -> Response:
    """The part of it that shows people, which it fetches when it is needed."""
    return _sent(request, LIVE_DESK)


def _sent(request: Request, path: Path) -> Response:
    try:
        script = _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError as missing:
        raise HTTPException(404, "the widget's script is not part of this installation") from missing
    headers = {**_HEADERS, "ETag": script.etag}
    if script.etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(script.body, media_type="text/javascript", headers=headers)


@lru_cache(maxsize=2)
def _read(path: Path, _modified: int) -> _Script:
    body = path.read_bytes()
    return _Script(body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')
