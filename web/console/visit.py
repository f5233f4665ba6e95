"""One open page of the console: who has opened it, in which language, and what they may do.

Knows no page. Every act asks for the right anew, so that a sign-out or a changed role holds at once; what was
typed stays on the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

import structlog
from nicegui import app as gui
from nicegui import ui
from starlette.requests import Request

from bot.types import BotError
from knowledge_base.types import KnowledgeBaseError, Language
from web.console.words import say
from web.desk import Closed, Desk
from web.gate import session_of
from web.problems import ApiError
from web.staff.roles import Permission
from web.staff.sessions import Session

P = ParamSpec("P")
T = TypeVar("T")
_log = structlog.stdlib.get_logger(__name__)


class Refused(Exception):
    """The act was not done, and the person has been told why."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class Visit:
    """One page in one browser tab. `page` names its wording."""

    page: str
    session: Session
    language: Language
    desk: Desk
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def t(self, name: str, /, **values: object) -> str:
        """A sentence of this page's wording, else of the shell's, in the person's language."""
        return say(self.page, name, self.language, **values)

    def may(self, permission: Permission) -> bool:
        """Whether to show what needs this permission; `act` decides."""
        return self.session.may(permission)

    async def act(self, permission: Permission, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call made in a thread, if the person (still) has the permission.

        Raises Refused, after telling the person, when they have not or when the call refuses or fails.
        """
        desk = self.desk
        session = await desk.call(desk.access.sessions.find, self.session.cookie)
        if session is None:
            self._signed_out()
            raise Refused
        if not session.may(permission):
            ui.notify(self.t("forbidden"), type="negative")
            raise Refused
        self.session = session
        try:
            return await desk.call(function, *args, **kwargs)
        except Closed as problem:
            ui.notify(self.t("loading"), type="warning")
            raise Refused from problem
        except ApiError as problem:
            ui.notify(self._words_of(problem), type="negative", multi_line=True)
            raise Refused from problem
        except (KnowledgeBaseError, BotError, ValueError) as problem:  # their messages name the remedy
            ui.notify(str(problem), type="negative", multi_line=True)
            raise Refused from problem
        except Exception as problem:
            _log.exception("console act failed", page=self.page)
            ui.notify(self.t("failed"), type="negative")
            raise Refused from problem

    def _words_of(self, problem: ApiError) -> str:
        try:
            return self.t(problem.code)
        except KeyError:
            return str(problem)

    def _signed_out(self) -> None:
        with ui.dialog(value=True).props("persistent") as dialog, ui.card():
            ui.label(self.t("signed_out"))
            with ui.row().classes("justify-end w-full"):
                ui.link(self.t("sign_in_again"), "/sign-in", new_tab=True)
                ui.button(self.t("go_on"), on_click=lambda: self._go_on(dialog)).props("flat")
                ui.button(self.t("close"), on_click=dialog.close).props("flat")

    async def _go_on(self, dialog: ui.dialog) -> None:
        """Take over the session that the same person has begun in another tab, if so."""
        done = await ui.run_javascript(f'return (await fetch("/console/resume/{self.id}", {{method: "POST"}})).ok')
        if done:
            dialog.close()
        else:
            ui.notify(self.t("not_yet"), type="warning")


_visits: WeakValueDictionary[str, Visit] = WeakValueDictionary()


def resume(visit_id: str, session: Session) -> bool:
    """Let an open page go on with a new session of the same person; False when there is no such page."""
    visit = _visits.get(visit_id)
    if visit is None or visit.session.staff.id != session.staff.id:
        return False
    visit.session = session
    return True


def the_desk() -> Desk:
    """The desk of the app that the console belongs to."""
    return cast(Desk, gui.state.desk)


def open_visit(page: str, request: Request) -> Visit:
    """The visit of a request that the gate has let through."""
    session = session_of(request)
    assert session is not None, "the gate lets nobody in without a session"
    visit = Visit(page, session, session.staff.language, the_desk())
    _visits[visit.id] = visit
    ui.context.client.on_delete(lambda: _visits.pop(visit.id, None))  # also what keeps it that long
    return visit
