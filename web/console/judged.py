"""How a candidate compares with the release before it: every check, and each question whose answer changed."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from web.api.releases import judgement, releases
from web.console.doubtful import Doubtful
from web.console.releases import promote_button
from web.console.visit import Refused, Visit

_SHOWN = 50  # questions of those that got better, and of those that got worse


class Judged:
    """The judgement of one release."""

    def __init__(self, visit: Visit, name: str) -> None:
        self._visit = visit
        self._name = name

    async def show(self) -> None:
        """Build it."""
        visit, t = self._visit, self._visit.t
        ui.link(t("back"), "/learning?tab=releases").classes("k-link k-small")
        try:
            found = await visit.act("training.use", judgement, visit.desk, self._name)
            known = await visit.act("training.use", releases, visit.desk)
        except Refused:
            ui.label(t("no_judgement")).classes("k-empty")
            return
        serving = next(one.name for one in known.items if one.serving)
        with ui.row().classes("w-full items-center gap-3"):
            said = t("judgement_of", candidate=found["candidate"], current=found["current"])
            ui.label(said).classes("font-semibold").props("role=heading aria-level=2")
            ui.space()
            if self._name == serving:
                ui.label(t("serving")).classes("k-tag k-good")
            else:
                promote_button(visit, self._name, found["passed"], _to_releases)
        self._verdict(found)
        self._lessons(found)
        self._checks(found["checks"])
        await Doubtful(visit, found.get("doubtful", [])).show()
        self._changes("got_worse", found["worse"], found["changed"]["worse"])
        self._changes("got_better", found["better"], found["changed"]["better"])

    def _verdict(self, found: dict[str, Any]) -> None:
        t, language = self._visit.t, self._visit.language
        with ui.card().classes("k-panel").props("data-testid=verdict"):
            passed = found["passed"]
            ui.label(t("verdict_passed" if passed else "verdict_refused")).classes("k-good" if passed else "k-bad")
            for reason in found["reasons"]:
                ui.label(reason[language]).classes("k-pre")
            made = {name: f"{found['dataset'][name]:,}" for name in ("train", "fit", "judging")}
            ui.label(t("trained_on", **made)).classes("k-mute k-small")

    def _lessons(self, found: dict[str, Any]) -> None:
        language = self._visit.language
        between = "：" if language == "zh" else ": "
        for lesson in found["lessons"]:
            said = f"{lesson['name'][language]}{between}{lesson['why'][language]}"
            ui.label(said).classes("k-mute k-small")

    def _checks(self, checks: list[dict[str, Any]]) -> None:
        t, language = self._visit.t, self._visit.language
        names = ("figure", "language", "before", "after", "difference", "verdict")
        columns = [{"name": name, "label": t(name), "field": name, "align": "left"} for name in names]
        rows = [
            {
                "id": number,
                "figure": one["name"][language],
                "language": t(one["language"] or "both"),
                "before": _number(one["current"]),
                "after": _number(one["candidate"]),
                "difference": _difference(one),
                "verdict": t("not_fine" if one["refused"] else "fine"),
            }
            for number, one in enumerate(checks)
        ]
        table = ui.table(columns=columns, rows=rows, row_key="id").props("flat bordered dense data-testid=checks")
        table.classes("w-full")

    def _changes(self, name: str, pairs: list[dict[str, Any]], count: int) -> None:
        t = self._visit.t
        ui.label(t(name, count=f"{count:,}")).classes("font-semibold").props("role=heading aria-level=2")
        if len(pairs[:_SHOWN]) < count:
            ui.label(t("first_of", shown=len(pairs[:_SHOWN]))).classes("k-mute k-small")
        with ui.column().classes("w-full gap-2").props(f"data-testid={name}"):
            if not pairs:
                ui.label(t("none_changed")).classes("k-mute")
            for pair in pairs[:_SHOWN]:
                with ui.card().classes("k-gap w-full gap-2"):
                    ui.label(pair["question"]).classes("k-pre font-semibold")
                    with ui.element("div").classes("k-two"):
                        for side, label in (("current", "before"), ("candidate", "after")):
                            self._side(t(label), pair[side])

    def _side(self, label: str, answer: dict[str, Any]) -> None:
        t = self._visit.t
        facts = [label, t(f"kind_{answer['kind']}"), t("confidence", value=f"{answer['confidence']:.2f}")]
        facts += [", ".join(answer["citations"])] if answer["citations"] else []
        with ui.column().classes("gap-1"):
            ui.label(" · ".join(facts)).classes("k-mute k-small k-pre")
            ui.label(answer["text"]).classes("k-pre")


async def _to_releases() -> None:
    ui.navigate.to("/learning?tab=releases")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) > 1 else f"{value:.3f}"


def _difference(check: dict[str, Any]) -> str:
    difference = check["candidate"] - check["current"]
    if not check["interval"]:
        return "–" if not difference else f"{difference:+,.3f}" if abs(difference) <= 1 else f"{difference:+,.0f}"
    low, high = check["interval"]
    return f"{difference:+.3f} ({low:+.3f} … {high:+.3f})"
