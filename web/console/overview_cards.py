"""The overview's numbers, each with what it is a share of and what it means. Knows how to say them only."""

from __future__ import annotations

from nicegui import ui

from bot.statistics import Quantiles, Statistics
from web.console.visit import Visit

_MINUTE = 60.0


def cards(visit: Visit, found: Statistics, period: str) -> None:
    """One card a number."""
    outcomes = found.outcomes
    asked = sum(outcomes.values())
    over = asked - outcomes.get("open", 0)
    t = visit.t
    with ui.element("div").classes("k-cards"):
        _card(t("conversations_asked"), f"{asked:,}", t("only", period=period))
        for name in ("confirmed", "assumed", "abandoned"):
            of = t("of_conversations", total=f"{over:,}", period=period)
            count = outcomes.get(name, 0)
            _card(t(name), share(count, over), of, t(f"{name}_why"))
        of = t("of_questions", total=f"{found.questions:,}", period=period)
        _card(t("coverage"), share(found.answered, found.questions), of, t("coverage_why"))
        of = t("of_answers", total=f"{found.answered:,}", period=period)
        _card(t("false"), f"{found.false:,} ({share(found.false, found.answered)})", of, t("false_why"))
        of = t("of_judged", total=f"{found.judged:,}", period=period)
        _card(t("satisfaction"), share(found.liked, found.judged), of, t("satisfaction_why"))
        for name, times in (("first_token", found.first_token), ("whole", found.whole)):
            _card(t(name), _milliseconds(visit, times.middle), _latency(visit, times, period), t("latency_why"))
        _wait(visit, found, period)


def share(count: int, total: int) -> str:
    """A share in per cent, to one decimal below 10 %; a dash of nothing."""
    if not total:
        return "—"
    percent = 100 * count / total
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"


def _card(name: str, value: str, of: str, why: str = "") -> None:
    with ui.card().classes("k-number"):
        with ui.row().classes("items-center gap-1 no-wrap"):
            ui.label(name).classes("k-mute k-small")
            if why:
                with ui.icon("o_info", size="16px").classes("k-mute").props(f'tabindex=0 role=img aria-label="{why}"'):
                    ui.tooltip(why).classes("k-tip")
        ui.label(value).classes("k-value")
        ui.label(of).classes("k-mute k-small")


def _latency(visit: Visit, times: Quantiles, period: str) -> str:
    of = visit.t("of_latencies", total=f"{times.count:,}", period=period)
    return of if times.high is None else f"{visit.t('p95', value=_milliseconds(visit, times.high))} · {of}"


def _wait(visit: Visit, found: Statistics, period: str) -> None:
    t, handed = visit.t, found.handoffs
    of = t("of_handoffs", taken=f"{handed.wait.count:,}", total=f"{handed.asked:,}", period=period)
    if handed.waiting or handed.missed:
        of = f"{t('waiting', waiting=handed.waiting, missed=handed.missed)} · {of}"
    value = "—" if handed.wait.middle is None else _seconds(visit, handed.wait.middle)
    if handed.wait.high is not None:
        of = f"{t('p90', value=_seconds(visit, handed.wait.high))} · {of}"
    _card(t("wait"), value, of, t("wait_why"))


def _milliseconds(visit: Visit, value: float | None) -> str:
    if value is None:
        return "—"
    return visit.t("ms", value=f"{value:,.0f}") if value < 1000 else visit.t("seconds", value=f"{value / 1000:.1f}")


def _seconds(visit: Visit, value: float) -> str:
    if value < 2 * _MINUTE:
        return visit.t("seconds", value=f"{value:.0f}")
    return visit.t("minutes", value=f"{value / _MINUTE:.0f}")
