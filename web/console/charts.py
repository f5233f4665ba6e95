"""Options of the console's charts: labelled axes, colours that colour-blind people can tell apart. Pure values.

Colours of text and lines come from the page's style sheet, so that charts follow light and dark.
"""

from collections.abc import Mapping, Sequence
from typing import Any

GREEN, BLUE, ORANGE, GREY = "#009e73", "#56b4e9", "#d55e00", "#9aa1ad"  # Okabe and Ito's palette, and a grey
_LEGEND = {"type": "scroll", "top": 0, "itemWidth": 14, "itemHeight": 10}
_LINE = {"lineStyle": {"color": "rgba(128, 134, 148, 0.3)"}}  # seen on light and dark
_LABEL = {"show": True, "textBorderWidth": 0, "color": "#737b8c"}


def stacked(
    categories: Sequence[str], series: Mapping[str, Sequence[float]], colours: Sequence[str], axes: tuple[str, str]
) -> dict[str, Any]:
    """Bars of several parts, one bar a category. axes: what runs along x, what along y."""
    parts = [
        {"name": name, "type": "bar", "stack": "all", "data": list(values), "barMaxWidth": 36}
        for name, values in series.items()
    ]
    return _framed(axes) | {
        "color": list(colours),
        "legend": _LEGEND,
        "xAxis": _named(axes[0]) | {"type": "category", "data": list(categories)},
        "yAxis": _value(axes[1]),
        "series": parts,
    }


def lying(categories: Sequence[str], values: Sequence[float], axis: str, colours: Sequence[str]) -> dict[str, Any]:
    """One lying bar a category, the first on top, with its value beside it."""
    bars = [{"value": value, "itemStyle": {"color": colour}} for value, colour in zip(values, colours, strict=True)]
    framed = _framed(("", axis))
    return framed | {
        "grid": framed["grid"] | {"top": 8},
        "xAxis": _value(axis) | {"nameLocation": "middle", "nameGap": 28, "nameTextStyle": {}},
        "yAxis": {"type": "category", "data": list(categories), "inverse": True},
        "series": [{"type": "bar", "data": bars, "barMaxWidth": 22, "label": _LABEL | {"position": "right"}}],
    }


def grouped(
    categories: Sequence[str], series: Mapping[str, Sequence[float]], colours: Sequence[str], axis: str
) -> dict[str, Any]:
    """Bars beside each other, a group for each category, with their values above."""
    label = _LABEL | {"position": "top"}
    parts = [
        {"name": name, "type": "bar", "data": list(values), "barMaxWidth": 44, "label": label}
        for name, values in series.items()
    ]
    return _framed(("", axis)) | {
        "color": list(colours),
        "legend": _LEGEND,
        "xAxis": {"type": "category", "data": list(categories)},
        "yAxis": _value(axis),
        "series": parts,
    }


def line(
    curves: Mapping[str, Sequence[tuple[float, float]]], colours: Sequence[str], axes: tuple[str, str]
) -> dict[str, Any]:
    """Curves of (x, y) by name. axes: what runs along x, what along y."""
    parts = [
        {"name": name, "type": "line", "data": [list(point) for point in points], "showSymbol": False}
        for name, points in curves.items()
    ]
    return _framed(axes) | {
        "color": list(colours),
        "legend": _LEGEND,
        "xAxis": _named(axes[0]) | {"type": "value", "splitLine": _LINE, "minInterval": 1},
        "yAxis": _value(axes[1]) | {"minInterval": 0, "scale": True},
        "series": parts,
    }


def _framed(axes: tuple[str, str]) -> dict[str, Any]:
    return {
        "aria": {"enabled": True},
        "animation": False,
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "grid": {"left": 8, "right": 44, "top": 56, "bottom": 30 if axes[0] else 24, "containLabel": True},
    }


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "nameLocation": "middle", "nameGap": 28}


def _value(name: str) -> dict[str, Any]:
    return {
        "type": "value",
        "name": name,
        "nameTextStyle": {"align": "left"},
        "minInterval": 1,
        "splitLine": _LINE,
    }
