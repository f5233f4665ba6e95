"""The frame around every page: header, navigation, language. Knows the names of the pages, not their work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nicegui import ui

from web.console.bell import hang_bell
from web.console.visit import Refused, Visit
from web.console.words import say
from web.staff.roles import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation: the page's name, its icon, who sees it."""

    page: str
    path: str
    icon: str
    permission: Permission


ENTRIES = (
    Entry("overview", "/overview", "o_insights", "overview.read"),
    Entry("inbox", "/inbox", "o_forum", "desk.use"),
    Entry("unanswered", "/unanswered", "o_contact_support", "knowledge.read"),
    Entry("faqs", "/faqs", "o_quiz", "knowledge.read"),
    Entry("documents", "/documents", "o_description", "knowledge.read"),
    Entry("try_it", "/try-it", "o_science", "knowledge.read"),
    Entry("conversations", "/conversations", "o_history", "conversations.read"),
    Entry("learning", "/learning", "o_school", "conversations.correct"),
    Entry("settings", "/settings", "o_settings", "staff.manage"),
)
"""The navigation, in order."""


@contextmanager
def frame(visit: Visit) -> Iterator[ui.column]:
    """Header and navigation around what is made inside; the page's title is its name."""
    ui.page_title(f"{visit.t(visit.page)} · Kefu")
    ui.add_head_html('<link rel="stylesheet" href="/console/static/console.css">')
    ui.colors(primary="#2754d8")
    with ui.left_drawer(value=None, bordered=False).props("width=216 breakpoint=900").classes("p-3 gap-1") as drawer:
        for entry in ENTRIES:
            if visit.may(entry.permission):
                _nav(visit, entry)
    with ui.header().classes("items-center gap-2 px-3 py-1"):
        ui.button(icon="menu", on_click=drawer.toggle).props(f'flat round aria-label="{visit.t("menu")}"')
        ui.label("Kefu 客服").classes("font-semibold text-base")
        ui.space()
        _person(visit)
    with ui.column().classes("k-page") as content:
        yield content


def _nav(visit: Visit, entry: Entry) -> None:
    link = ui.link(target=entry.path).classes("k-nav")
    if entry.page == visit.page:
        link.props("aria-current=page")
    with link:
        ui.icon(entry.icon, size="20px")
        ui.label(say("shell", entry.page, visit.language))  # a page may use the word otherwise
        if entry.page == "inbox":
            hang_bell(visit)


def _person(visit: Visit) -> None:
    async def speak() -> None:
        language = "en" if visit.language == "zh" else "zh"
        desk, staff = visit.desk, visit.session.staff
        try:
            await visit.act("overview.read", desk.access.accounts.change, staff.id, {"language": language})
        except Refused:
            return
        ui.navigate.reload()

    ui.button("English" if visit.language == "zh" else "中文", on_click=speak).props("flat dense")
    with ui.button(icon="o_account_circle").props(f'flat round aria-label="{visit.session.staff.name}"'), ui.menu():
        with ui.column().classes("px-4 py-2 gap-0"):
            ui.label(visit.session.staff.name).classes("font-semibold")
            ui.label(visit.t(f"role_{visit.session.staff.role}")).classes("k-mute k-small")
        ui.separator()
        ui.menu_item(visit.t("sign_out"), on_click=lambda: ui.navigate.to("/sign-out"))


def title(visit: Visit) -> None:
    """The page's heading."""
    ui.label(visit.t(visit.page)).classes("k-title").props("role=heading aria-level=1")


def forbidden(visit: Visit) -> None:
    """What somebody sees whose role may not open the page."""
    with frame(visit):
        title(visit)
        ui.label(visit.t("forbidden")).classes("k-empty")
