"""`kefu dataset`: from a logged conversation to training files, with nothing but the data folder."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.examples import Examples
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import Message
from knowledge_base.database import migrate, open_database
from web.cli import main


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, ["dataset", *arguments, "--data", str(data)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_from_the_log_to_a_dataset(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    log = ConversationLog(engine)
    id = log.open().id
    log.ask(id, Message("1", "customer", "会员M1234可以退卡吗？", datetime.now(UTC)))
    log.ask(id, Message("2", "staff", "可以，三天内到账。", datetime.now(UTC)))
    assert "1 staff; 1 new. Masked: 1 custom." in run(tmp_path, "collect", "--mask", r"M\d{4}")
    assert json.loads(run(tmp_path, "collect", "--json"))["added"] == 1, "masked otherwise, so another example"
    out = tmp_path / "set"
    refused = CliRunner().invoke(main, ["dataset", "build", "--out", str(out), "--data", str(tmp_path)])
    assert refused.exit_code != 0 and "no approved example" in refused.output
    examples = Examples(engine)
    for example in examples.page()[0]:
        examples.decide(example.id, "approved" if "已隐去" in example.question else "rejected", "An")
    assert "calibration: too few yet" in run(tmp_path, "build", "--out", str(out))
    assert json.loads((out / "dataset.json").read_text())["languages"] == {"zh": 1}
    engine.dispose()


def test_what_the_settings_mask_is_masked_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    log = ConversationLog(engine)
    id = log.open().id
    log.ask(id, Message("1", "customer", "会员M1234拨400-820-8820没人接", datetime.now(UTC)))
    log.ask(id, Message("2", "staff", "已为您处理。", datetime.now(UTC)))
    monkeypatch.setenv("KEFU_MASK", '["M\\\\d{4}"]')
    monkeypatch.setenv("KEFU_PUBLIC", '["400-820-8820"]')
    assert "Masked: 1 custom." in run(tmp_path, "collect")
    monkeypatch.setenv("KEFU_MASK", '["("]')
    done = CliRunner().invoke(main, ["dataset", "collect", "--data", str(tmp_path)])
    assert done.exit_code != 0 and "mend KEFU_MASK" in str(done.output) + str(done.exception)
    engine.dispose()


def test_a_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["dataset", "collect", "--mask", "(", "--data", str(tmp_path)])
    assert done.exit_code != 0 and "no regular expression" in done.output
