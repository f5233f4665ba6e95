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
    assert "rollback (before: mine)" in run(data, "releases")


def test_what_cannot_be_promoted_or_rolled_back_is_said(data: Path) -> None:
    for arguments, reason in ((["promote", "other"], "no release 'other'"), (["rollback"], "no release before")):
        done = CliRunner().invoke(main, [*arguments, "--data", str(data)])
        assert done.exit_code != 0 and reason in done.output
    assert Releases(data / "releases").current().name == "default"
