"""The console's first page: how the bot is doing."""

from nicegui import ui
from starlette.requests import Request

from web.console.frame import frame, title
from web.console.visit import open_visit


@ui.page("/overview")
async def overview(request: Request) -> None:
    """Show the page."""
    visit = open_visit("overview", request)
    with frame(visit):
        title(visit)
