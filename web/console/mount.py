"""Puts the console's pages into the app, under /console. Knows every page's module and no page's work."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from nicegui import app as gui
from nicegui import ui
from starlette.staticfiles import StaticFiles

from web.console import (
    conversation,
    conversations,
    document,
    documents,
    faq_editor,
    faq_import,
    faqs,
    inbox,
    learning,
    overview,
    settings,
    sign_in,
    try_it,
    unanswered,
)
from web.console.policy import ConsolePolicy

STATIC = Path(__file__).parent.parent / "static" / "console"
# importing a page's module registers it
_PAGES = (
    overview,
    settings,
    conversation,
    conversations,
    document,
    documents,
    unanswered,
    try_it,
    faqs,
    faq_import,
    faq_editor,
    inbox,
    learning,
)


def mount_console(app: FastAPI) -> None:
    """Serve the pages; once in a process, as NiceGUI has one set of pages."""
    assert all(page.__name__.startswith("web.console.") for page in _PAGES)
    gui.state.desk = app.state.desk
    gui.add_middleware(ConsolePolicy)
    app.include_router(sign_in.router)
    app.mount("/console/static", StaticFiles(directory=STATIC), name="console-static")
    ui.run_with(
        app,
        mount_path="/console",
        title="Kefu",
        favicon=STATIC / "favicon.svg",
        dark=None,
        reconnect_timeout=20.0,
        show_welcome_message=False,
    )
