"""Settings: staff accounts and the audit log. For admins."""

from __future__ import annotations

from typing import Any, get_args

from nicegui import ui
from starlette.requests import Request

from web.api.accounts import StaffChange, StaffIn, added_staff, changed_staff
from web.console.audit_list import AuditList
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit
from web.staff.accounts import Staff
from web.staff.roles import Role

_EDIT = (
    '<q-td :props="props" auto-width><q-btn flat round dense icon="o_edit" size="sm" aria-label="CHANGE"'
    " @click.stop=\"$parent.$emit('change', props.row)\"></q-btn></q-td>"
)


@ui.page("/settings", response_timeout=20)
async def settings(request: Request) -> None:
    """Show the page."""
    visit = open_visit("settings", request)
    if not visit.may("staff.manage"):
        return forbidden(visit)
    with frame(visit):
        title(visit)
        with ui.tabs().props("align=left no-caps inline-label") as tabs:
            staff_tab = ui.tab(visit.t("staff"), icon="o_group")
            audit_tab = ui.tab(visit.t("audit"), icon="o_receipt_long")
        with ui.tab_panels(tabs, value=staff_tab).classes("w-full bg-transparent"):
            with ui.tab_panel(staff_tab).classes("p-0"):
                await StaffList(visit).show()
            with ui.tab_panel(audit_tab).classes("p-0"):
                log = AuditList(visit)
                await log.show()
        tabs.on_value_change(log.load)


class StaffList:
    """The accounts, each of which can be changed."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._people: dict[str, Staff] = {}

    async def show(self) -> None:
        """Build the list."""
        t = self._visit.t
        columns = [
            {"name": name, "label": t(label), "field": name, "align": "left"}
            for name, label in (("name", "name"), ("role", "role"), ("created", "created"), ("active", "active"))
        ]
        columns.append({"name": "edit", "label": "", "field": "id", "align": "right"})
        with ui.row().classes("w-full justify-end pb-3"):
            ui.button(t("add_staff"), icon="add", on_click=self._add).props("unelevated")
        self._table = ui.table(columns=columns, rows=[], row_key="id").props("flat bordered dense").classes("w-full")
        self._table.add_slot("body-cell-edit", _EDIT.replace("CHANGE", t("change")))
        self._table.on("row-click", lambda event: self._change(event.args[1]["id"]))
        self._table.on("change", lambda event: self._change(event.args["id"]))
        await self._load()

    async def _load(self) -> None:
        visit = self._visit
        people = await visit.act("staff.manage", visit.desk.access.accounts.all)
        self._people = {person.id: person for person in people}
        self._table.rows = [self._row(person) for person in people]
        self._table.update()

    def _row(self, person: Staff) -> dict[str, Any]:
        return {
            "id": person.id,
            "name": person.name,
            "role": self._visit.t(f"role_{person.role}"),
            "created": f"{person.created:%Y-%m-%d}",
            "active": "✓" if person.active else self._visit.t("disabled"),
        }

    def _roles(self) -> dict[str, str]:
        return {role: self._visit.t(f"role_{role}") for role in get_args(Role)}

    def _add(self) -> None:
        visit, t = self._visit, self._visit.t

        async def save() -> None:
            try:
                body = StaffIn.model_construct(
                    name=name.value or "", password=password.value or "", role=role.value, language=visit.language
                )
                await visit.act("staff.manage", added_staff, visit.desk, visit.session, body)
                await self._load()
            except Refused:
                return
            dialog.close()
            ui.notify(t("added", name=name.value), type="positive")

        with ui.dialog(value=True) as dialog, ui.card().classes("w-96"):
            ui.label(t("add_staff")).classes("k-title")
            name = ui.input(t("name")).props("outlined maxlength=64").classes("w-full")
            password = ui.input(t("password"), password=True).props(f'outlined hint="{t("password_hint")}"')
            password.classes("w-full")
            role = ui.select(self._roles(), value="editor", label=t("role")).props("outlined").classes("w-full")
            self._buttons(dialog, save)

    def _change(self, staff_id: str) -> None:
        visit, t, person = self._visit, self._visit.t, self._people[staff_id]

        async def save() -> None:
            try:
                body = StaffChange(role=role.value, active=active.value, password=password.value or None)
                await visit.act("staff.manage", changed_staff, visit.desk, visit.session, person.id, body)
                await self._load()
            except Refused:
                return
            dialog.close()
            ui.notify(t("saved"), type="positive")

        with ui.dialog(value=True) as dialog, ui.card().classes("w-96"):
            ui.label(person.name).classes("k-title")
            role = ui.select(self._roles(), value=person.role, label=t("role")).props("outlined").classes("w-full")
            password = ui.input(t("new_password"), password=True).props("outlined").classes("w-full")
            active = ui.switch(t("active"), value=person.active)
            self._buttons(dialog, save)

    def _buttons(self, dialog: ui.dialog, save: Any) -> None:
        with ui.row().classes("w-full justify-end"):
            ui.button(self._visit.t("cancel"), on_click=dialog.close).props("flat")
            ui.button(self._visit.t("save"), on_click=save).props("unelevated")
