"""What a benchmark says: rows with a measure, the floor beside it and the bar; as Markdown. Measures nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

RATIO = "×"


class Bar(NamedTuple):
    """What is promised: of the ratio to the floor where the unit is ×, else of the measure itself."""

    sign: Literal["≤", "≥"]
    limit: float
    unit: str

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:,g} {self.unit}".strip()


def at_most(limit: float, unit: str) -> Bar:
    return Bar("≤", limit, unit)


def at_least(limit: float, unit: str) -> Bar:
    return Bar("≥", limit, unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. floor: the same of the bare part, in the same unit and run; beside: what that part is."""

    what: str
    measured: float
    unit: str
    floor: float | None = None
    beside: str = ""
    bar: Bar | None = None

    def __post_init__(self) -> None:
        if self.bar is not None and self.bar.unit not in (self.unit, RATIO):
            raise ValueError(f"{self.what!r} is measured in {self.unit!r}, its bar in {self.bar.unit!r}")
        if self.bar is not None and self.bar.unit == RATIO != self.unit and self.floor is None:
            raise ValueError(f"{self.what!r} has a bar on its ratio and no floor")

    @property
    def ratio(self) -> float | None:
        """Measure over floor."""
        return self.measured / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.bar is None:
            return None
        value = self.measured if self.bar.unit == self.unit else self.ratio
        if value is None:
            return False
        return value <= self.bar.limit if self.bar.sign == "≤" else value >= self.bar.limit

    def kept(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return asdict(self) | {"bar": self.bar and str(self.bar), "ratio": self.ratio, "met": self.met}


def markdown(benchmarks: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """A table for each benchmark, of rows as they are kept."""
    tables = []
    for name, rows in benchmarks.items():
        lines = [f"### {name}", "", "| what | measured | beside it | ratio | bar | |", "|---|--:|--:|--:|--:|---|"]
        tables.append("\n".join([*lines, *(_line(row) for row in rows)]))
    return "\n\n".join(tables) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    beside = "" if row["floor"] is None else f"{_number(row['floor'])} {row['unit']} ({row['beside']})"
    ratio = "" if row["ratio"] is None else f"{_number(row['ratio'])} ×"
    verdict = {None: "", True: "met", False: "**missed**"}[row["met"]]
    cells = [row["what"], f"{_number(row['measured'])} {row['unit']}".strip(), beside, ratio, row["bar"] or "", verdict]
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
