import json
from pathlib import Path

import pytest

from training.examples import TrainingDataError
from training.run import TrainingRun, hashes, last_checkpoint, seed_everything


def test_a_run_writes_what_made_it_and_what_came_out(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "r", {"trainer": "t", "settings": {"seed": 1}})
    assert run.open() is None
    assert json.loads((tmp_path / "r" / "run.json").read_text())["state"] == "running"
    run.finish(loss=0.5)
    written = json.loads((tmp_path / "r" / "run.json").read_text())
    assert (written["state"], written["result"]) == ("finished", {"loss": 0.5})
    assert written["made_by"] == {"trainer": "t", "settings": {"seed": 1}} and written["machine"]["torch"]


def test_another_run_in_the_folder_is_refused_and_kept(tmp_path: Path) -> None:
    TrainingRun(tmp_path, {"trainer": "t", "seed": 1}).open()
    with pytest.raises(TrainingDataError, match=r"another run \(differing: seed\); choose another folder"):
        TrainingRun(tmp_path, {"trainer": "t", "seed": 2}).open()
    assert TrainingRun(tmp_path, {"trainer": "t", "seed": 1}).open() is None


def test_the_newest_whole_checkpoint_is_gone_on_with(tmp_path: Path) -> None:
    for step, whole in ((2, True), (10, True), (12, False)):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if whole:
            (folder / "trainer_state.json").write_text("{}")
    assert last_checkpoint(tmp_path / "checkpoints") == tmp_path / "checkpoints" / "checkpoint-10"
    assert TrainingRun(tmp_path, {}).open() == tmp_path / "checkpoints" / "checkpoint-10"


def test_data_is_named_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("x")
    assert hashes([tmp_path / "a.jsonl"])["a.jsonl"].startswith("2d711642b726b044")


def test_the_same_seed_draws_the_same() -> None:
    assert seed_everything(3).random() == seed_everything(3).random()
