"""The plot of the simulated months as an SVG that needs nothing else: a panel a language, every line named on it.

Knows figures only. Colours of Okabe & Ito's palette, which colour-blind people can tell apart; lines differ in dash
and mark as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT = 880, 466
_PANEL, _TOP, _TALL, _LEFTS = 300, 112, 250, (64, 494)
_APART = 14.0  # pixels between two figures at the right end
_BLUE, _ORANGE, _GREEN = "#0072B2", "#D55E00", "#009E73"
_INK, _DIM, _FAINT = "#1f2328", "#57606a", "#d8dee4"
_TITLES = {"zh": "中文 · Chinese", "en": "英文 · English"}
_FONT = "-apple-system, 'Segoe UI', 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
Result = Mapping[str, Any]
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: (weeks gone by, share) points, each with the least and the greatest of all lots."""

    name: str
    colour: str
    dash: str
    points: tuple[tuple[float, float, float, float], ...]


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the plot of the months in `results`, each of another lot: means, with the span of the lots."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(svg(results), "utf8")


def svg(results: Sequence[Result]) -> str:
    """The picture. Figures are those of benchmarks/out/loop-*.json."""
    lots, held = len(results), sum(r["month"][g]["held_out"] for r in results for g in _TITLES)
    of = {"zh": f"{lots} 次抽签的均值与范围", "en": f"mean and span of {lots} lots"}
    if lots == 1:
        of = {"zh": "1 次抽签", "en": "of one lot"}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-family="{_FONT}">',
        "<title>首月：误答不超过 5% 时能回答的比例 · First month: coverage at ≤ 5 % false answers</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="#ffffff"/>',
        _text(24, 32, "误答不超过 5% 时能回答多少 · Coverage at ≤ 5 % false answers", 17, weight=600),
        _text(24, 54, f"模拟首月，每周学习一轮；{held} 个未参与学习的问题，{of['zh']}", 12, _DIM),
        _text(24, 71, f"Simulated first month, a round of learning a week; {held} questions kept out of it, {of['en']}",
              12, _DIM),
    ]  # fmt: skip
    for left, (language, title) in zip(_LEFTS, _TITLES.items(), strict=True):
        parts += _panel(left, title, lines(results, language))
    return "\n".join([*parts, "</svg>", ""])


def lines(results: Sequence[Result], language: str) -> tuple[Line, ...]:
    """What is drawn of one language."""
    learning = [(0.0, [r["still"][language]["coverage"] for r in results])]
    for number in range(len(results[0]["weeks"])):
        for at, when in ((number + 0.8, "before"), (number + 1.0, "after")):
            learning.append((at, [r["weeks"][number][when][language]["coverage"] for r in results]))
    end = learning[-1][0]
    still = [r["still"][language]["coverage"] for r in results]
    near = [r["neighbour"][language]["coverage"] for r in results]
    return (
        Line("Kefu，学习 · learning", _BLUE, "", tuple(_point(at, values) for at, values in learning)),
        Line("不学习 · without the loop", _ORANGE, "7 4", (_point(0, still), _point(end, still))),
        Line("最近邻匹配 · nearest neighbour", _GREEN, "2 4", (_point(0, near), _point(end, near))),
    )


def _point(at: float, values: Sequence[float]) -> tuple[float, float, float, float]:
    return at, sum(values) / len(values), min(values), max(values)


def _panel(left: int, title: str, drawn: Sequence[Line]) -> list[str]:
    weeks = drawn[0].points[-1][0]
    low = max(0.0, min(point[2] for line in drawn for point in line.points) // 0.1 * 0.1)

    def x(at: float) -> float:
        return left + _PANEL * at / weeks

    def y(share: float) -> float:
        return _TOP + _TALL * (1 - (share - low) / (1 - low))

    parts = [_text(left, _TOP - 12, title, 14, weight=600)]
    for tenth in range(round(low * 10), 11):
        parts.append(f'<path d="M{left} {y(tenth / 10):.1f}h{_PANEL}" stroke="{_FAINT}"/>')
        parts.append(_text(left - 8, y(tenth / 10) + 4, f"{10 * tenth}%", 11, _DIM, "end"))
    for week in range(round(weeks) + 1):
        said = (f"第 {week} 周", f"week {week}") if week else ("首日", "day 1")
        parts += [_text(x(week), _TOP + _TALL + 18 + 14 * n, text, 11, _DIM, "middle") for n, text in enumerate(said)]
    for line in drawn:
        parts += _line(line, x, y)
    return parts + _ends(x(weeks) + 9, drawn, y) + _legend(left, drawn)


def _line(line: Line, x: Place, y: Place) -> list[str]:
    path = "L".join(f"{x(at):.1f} {y(value):.1f}" for at, value, _, _ in line.points)
    there = [f"{x(at):.1f} {y(high):.1f}" for at, _, _, high in line.points]
    back = [f"{x(at):.1f} {y(low):.1f}" for at, _, low, _ in reversed(line.points)]
    parts = [f'<path d="M{"L".join([*there, *back])}Z" fill="{line.colour}" opacity="0.12"/>']
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    parts.append(f'<path d="M{path}" fill="none" stroke="{line.colour}" stroke-width="2.5"{dash}/>')
    for at, value, _, _ in () if line.dash else line.points:
        fill = line.colour if at == round(at) else "#ffffff"  # hollow: before a round
        mark = f'cx="{x(at):.1f}" cy="{y(value):.1f}" r="4" fill="{fill}" stroke="{line.colour}"'
        parts.append(f'<circle {mark} stroke-width="2"/>')
    return parts


def _ends(right: float, drawn: Sequence[Line], y: Place) -> list[str]:
    """Where each line ends, in figures that do not lie on one another."""
    parts, free = [], 0.0
    for line in sorted(drawn, key=lambda line: -line.points[-1][1]):
        value = line.points[-1][1]
        free = max(y(value) + 4, free + _APART)
        parts.append(_text(right, free, f"{value:.0%}", 12, line.colour, weight=600))
    return parts


def _legend(left: int, drawn: Sequence[Line]) -> list[str]:
    parts = []
    for number, line in enumerate(drawn):
        top = _TOP + _TALL + 58 + 17 * number
        dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
        parts.append(f'<path d="M{left} {top - 4}h26" stroke="{line.colour}" stroke-width="2.5"{dash}/>')
        said = f"{line.name}（○ 学习前 before，● 后 after）" if not line.dash else line.name
        parts.append(_text(left + 34, top, said, 11.5))
    return parts


def _text(
    x: float, y: float, said: str, size: float, colour: str = _INK, anchor: str = "start", weight: int = 400
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} fill="{colour}">{escape(said)}</text>'
