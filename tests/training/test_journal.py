"""The notes of a round: how long a step has still to go, from its first note on."""

import json
from pathlib import Path

import pytest

from training.journal import Journal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed, in one item that a test may change."""
    passed = [0.0]
    monkeypatch.setattr("training.journal.time.monotonic", lambda: passed[0])
    return passed


def left(folder: Path) -> list[int | None]:
    return [json.loads(line)["seconds_left"] for line in (folder / "progress.jsonl").read_text("utf8").splitlines()]


def test_the_time_left_is_told_from_the_first_note_on(tmp_path: Path, clock: list[float]) -> None:
    note = Journal(tmp_path, {}).watch("encoder")
    for clock[0], done in ((20, 10), (40, 20), (200, 100)):
        note(done, 100, 0.5)
    assert left(tmp_path) == [None, 180, 160, 0]


def test_each_thing_of_a_step_has_its_own_time(tmp_path: Path, clock: list[float]) -> None:
    note = Journal(tmp_path, {}).watch("judge")
    note(0, 10)
    for clock[0], done, total in ((100, 10, 10), (130, 1, 4), (160, 2, 4)):
        note(done, total)
    assert left(tmp_path) == [None, None, 0, 90, 60]
