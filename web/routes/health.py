"""Routes for whoever runs the server: is it up, may it be asked, how is it doing."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from web.desk import desk_of

router = APIRouter()


@router.api_route("/health", methods=["GET", "HEAD"], include_in_schema=False)
async def health() -> dict[str, str]:
    """200 as long as the process runs."""
    return {"status": "ok"}


@router.api_route("/ready", methods=["GET", "HEAD"], include_in_schema=False)
async def ready(request: Request) -> Response:
    """200 once questions are answered, 503 while the bot is being loaded or shut down."""
    desk = desk_of(request)
    if not desk.ready:
        return JSONResponse({"status": "loading"}, 503, headers={"Retry-After": "5"})
    return JSONResponse({"status": "ready", "release": desk.bot.release})


@router.get("/metrics")
async def read_metrics(request: Request) -> Response:
    """Counts and times for Prometheus."""
    metrics = desk_of(request).metrics
    metrics.tasks.set(len(asyncio.all_tasks()))
    return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
