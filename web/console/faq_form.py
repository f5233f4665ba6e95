"""The form of one FAQ in one language: its fields, warnings while typing, the answer as customers see it, saving."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from bot.duplicates import Warning, warnings
from bot.usage import Usage
from knowledge_base.faq_list import StoredFaq
from knowledge_base.types import Faq
from web.api.faq_forms import (
    LONGEST_ANSWER,
    LONGEST_CATEGORY,
    LONGEST_PHRASING,
    FaqConflict,
    checked,
    knowledge_of,
    lines,
)
from web.api.faqs import deleted_faq, saved_faq
from web.console.faq_conflict import ConflictDialog
from web.console.faq_history import HistoryDialog
from web.console.faq_impact import ImpactDialog
from web.console.faqs import PATH, faq_url
from web.console.visit import Refused, Visit
from web.desk import Closed, Desk
from web.problems import ApiError
from web.staff.sessions import Session


class FaqForm:
    """One FAQ on the page. `version` 0: it is not stored yet."""

    def __init__(self, visit: Visit, faq: Faq, version: int, categories: list[str]) -> None:
        self._visit = visit
        self._id = faq.id
        self._language = faq.language
        self._version = version
        self._categories = categories
        self._checks = 0
        self._made: dict[str, Any] = {}
        self._start = faq

    def show(self, used: Usage) -> None:
        """Build it."""
        t, faq = self._visit.t, self._start
        with ui.column().classes("k-card k-pad w-full gap-3").props(f"data-testid=form-{faq.language}"):
            with ui.row().classes("w-full items-center gap-2"):
                ui.label(t(faq.language)).classes("font-semibold")
                self._shown_version = ui.label().classes("k-mute k-small")
                ui.space()
                if used.last:
                    last = f"{used.last.astimezone():%Y-%m-%d}"
                    address = f"/conversations?{urlencode({'source': self._id})}"
                    ui.link(t("used", answers=used.answers, last=last), address).classes("k-link k-small")
                    self._thumbs(used)
            self._texts()
            self._settings()
            self._warnings = ui.column().classes("w-full gap-1").props("data-testid=warnings aria-live=polite")
            ui.label(t("preview")).classes("k-mute k-small")
            preview = ui.label().classes("k-pre k-said").props("data-testid=preview")
            preview.bind_text_from(self._made["answer"], "value", lambda text: text or "…")
            self._buttons()
        self.take(faq, self._version)

    def _thumbs(self, used: Usage) -> None:
        for icon, look, count in (
            ("o_thumb_up", "k-good", used.helpful),
            ("o_thumb_down", "k-bad", used.unhelpful),
        ):
            with ui.row().classes("items-center gap-1 k-small k-mute"):
                ui.icon(icon, size="16px").classes(look)
                ui.label(str(count))

    def take(self, faq: Faq, version: int) -> None:
        """Fill the fields with an FAQ of that version."""
        self._version = version
        made = self._made
        made["question"].value, made["answer"].value = faq.question, faq.answer
        made["similar"].value, made["never"].value = "\n".join(faq.similar), "\n".join(faq.never)
        made["category"].value, made["status"].value = faq.category, faq.status
        made["valid_from"].value, made["valid_until"].value = str(faq.valid_from or ""), str(faq.valid_until or "")
        self._show_version()

    def _texts(self) -> None:
        t = self._visit.t
        self._area("question", LONGEST_PHRASING, 1)
        self._area("answer", LONGEST_ANSWER, 5)
        self._area("similar", 100_000, 4, t("similar_hint"))
        self._area("never", 100_000, 2, t("never_hint"))
        for name in ("question", "similar", "never"):
            self._made[name].on_value_change(self._check)

    def _area(self, name: str, longest: int, rows: int, hint: str = "") -> None:
        made = ui.textarea(self._visit.t(name)).props(f"outlined autogrow debounce=400 maxlength={longest} rows={rows}")
        if hint:
            made.props(f'hint="{hint}"')
        self._made[name] = made.classes("w-full")

    def _settings(self) -> None:
        t = self._visit.t
        category = ui.input(t("category"), autocomplete=self._categories).classes("w-full")
        self._made["category"] = category.props(f"outlined dense maxlength={LONGEST_CATEGORY}")
        with ui.row().classes("w-full items-start gap-2"):
            for name in ("valid_from", "valid_until"):
                self._made[name] = ui.input(t(name)).props("type=date outlined dense stack-label")
                self._made[name].classes("k-grow")
        states = {status: t(status) for status in ("draft", "review", "published")}
        self._made["status"] = ui.toggle(states, on_change=lambda: self._offer_publish()).props("no-caps unelevated")

    def _buttons(self) -> None:
        t, writes = self._visit.t, self._visit.may("knowledge.write")
        with ui.row().classes("w-full items-center gap-2"):
            if writes:
                ui.button(t("save"), on_click=self.save).props("outline")
                self._publish = ui.button(t("publish"), on_click=self._save_published).props("unelevated")
            ui.button(t("impact"), icon="o_compare_arrows", on_click=self._show_impact).props("flat")
            ui.space()
            past = ui.button(icon="o_history", on_click=self._show_history)
            self._stored_only = [past.props(f'flat round aria-label="{t("history")}"')]
            if writes:
                gone = ui.button(icon="o_delete", on_click=self._ask_delete)
                self._stored_only.append(gone.props(f'flat round aria-label="{t("delete")}"'))

    def _offer_publish(self) -> None:
        if self._visit.may("knowledge.write") and hasattr(self, "_publish"):
            self._publish.set_visibility(self._made["status"].value != "published")

    def _show_version(self) -> None:
        t = self._visit.t
        self._shown_version.text = t("version", version=self._version) if self._version else t("not_saved")
        for button in self._stored_only:
            button.set_visibility(bool(self._version))
        self._offer_publish()

    def values(self) -> dict[str, Any]:
        """What the form says now, as FaqIn takes it."""
        made = self._made
        texts = {name: made[name].value or "" for name in ("question", "answer", "category")}
        lists = {name: lines(made[name].value or "") for name in ("similar", "never")}
        days = {name: made[name].value or None for name in ("valid_from", "valid_until")}
        return texts | lists | days | {"id": self._id, "language": self._language, "status": made["status"].value}

    async def save(self) -> bool:
        """Store what the form says; False when it was not, and why was said."""
        visit, is_new = self._visit, not self._version
        try:
            stored = await visit.act("knowledge.write", _saved, visit.desk, visit.session, self.values(), self._version)
        except Refused as refused:
            if isinstance(refused.__cause__, FaqConflict):
                ConflictDialog(visit, self.values(), refused.__cause__.stored, self.take, self._keep).show()
            return False
        self._saved(stored, is_new)
        return True

    def _saved(self, stored: StoredFaq, is_new: bool) -> None:
        self._id = stored.faq.id
        self.take(stored.faq, stored.version)
        if is_new:
            ui.navigate.history.replace(faq_url(stored.faq.id))
        said = "live" if stored.faq.status == "published" else "saved"
        ui.notify(self._visit.t(said), type="positive")

    async def _save_published(self) -> None:
        before = self._made["status"].value
        self._made["status"].value = "published"
        if not await self.save():
            self._made["status"].value = before

    async def _keep(self, version: int) -> None:
        """Save this form's text over the other's, which stays in the history."""
        self._version = version
        await self.save()

    async def _check(self) -> None:
        """Look for clashes; only the answer to the latest question counts."""
        self._checks += 1
        mine, desk = self._checks, self._visit.desk
        try:
            found = await desk.call(_warnings, desk, self.values())
        except Closed:
            return
        if mine == self._checks and not self._warnings.is_deleted:
            self._show_warnings(found)

    def _show_warnings(self, found: list[Warning]) -> None:
        self._warnings.clear()
        with self._warnings:
            for one in found[:5]:
                look, icon = ("k-mute", "o_info") if one.clash == "refused" else ("k-warn", "o_warning")
                with ui.row().classes("items-baseline gap-x-1 gap-y-0"):
                    ui.icon(icon).classes(look)
                    said = self._visit.t(f"clash_{one.clash}", phrasing=one.phrasing[:80])
                    ui.label(said).classes(f"{look} k-small")
                    if one.clash != "own":
                        ui.link(one.question[:80] or one.faq_id, faq_url(one.faq_id), new_tab=True).classes(
                            "k-link k-small"
                        )

    async def _show_impact(self) -> None:
        try:
            draft = checked(self.values()).faq(self._id or "new")
        except ApiError as problem:
            ui.notify(self._visit.t(problem.code), type="negative")
            return
        await ImpactDialog(self._visit, draft).show()

    async def _show_history(self) -> None:
        await HistoryDialog(self._visit, self._id, self.take).show()

    def _ask_delete(self) -> None:
        visit, t = self._visit, self._visit.t

        async def delete() -> None:
            try:
                await visit.act("knowledge.write", deleted_faq, visit.desk, visit.session, self._id, self._version)
            except Refused:
                return
            ui.navigate.to(PATH)

        with ui.dialog(value=True) as dialog, ui.card().classes("w-96 p-5"):
            ui.label(t("ask_delete")).classes("font-semibold")
            ui.label(t("delete_hint")).classes("k-mute k-small")
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=dialog.close).props("flat")
                ui.button(t("delete"), on_click=delete, color="negative").props("unelevated")


def _saved(desk: Desk, session: Session, values: dict[str, Any], version: int) -> StoredFaq:
    return saved_faq(desk, session, checked(values).faq(), version)


def _warnings(desk: Desk, values: dict[str, Any]) -> list[Warning]:
    draft = Faq(
        id=values["id"],
        question=values["question"].strip()[:LONGEST_PHRASING],
        answer="",
        language=values["language"],
        similar=tuple(values["similar"][:200]),
        never=tuple(values["never"][:200]),
    )
    return warnings(knowledge_of(desk), desk.bot.calibration, draft)
