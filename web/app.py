"""Puts the routes together into one ASGI app. Knows no route's work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from web.api import (
    accounts,
    conversations,
    documents,
    faq_checks,
    faq_import,
    faqs,
    golden,
    hours,
    inbox,
    learning,
    overview,
    questions,
    releases,
    session,
    unanswered,
)
from web.api.refusals import REFUSALS
from web.desk import Desk, open_desk
from web.gate import Gate
from web.problems import DeclaredSize, explain_problems
from web.routes import chat, health, openai, static
from web.security import SecurityHeaders
from web.settings import Settings
from web.tracing import Traced

if TYPE_CHECKING:
    from bot.bot import Bot

API = (
    session.router,
    accounts.router,
    conversations.router,
    documents.router,
    golden.router,
    questions.router,
    faqs.router,
    faq_checks.router,
    faq_import.router,
    hours.router,  # before the inbox, where any other word is a conversation
    inbox.router,
    unanswered.router,
    overview.router,
    learning.router,
    releases.router,
)
"""The staff's REST API, served under /api."""
_DEMO = Path(__file__).parent / "demo" / "site"


def create_app(bot: Bot | None, settings: Settings, *, console: bool = False) -> FastAPI:
    """The app that serves `bot`; without one it answers `busy` until `app.state.desk.open(bot)`.

    console: with the staff's pages, of which a process can have one set only.
    Raises WebError when the data folder cannot keep the server's secrets.
    """
    app = FastAPI(title="Kefu", docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.state.desk = open_desk(settings)
    if bot is not None:
        app.state.desk.open(bot)
    for router in (chat.router, chat.posts, openai.router, health.router, static.router):
        app.include_router(router)
    for router in API:
        app.include_router(router, prefix="/api", responses=REFUSALS)
    explain_problems(app)
    app.add_middleware(
        CORSMiddleware, allow_origins=settings.origins, allow_methods=["POST"], allow_headers=["Content-Type"]
    )
    app.add_middleware(Gate)
    app.add_middleware(DeclaredSize)
    app.add_middleware(Traced)
    app.add_middleware(SecurityHeaders)
    if console:
        from web.console.mount import mount_console

        mount_console(app)
    if settings.demo:
        app.mount("/", StaticFiles(directory=_DEMO, html=True), name="demo")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    await desk.connect()
    yield
    await desk.close(desk.settings.drain_seconds)
