"""The report as one page that needs nothing else: tables, plots and wrong answers, every label in both languages.

Knows how figures are written and where points stand in a plot; words are in report.toml, the rest in report.html.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.metrics import reciprocal_rank, unsupported_facts
from training.report import LANGUAGES, Asked, false_answers

SHOWN = 50  # wrong answers of each language
_FOLDER = Path(__file__).parent
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 218.0, 196.0, 60.0, 210.0  # of a plot's area in its picture
_RISKS = (0.05, 0.1, 0.2, 0.5, 1.0)  # how high the risk axis may go
_LONGEST_TEXT = 600  # characters of an answer

Points = Sequence[Sequence[float]]


@cache
def wording() -> dict[str, dict[str, dict[str, Any]]]:
    """The report's words: "words", "figures", "steps" and "headings", each name → language → text."""
    return tomllib.loads((_FOLDER / "report.toml").read_text("utf8"))


def page(content: dict[str, Any], asked: Sequence[Asked]) -> str:
    """The HTML of a report; `content` is that of report.json."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": value,
        "interval": interval,
        "x": lambda share: round(_LEFT + _WIDTH * share, 1),
        "y": lambda share: round(_BOTTOM - _HEIGHT * share, 1),
        "path": path,
    }
    wrong = {language: [_wrong(one) for one in false_answers(asked, language)] for language in LANGUAGES}
    plots = {language: _plots(content["languages"][language]) for language in LANGUAGES}
    template = environment.get_template("report.html")
    return template.render(report=content, wrong=wrong, plots=plots, shown=SHOWN, **wording())


def value(estimate: dict[str, Any] | None, unit: str = "", signed: bool = False) -> str:
    """A figure as people read it, in per cent where that is its unit; a dash where there is none."""
    if estimate is None or estimate["value"] is None or estimate.get("of") == 0:
        return "–"
    return _number(estimate["value"], unit, signed) + ("%" if unit == "%" and not signed else "")


def interval(estimate: dict[str, Any] | None, unit: str = "", signed: bool = False) -> str:
    """The confidence interval in brackets; nothing where there is none."""
    if estimate is None or estimate["low"] is None:
        return ""
    return f"[{_number(estimate['low'], unit, signed)}, {_number(estimate['high'], unit, signed)}]"


def path(points: Points, top: float = 1.0) -> str:
    """A line through points of 0..1 × 0..top, as an SVG path; nothing through no point."""
    steps = [f"{_LEFT + _WIDTH * x:.1f} {_BOTTOM - _HEIGHT * y / top:.1f}" for x, y in points]
    return "M" + "L".join(steps) if steps else ""


def _number(number: float, unit: str, signed: bool) -> str:
    scaled, digits = (100 * number, 1) if unit == "%" else (number, 0 if unit == "ms" else 3)
    text = f"{scaled:+.{digits}f}" if signed else f"{scaled:.{digits}f}"
    return text.replace("-", "−")


def _plots(group: dict[str, Any]) -> dict[str, Any] | None:
    """What is drawn of a language; None where it has no question."""
    curves = group["curves"]
    if not curves:
        return None
    points, at = curves["risk_coverage"], curves["at"]
    done = [point for point in points if point[0] <= at["coverage"]]
    highest = max([risk for _, risk in points] + [at["risk"]])
    return {
        "at": at,
        "answered": done,
        "beyond": points[max(0, len(done) - 1) :],
        "top": next(top for top in _RISKS if highest <= top),
        "roc": curves["roc"],
        "reliability": [b | {"radius": round(3 + 9 * (b["count"] / group["questions"]) ** 0.5, 1)} for b in
                        curves["reliability"]],
    }  # fmt: skip


def _wrong(one: Asked) -> dict[str, Any]:
    """A wrong answer as it is listed."""
    question, answer = one.question, one.answer
    rank = reciprocal_rank(question.relevant, answer.hits, len(answer.hits))
    text = answer.text if len(answer.text) <= _LONGEST_TEXT else answer.text[:_LONGEST_TEXT] + "…"
    return {
        "set": one.golden,
        "id": question.id,
        "question": question.text,
        "answer": text,
        "kind": answer.kind,
        "confidence": answer.confidence,
        "expected": sorted(question.relevant),
        "references": question.answers,
        "cited": answer.citations,
        "rank": round(1 / rank) if rank else None,
        "unsupported": unsupported_facts(answer),
    }
