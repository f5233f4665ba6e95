"""Learning: the review queue, rounds of training, releases and how they compare."""

from __future__ import annotations

from nicegui import ui
from starlette.requests import Request

from web.console.frame import forbidden, frame
from web.console.judged import Judged
from web.console.releases import ReleaseList
from web.console.review import Review
from web.console.rounds import Rounds
from web.console.visit import Visit, open_visit

_TABS = ("review", "rounds", "releases")


@ui.page("/learning", response_timeout=20)
async def learning(request: Request) -> None:
    """Show the page."""
    visit = open_visit("learning", request)
    if not visit.may("conversations.correct"):
        return forbidden(visit)
    asked = request.query_params.get("tab")
    tab = asked if asked in _TABS else "review"
    with frame(visit):
        _heading(visit, tab)
        if tab == "review":
            return await Review(visit, request.query_params.get("status")).show()
        if not visit.may("training.use"):
            ui.label(visit.t("not_trainer")).classes("k-empty")
            return
        await (Rounds(visit) if tab == "rounds" else ReleaseList(visit)).show()


@ui.page("/learning/releases/{name}", response_timeout=20)
async def judged_release(request: Request, name: str) -> None:
    """Show how a release compares with the one before it."""
    visit = open_visit("learning", request)
    if not visit.may("training.use"):
        return forbidden(visit)
    with frame(visit):
        _heading(visit, "releases")
        await Judged(visit, name).show()


def _heading(visit: Visit, tab: str) -> None:
    ui.label(visit.t("learning")).classes("k-title").props("role=heading aria-level=1")
    ui.label(visit.t("learning_what")).classes("k-mute")
    with ui.row().classes("gap-1").props("role=navigation"):
        for name in _TABS:
            if name == "review" or visit.may("training.use"):
                address = "/learning" + ("" if name == "review" else f"?tab={name}")
                link = ui.link(visit.t(f"tab_{name}"), address).classes("k-tab")
                if name == tab:
                    link.props("aria-current=page")
