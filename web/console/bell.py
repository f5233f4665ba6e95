"""Tells staff, on whatever page they are, that a customer waits: badge, title, sound, browser notification.

Also shows the inbox that somebody is there, so that their conversations stay theirs. Knows no conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from nicegui import background_tasks, ui

from web.console.visit import Visit
from web.console.words import say
from web.desk import Closed
from web.notices import Notice

P = ParamSpec("P")
T = TypeVar("T")
_MOST = 100  # conversations that are counted
_RING = """(() => {
  if (localStorage.kefuSound !== "off") new Audio("/console/static/ding.wav").play().catch(() => {});
  if (document.hidden && window.Notification && Notification.permission === "granted")
    new Notification(%s, {body: %s, tag: "kefu-waiting"}).onclick = () => window.focus();
})()"""


class Bell:
    """On one page. `wanted`: how many conversations want somebody of the staff, or this person's answer."""

    def __init__(self, visit: Visit, badge: ui.badge) -> None:
        self._visit = visit
        self._badge = badge
        self._client = ui.context.client
        self._name = visit.t(visit.page)
        self._busy = self._again = False

    def hang(self) -> None:
        """Listen until the page is closed."""
        inbox, client = self._visit.desk.inbox, self._client
        staff_id = self._visit.session.staff.id
        inbox.attach()
        silence = inbox.notices.listen(self._heard)

        def left() -> None:
            if not client.has_socket_connection:
                inbox.presence.left(staff_id, client.id)

        def gone() -> None:
            silence()
            inbox.presence.left(staff_id, client.id)

        client.on_connect(lambda: inbox.presence.came(staff_id, client.id))
        client.on_connect(self._soon)
        client.on_disconnect(left)
        client.on_delete(gone)

    def _heard(self, notice: Notice) -> None:
        if notice.what in ("waiting", "changed", "said", "gap"):
            self._soon()
        if notice.what == "waiting" and notice.kept:
            with self._client:
                title = json.dumps("Kefu")
                ui.run_javascript(_RING % (title, json.dumps(say("inbox", "ring", self._visit.language))))

    def _soon(self) -> None:
        if self._busy:
            self._again = True
            return
        self._busy = True
        background_tasks.create(self._count(), context=self._client)

    async def _count(self) -> None:
        try:
            wanted = await quietly(self._visit, _wanted, self._visit)
            if wanted is not None and not self._client.is_deleted:
                self._badge.set_text(str(wanted))
                self._badge.set_visibility(wanted > 0)
                ui.page_title((f"({wanted}) " if wanted else "") + f"{self._name} · Kefu")
        finally:
            self._busy = False
        if self._again and not self._client.is_deleted:
            self._again = False
            self._soon()


def hang_bell(visit: Visit) -> None:
    """Put the badge into the navigation's line that is being built, and listen."""
    badge = ui.badge("0", color="negative").props("rounded data-testid=inbox-badge").classes("ml-auto")
    badge.set_visibility(False)
    Bell(visit, badge).hang()


async def quietly(visit: Visit, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """The result of a call that nobody on the page has asked for; None when they may not (any more) have it."""
    desk = visit.desk
    session = await desk.call(desk.access.sessions.find, visit.session.cookie)
    if session is None or not session.may("desk.use"):
        return None
    try:
        return await desk.call(function, *args, **kwargs)
    except Closed:
        return None


def _wanted(visit: Visit) -> int:
    handoffs = visit.desk.inbox.handoffs
    mine, _ = handoffs.listed("mine", visit.session.staff.id, _MOST)
    return len(handoffs.waiting()) + sum(row.role == "customer" for row in mine)
