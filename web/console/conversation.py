"""One conversation as staff see it: what was said, from what evidence, what it should have been; erasing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nicegui import ui
from starlette.requests import Request

from bot.transcript import Line, Transcript
from web.api.conversations import corrected, erased, found_transcript, planned_erasure, withdrawn
from web.backup import Noted
from web.console.conversations import PAGE
from web.console.evidence import reason, times
from web.console.frame import forbidden, frame
from web.console.links import file_link, source_address
from web.console.visit import Refused, Visit, open_visit
from web.console.words import say
from web.erasure import Receipt

_HIT = """<q-td :props="props"><a class="k-link" :href="props.row.url">{{ props.row.title }}</a></q-td>"""
_SCORES = ("score", "dense", "keyword", "proximity", "rerank")


@ui.page("/conversations/{conversation_id}", response_timeout=20)
async def conversation(request: Request, conversation_id: str) -> None:
    """Show the page."""
    visit = open_visit("conversations", request)
    if not visit.may("conversations.read"):
        return forbidden(visit)
    with frame(visit):
        ui.link("‹ " + visit.t("back"), PAGE).classes("k-link")
        shown = ui.column().classes("w-full gap-3")
        await TranscriptView(visit, conversation_id, shown).load()


class TranscriptView:
    """The transcript and what can be done with it."""

    def __init__(self, visit: Visit, conversation_id: str, place: ui.column) -> None:
        self._visit = visit
        self._id = conversation_id
        self._place = place

    async def load(self) -> None:
        """Read the conversation and show it."""
        visit = self._visit
        try:
            found = await visit.act("conversations.read", found_transcript, visit.desk, self._id)
        except Refused:
            with self._place:
                ui.label(visit.t("no_such_conversation")).classes("k-empty")
            return
        self._place.clear()
        with self._place:
            self._header(found)
            for line in found.lines:
                self._line(line)
            self._asides(found)

    def _header(self, found: Transcript) -> None:
        t = self._visit.t
        with ui.row().classes("w-full items-center gap-3"):
            ui.label(f"{found.opened.astimezone():%Y-%m-%d %H:%M}").classes("k-title").props(
                "role=heading aria-level=1"
            )
            ui.label(f"{t('customer')} {self._id[:4].upper()}").classes("k-mute")  # as the inbox names them
            if found.solved is not None:
                ui.label(t("solved_yes" if found.solved else "solved_no")).classes(
                    "k-good" if found.solved else "k-bad"
                )
            ui.space()
            address = f"/api/conversations/{self._id}/text?language={self._visit.language}"
            file_link(t("as_text"), address, f"{self._id}.txt")
            if self._visit.may("conversations.erase"):
                ui.button(t("erase"), icon="o_delete_forever", on_click=self._ask_to_erase).props("flat color=negative")

    def _line(self, line: Line) -> None:
        t = self._visit.t
        with ui.column().classes(f"k-said k-said-{line.role}").props(f"data-testid=line-{line.role}"):
            with ui.row().classes("items-center gap-2"):
                ui.label(line.author or t(line.role)).classes("font-semibold k-small")
                ui.label(f"{line.at.astimezone():%H:%M:%S}").classes("k-mute k-small")
                if line.answer:
                    ui.badge(t(f"kind_{line.answer['kind']}")).props("outline")
            ui.label(line.text).classes("k-pre")
            if line.feedback:
                self._feedback(line.feedback)
            if line.answer:
                self._answer(line)

    def _feedback(self, feedback: Mapping[str, Any]) -> None:
        words = [self._visit.t("helpful" if feedback["helpful"] else "unhelpful")]
        words += [self._visit.t(f"reason_{feedback['reason']}")] if feedback["reason"] else []
        words += [feedback["comment"]] if feedback["comment"] else []
        ui.label(" · ".join(words)).classes(f"k-small {'k-good' if feedback['helpful'] else 'k-bad'}")

    def _answer(self, line: Line) -> None:
        t = self._visit.t
        assert line.answer
        for citation in line.answer["citations"]:
            address = source_address(citation["kind"], citation["source_id"])
            ui.link(f"[{citation['number']}] {citation['title']}", address).classes("k-link k-small")
        if line.correction:
            with ui.column().classes("k-note gap-1"):
                ui.label(t("corrected", name=line.correction["staff_name"])).classes("k-small font-semibold")
                ui.label(line.correction["text"]).classes("k-pre")
        with ui.expansion(t("details")).props("dense").classes("w-full k-small"):
            self._evidence(line.answer)
        if self._visit.may("conversations.correct"):
            ui.button(t("correct"), icon="o_edit", on_click=lambda: self._ask_to_correct(line)).props(
                "flat dense size=sm"
            )

    def _evidence(self, answer: Mapping[str, Any]) -> None:
        t = self._visit.t
        language = self._visit.language
        facts = {
            "confidence": f"{answer['confidence']:.3f}",
            "reason": reason(answer["reason"], language),
            "query": answer["query"],
            "release": answer["release"],
            "latency": times(answer["latency_ms"], language),
        }
        for name, value in facts.items():
            if value:
                ui.label(t("fact", name=t(name), value=value)).classes("k-pre")
        if answer["stopped"]:
            ui.label(t("stopped")).classes("k-warn")
        if not answer["hits"]:
            ui.label(t("no_hits")).classes("k-mute")
            return
        columns = [
            {"name": n, "label": t(n), "field": n, "align": "left" if n == "hits" else "right"}
            for n in ("hits", *_SCORES, "exact")
        ]
        rows = [_hit_row(number, hit) for number, hit in enumerate(answer["hits"])]
        table = ui.table(columns=columns, rows=rows, row_key="number").props("flat dense wrap-cells")
        table.classes("w-full").add_slot("body-cell-hits", _HIT)

    def _asides(self, found: Transcript) -> None:
        t = self._visit.t
        if found.handoffs:
            ui.label(t("handoffs")).classes("font-semibold")
            for handed in found.handoffs:
                ui.label(self._handoff(handed)).classes("k-small")
        for name, parts in (("notes", found.notes), ("contacts", found.contacts)):
            if parts:
                ui.label(t(name)).classes("font-semibold")
            for part in parts:
                who = part.get("staff_name") or part.get("contact")
                ui.label(f"{part['at'].astimezone():%m-%d %H:%M} {who}: {part['text']}").classes("k-pre k-small")

    def _handoff(self, handed: Mapping[str, Any]) -> str:
        t = self._visit.t
        asked, claimed, ended = (
            f"{handed[name].astimezone():%m-%d %H:%M:%S}" if handed[name] else ""
            for name in ("asked", "claimed", "ended")
        )
        taken = t("claimed", name=handed["staff_name"], at=claimed) if claimed else t("not_claimed")
        how = say("inbox", f"outcome_{handed['outcome']}", self._visit.language) if ended else ""
        done = t("ended", at=ended, outcome=how) if ended else t("not_ended")
        why = say("inbox", f"reason_{handed['reason'].replace(' ', '_')}", self._visit.language)
        return t("handoff_line", asked=asked, reason=why, claimed=taken, ended=done)

    def _ask_to_correct(self, line: Line) -> None:
        visit, t = self._visit, self._visit.t

        async def save() -> None:
            try:
                said = text.value or ""
                await visit.act("conversations.correct", corrected, visit.desk, visit.session, self._id, line.id, said)
            except Refused:
                return
            await self._done(dialog, t("saved"))

        async def withdraw() -> None:
            try:
                await visit.act("conversations.correct", withdrawn, visit.desk, visit.session, self._id, line.id)
            except Refused:
                return
            await self._done(dialog, t("withdrawn"))

        before = line.correction["text"] if line.correction else line.text
        with self._place, ui.dialog(value=True) as dialog, ui.card().classes("k-dialog"):
            ui.label(t("correct")).classes("k-title")
            ui.label(t("correct_why")).classes("k-mute k-small")
            text = ui.textarea(t("correct_hint"), value=before).props("outlined autogrow maxlength=10000")
            text.classes("w-full")
            with ui.row().classes("w-full justify-end"):
                if line.correction:
                    ui.button(t("withdraw"), on_click=withdraw).props("flat color=negative")
                ui.button(t("cancel"), on_click=dialog.close).props("flat")
                ui.button(t("save"), on_click=save).props("unelevated")

    async def _done(self, dialog: ui.dialog, said: str) -> None:
        dialog.close()
        ui.notify(said, type="positive")
        await self.load()

    async def _ask_to_erase(self) -> None:
        visit, t = self._visit, self._visit.t
        try:
            planned = await visit.act("conversations.erase", planned_erasure, visit.desk, self._id)
        except Refused:
            return

        async def go() -> None:
            try:
                gone = await visit.act("conversations.erase", erased, visit.desk, visit.session, self._id)
            except Refused:
                return
            dialog.close()
            self._receipt(gone)

        with self._place, ui.dialog(value=True) as dialog, ui.card().classes("k-dialog"):
            ui.label(t("erase_title")).classes("k-title")
            ui.label(t("erase_what"))
            self._counts(planned)
            with ui.row().classes("w-full justify-end"):
                ui.button(t("cancel"), on_click=dialog.close).props("flat")
                ui.button(t("erase"), on_click=go).props("unelevated color=negative")

    def _counts(self, erased: Receipt) -> None:
        t = self._visit.t
        for table, count in erased.counts.items():
            if count:
                ui.label(t("fact", name=t(f"table_{table}"), value=count))
        if erased.golden:
            ui.label(t("erase_golden", ids=", ".join(erased.golden))).classes("k-warn")
        if erased.rounds:
            ui.label(t("erase_rounds", names=", ".join(erased.rounds))).classes("k-warn")
        if erased.releases:
            ui.label(t("erase_releases", names=", ".join(erased.releases))).classes("k-warn")
        backups = ", ".join(self._backup(one) for one in erased.backups)
        if backups:
            ui.label(t("erase_backups", count=len(erased.backups), files=backups)).classes("k-warn")
        ui.label(t("erase_copies")).classes("k-mute k-small")

    def _backup(self, made: Noted) -> str:
        place = "" if made.there else self._visit.t("backup_gone")
        return f"{made.file} ({made.at.astimezone():%Y-%m-%d %H:%M}){place}"

    def _receipt(self, gone: Receipt) -> None:
        t = self._visit.t
        content = json.dumps(asdict(gone), ensure_ascii=False, indent=2, default=str)
        self._place.clear()
        with self._place, ui.card().classes("k-panel").props("data-testid=receipt"):
            ui.label(t("erased")).classes("font-semibold")
            self._counts(gone)
            ui.button(
                t("receipt"),
                on_click=lambda: ui.download.content(content, f"erased-{self._id}.json", "application/json"),
            ).props("flat")


def _hit_row(number: int, hit: Mapping[str, Any]) -> dict[str, Any]:
    passage = hit["passage"]
    scores = {name: "" if hit.get(name) is None else f"{hit[name]:.3f}" for name in _SCORES}
    title = passage["title"] if not passage.get("headings") else " › ".join([passage["title"], *passage["headings"]])
    return {
        "number": number,
        "title": title,
        "url": "/console" + source_address(passage["kind"], passage["source_id"]),
        **scores,
        "exact": "✓" * bool(hit["exact"]),
    }
