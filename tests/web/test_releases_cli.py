"""`kefu releases`, `promote` and `rollback` on a folder of small releases."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import bot.assemble
from bot.calibration import BUILT_IN
from bot.releases import Releases
from web.cli import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "releases" / "mine"
    folder.mkdir(parents=True)
    (folder / "calibration.json").write_bytes(BUILT_IN.read_bytes())
    files = {"calibration.json": hashlib.sha256(BUILT_IN.read_bytes()).hexdigest()}
    (folder / "release.json").write_text(json.dumps({"calibration": "calibration.json", "files": files}))
    return tmp_path


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--data", str(data)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_release_is_promoted_only_once_its_encoder_has_read_everything(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def opened(settings, release, progress):
        seen.append((release.name, Releases(data / "releases").current().name))
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(bot.assemble, "open_knowledge", opened)
    assert "● default" in run(data, "releases") and "mine  calibration only" in run(data, "releases")
    assert run(data, "promote", "mine", "--why", "better in Chinese") == "mine serves\n"
    assert seen == [("mine", "default")]
    told = [json.loads(line) for line in run(data, "releases", "--json").splitlines()]
    assert [one["name"] for one in told if one["serving"]] == ["mine"]
    assert told[1]["story"][0]["why"] == "better in Chinese"
    assert run(data, "rollback") == "default serves again\n"
    assert "rolled back to default (before: mine)" in run(data, "releases")


def test_a_share_tries_a_release_and_the_story_tells_of_every_one(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.assemble, "open_knowledge", lambda *_: SimpleNamespace(close=lambda: None))
    counts = {"hash": "0123456789abcdef", "train": 200, "fit": 60}
    judged = {"made": "2026-11-28T03:00:00+00:00", "passed": True, "current": "default", "dataset": counts}
    kept = data / "releases" / "mine" / "judgement.json"
    kept.write_text(json.dumps(judged | {"changed": {"better": 12, "worse": 3}, "checks": []}))
    assert "10% of the conversations try mine; default serves the others" in run(
        data, "promote", "mine", "--share", "0.1"
    )
    assert "tried by 10% of the conversations" in run(data, "releases")
    assert json.loads(run(data, "releases", "--json").splitlines()[1])["trial"] == 0.1
    assert run(data, "rollback", "--why", "enough seen") == "the trial of mine has ended; default serves\n"
    known = Releases(data / "releases")
    known.promote("mine")
    share = {"count": 30, "of": 50}
    found = {"figure": "abstained", "language": "zh", "now": share, "before": share, "limit": 0.05}
    known.rollback("the watch", found=found)
    told = run(data, "releases")
    for said in (
        "made from 200 examples to train with, 60 to fit thresholds (0123456789ab); passed against default: "
        "12 answers better, 3 worse",
        "tried by a share of the conversations (beside: default)",
        "trial of mine ended (beside: default)  enough seen",
        "mine promoted (before: default)",
        "the watch: conversations abstained, zh: 30 of 50, before 30 of 50; limit +5%",
    ):
        assert said in told, told


def test_what_cannot_be_promoted_or_rolled_back_is_said(data: Path) -> None:
    for arguments, reason in ((["promote", "other"], "no release 'other'"), (["rollback"], "no release before")):
        done = CliRunner().invoke(main, [*arguments, "--data", str(data)])
        assert done.exit_code != 0 and reason in done.output
    assert Releases(data / "releases").current().name == "default"
