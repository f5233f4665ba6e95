"""How an answer came about, as staff see it: answer, steps, confidence, hits with every score. Asks nothing itself."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from web.api.questions import HitOut, TrialOut
from web.console.evidence import times
from web.console.links import source_address
from web.console.visit import Visit
from web.console.words import say

_GOOD = ("faq", "grounded", "smalltalk")
_SOURCE = """<q-td :props="props" class="k-source"><a class="k-link" :href="props.row.url">{{ props.row.title }}</a>
<div class="k-mute k-small">{{ props.row.under }}</div>
<details class="k-small"><summary class="k-link">SHOW</summary><div class="k-pre">{{ props.row.text }}</div>
</details></q-td>"""


def show_trial(visit: Visit, trial: TrialOut) -> None:
    """Draw the answer and the steps to it."""
    with ui.element("div").classes("k-two"):
        with ui.column().classes("k-card p-4 gap-2").props("data-testid=answer"):
            _show_answer(visit, trial)
        with ui.column().classes("k-card p-4 gap-2").props("data-testid=steps"):
            _show_steps(visit, trial)


def _show_answer(visit: Visit, trial: TrialOut) -> None:
    t = visit.t
    with ui.row().classes("w-full items-center"):
        ui.label(t("answer")).classes("font-semibold")
        ui.space()
        good = trial.kind in _GOOD
        ui.label(t(f"kind_{trial.kind}")).classes("k-chip " + ("k-good" if good else "k-warn"))
    ui.label(trial.text).classes("k-pre")
    if trial.options:
        ui.label(t("options")).classes("k-mute k-small")
        for option in trial.options:
            ui.label(f"· {option}").classes("k-pre")
    if trial.citations:
        ui.label(t("citations")).classes("k-mute k-small")
    for citation in trial.citations:
        with ui.column().classes("gap-0"):
            address = source_address(citation.kind, citation.source_id)
            ui.link(f"{citation.number}. {citation.title}", address).classes("k-link")
            ui.label(citation.quote).classes("k-pre k-small k-mute")


def _show_steps(visit: Visit, trial: TrialOut) -> None:
    t = visit.t
    ui.label(t("steps")).classes("font-semibold")
    lines = (
        ("step_language", t(trial.language)),
        ("step_control", _control(visit, trial)),
        ("step_query", trial.query),
        ("step_decision", t(f"kind_{trial.kind}")),
        ("step_why", why(visit, trial)),
        ("step_release", trial.release),
        ("step_time", times(trial.latency_ms, visit.language)),
    )
    with ui.element("dl").classes("k-facts"):
        for name, value in lines:
            with ui.element("dt"):
                ui.label(t(name))
            with ui.element("dd").props(f"data-testid={name}"):
                ui.label(value).classes("k-pre")
    if trial.threshold is not None and not trial.control:
        _show_meter(visit, trial)


def why(visit: Visit, trial: TrialOut) -> str:
    """Why it was decided so, in the person's language."""
    threshold = trial.threshold
    if trial.reason.startswith(("control", "handoff")):
        return visit.t("why_control")
    if threshold is None:
        return visit.t("why_nothing")
    if trial.reason.startswith("exact"):
        return visit.t("why_exact")
    if trial.confidence >= threshold.answer:
        name = {"clarify": "why_tie", "abstain": "why_unsupported"}.get(trial.kind, "why_answer")
    else:
        name = "why_clarify" if trial.kind == "clarify" else "why_below"
    return visit.t(
        name,
        confidence=f"{trial.confidence:.2f}",
        answer=f"{threshold.answer:.2f}",
        clarify=f"{threshold.clarify:.2f}",
        kind=visit.t(f"source_{threshold.kind}"),
        language=visit.t(threshold.language),
    )


def _control(visit: Visit, trial: TrialOut) -> str:
    return say("evidence", f"control_{trial.control}", visit.language) if trial.control else visit.t("no_control")


def _show_meter(visit: Visit, trial: TrialOut) -> None:
    """The confidence on a line from 0 to 1, with the thresholds of its kind and language."""
    threshold, t = trial.threshold, visit.t
    assert threshold is not None
    marks = (("from_clarify", threshold.clarify), ("from_answer", threshold.answer))
    told = ("；" if visit.language == "zh" else "; ").join(t(name, value=f"{value:.2f}") for name, value in marks)
    label = f"{t('confidence')} {trial.confidence:.2f}"
    ui.label(f"{label}（{told}）" if visit.language == "zh" else f"{label} ({told})").classes("k-small")
    with ui.element("div").classes("k-meter").props(f'role=img aria-label="{label}"'):
        look = "k-meter-good" if trial.confidence >= threshold.answer else "k-meter-low"
        ui.element("div").classes(f"k-meter-value {look}").style(f"width: {100 * trial.confidence:.1f}%")
        for _, value in marks:
            ui.element("div").classes("k-meter-mark").style(f"left: {100 * value:.1f}%")


def show_hits(visit: Visit, trial: TrialOut) -> None:
    """Draw what was found, with every part of its score."""
    t = visit.t
    ui.label(t("hits", count=len(trial.hits))).classes("font-semibold")
    if not trial.hits:
        ui.label(t("no_hits")).classes("k-empty")
        return
    names = ("rank", "title", "kind", "score", "dense", "keyword", "proximity", "exact", "rerank")
    columns = [
        {
            "name": name,
            "label": t(f"col_{name}"),
            "field": name,
            "align": "left" if name in ("title", "kind") else "right",
            "classes": "k-nowrap" if name == "kind" else "",
        }
        for name in names
    ]
    rows = [_row(visit, rank, hit) for rank, hit in enumerate(trial.hits, 1)]
    table = ui.table(columns=columns, rows=rows, row_key="rank").props("flat bordered wrap-cells dense")
    table.classes("w-full").props("data-testid=hits")
    table.add_slot("body-cell-title", _SOURCE.replace("SHOW", t("show_text")))


def _row(visit: Visit, rank: int, hit: HitOut) -> dict[str, Any]:
    under = hit.phrasing if hit.phrasing != hit.title else ""
    return {
        "rank": rank,
        "title": hit.title or hit.source_id,
        "under": under or " › ".join(hit.headings),
        "text": hit.text,
        "url": "/console" + source_address(hit.kind, hit.source_id),
        "kind": f"{visit.t(f'source_{hit.kind}')} · {visit.t(hit.language)}",
        "score": f"{hit.score:.3f}",
        "dense": f"{hit.dense:.3f}",
        "keyword": f"{hit.keyword:.3f}",
        "proximity": "" if hit.proximity is None else f"{hit.proximity:.3f}",
        "exact": "✓" if hit.exact else "",
        "rerank": "" if hit.rerank is None else f"{hit.rerank:.3f}",
    }
