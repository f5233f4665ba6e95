"""Labels that a round has doubted: staff say of each whether it is right, so that the next round need not ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nicegui import ui

from web.api.learning import decided, some_examples
from web.api.learning_forms import Decision, ExampleOut
from web.console.visit import Refused, Visit
from web.staff.roles import Permission

_SHOWN = 50
_PAD = 'padding="3px 12px"'
_DECIDE: Permission = "conversations.correct"


class Doubtful:
    """The doubtful labels of a judgement, those that nobody has looked at first; one of an older version has none."""

    def __init__(self, visit: Visit, labels: Sequence[Mapping[str, str]]) -> None:
        self._visit = visit
        self._labels = labels
        self._known: dict[str, ExampleOut] = {}

    async def show(self) -> None:
        """Build it."""
        visit, t = self._visit, self._visit.t
        if not self._labels:
            return
        try:
            ids = [label["id"] for label in self._labels]
            self._known = await visit.act("training.use", some_examples, visit.desk, ids)
        except Refused:
            return
        said = t("doubtful", count=f"{len(self._labels):,}")
        ui.label(said).classes("font-semibold").props("role=heading aria-level=2")
        ui.label(t("doubtful_help")).classes("k-mute k-small")
        self._count = ui.label().classes("k-mute k-small").props("aria-live=polite")
        self._tell()
        first = sorted(self._labels, key=lambda label: not self._is_open(label["id"]))[:_SHOWN]
        if len(first) < len(self._labels):
            ui.label(t("first_of", shown=len(first))).classes("k-mute k-small")
        with ui.column().classes("w-full gap-2").props("data-testid=doubtful"):
            for label in first:
                self._card(label)

    def _card(self, label: Mapping[str, str]) -> None:
        t = self._visit.t
        with ui.card().classes("k-gap w-full gap-2"):
            ui.label(label["question"]).classes("k-pre font-semibold")
            with ui.element("div").classes("k-two"):
                for name in ("label", "found"):
                    with ui.column().classes("gap-1"):
                        ui.label(t(f"doubtful_{name}")).classes("k-mute k-small")
                        ui.label(label[name]).classes("k-pre")
            row = ui.row().classes("w-full items-center gap-2")
        self._state(row, label["id"])

    def _state(self, row: ui.row, id: str) -> None:
        """What has been decided of an example, else the buttons that decide it."""
        t, one = self._visit.t, self._known.get(id)
        row.clear()
        with row:
            if one is None:
                ui.label(t("doubtful_gone")).classes("k-mute k-small")
            elif self._is_open(id):
                self._button("label_right", row, id, Decision(status="approved", sure=True), "unelevated")
                self._button("label_wrong", row, id, Decision(status="rejected"))
            else:
                said = "sure" if one.sure else f"status_{one.status}"
                ui.label(t(said)).classes("k-tag k-good" if one.sure else "k-tag")
                if one.sure or one.status == "rejected":
                    self._button("undo", row, id, Decision(status="approved"))

    def _button(self, said: str, row: ui.row, id: str, body: Decision, look: str = "flat") -> None:
        if self._visit.may(_DECIDE):
            button = ui.button(self._visit.t(said), on_click=lambda: self._decide(row, id, body))
            button.props(f"{look} {_PAD}")

    async def _decide(self, row: ui.row, id: str, body: Decision) -> None:
        visit = self._visit
        try:
            self._known[id] = await visit.act(_DECIDE, decided, visit.desk, visit.session, id, body)
        except Refused:
            return
        self._state(row, id)
        self._tell()

    def _tell(self) -> None:
        left = sum(self._is_open(label["id"]) for label in self._labels)
        self._count.text = self._visit.t("doubtful_left", left=f"{left:,}", count=f"{len(self._labels):,}")

    def _is_open(self, id: str) -> bool:
        one = self._known.get(id)
        return one is not None and one.status == "approved" and not one.sure
