"""Rows of the benchmarks: ratios, bars, the table, and what is kept of a run that was stopped."""

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.report import Report
from benchmarks.rows import RATIO, Row, at_least, at_most, markdown
from benchmarks.work import Work


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (Row("a", 3.0, "ms"), None, None),
        (Row("a", 3.0, "ms", 2.0, "b"), 1.5, None),
        (Row("a", 3.0, "ms", 2.0, "b", at_most(1.5, RATIO)), 1.5, True),
        (Row("a", 3.1, "ms", 2.0, "b", at_most(1.5, RATIO)), 1.55, False),
        (Row("a", 3.0, "ms", 2.0, "b", at_most(3, "ms")), 1.5, True),
        (Row("a", 3.0, "1/s", 2.0, "b", at_least(2, RATIO)), 1.5, False),
        (Row("a", 0.99, "", bar=at_least(0.98, "")), None, True),
        (Row("a", 3.0, "ms", 0.0, "b", at_most(2, RATIO)), None, False),
    ],
)
def test_a_bar_is_on_the_ratio_or_on_the_measure(row: Row, ratio: float | None, met: bool | None) -> None:
    assert row.ratio == ratio and row.met is met


def test_a_bar_in_another_unit_or_without_a_floor_is_refused() -> None:
    with pytest.raises(ValueError, match="its bar in 's'"):
        Row("a", 3.0, "ms", bar=at_most(1, "s"))
    with pytest.raises(ValueError, match="no floor"):
        Row("a", 3.0, "ms", bar=at_most(1, RATIO))


def test_the_table_tells_what_is_missed() -> None:
    kept = [
        Row("search", 1234.5, "ms", 1000.0, "bare", at_most(1.2, RATIO)).kept(),
        Row("recall", 0.991, "", bar=at_least(0.98, "")).kept(),
    ]
    lines = markdown({"search": kept}).splitlines()
    assert lines[0] == "### search"
    assert lines[4] == "| search | 1,234 ms | 1,000 ms (bare) | 1.23 × | ≤ 1.2 × | **missed** |"
    assert lines[5] == "| recall | 0.991 |  |  | ≥ 0.98 | met |"


def test_what_is_measured_of_the_same_code_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out" / "bench.json"
    Report(path, "one").add("search", [Row("a", 1.0, "ms")], 2.0)
    assert json.loads(path.read_text("utf8"))["benchmarks"]["search"]["rows"][0]["what"] == "a"
    again = Report(path, "one")
    again.add("answers", [], 1.0)
    assert again.has("search") and again.has("answers") and not again.has("growth")
    assert list(again.rows(["answers", "search"])) == ["search"]  # in the order asked for, without empty ones
    assert not Report(path, "two").has("search") and not Report(path, "").has("search")


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def works(work: Work) -> list[Row]:
        ran.append("works")
        return [Row("a", 1.0, "ms")]

    def stops(work: Work) -> list[Row]:
        ran.append("stops")
        if ran.count("stops") == 1:
            raise KeyboardInterrupt
        return []

    monkeypatch.setattr(command, "BENCHMARKS", {"works": works, "stops": stops})
    monkeypatch.setattr(command, "OUT", tmp_path)
    monkeypatch.setattr(command, "code_state", lambda: "one")
    monkeypatch.setenv("KEFU_DATA", str(tmp_path / "data"))
    with pytest.raises(KeyboardInterrupt):
        command.main([])
    command.main([])
    assert ran == ["works", "stops", "stops"]
    command.main(["works"])
    command.main(["--fresh"])
    assert ran[3:] == ["works", "works", "stops"]
