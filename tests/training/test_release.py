import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bot.calibration import BUILT_IN
from bot.releases import Releases
from bot.types import BotError
from training.examples import TrainingDataError
from training.release import Part, describe, make_release


def run(folder: Path) -> Path:
    (folder / "adapter").mkdir(parents=True)
    save_file({"lora_B": np.ones((2, 2), np.float32)}, folder / "adapter" / "adapter_model.safetensors")
    config = {"lora_alpha": 8, "r": 4, "base_model_name_or_path": "/somewhere"}
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    (folder / "run.json").write_text('{"state": "finished"}')
    return folder


def test_a_release_holds_small_adapters_and_every_hash(tmp_path: Path) -> None:
    make_release(tmp_path / "out" / "r", {"encoder": Part(run(tmp_path / "run"), {"base_sha256": "b"}, 0.5)}, BUILT_IN)
    release = Releases(tmp_path / "out").get("r")
    assert release.encoder.adapter and release.encoder.adapter.base == "b"
    folder = release.encoder.adapter.folder
    assert load_file(folder / "adapter_model.safetensors")["lora_B"].dtype == np.float16
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config == {"lora_alpha": 4.0, "r": 4, "base_model_name_or_path": ""}
    assert set(release.files) == {
        "calibration.json",
        "encoder/adapter_config.json",
        "encoder/adapter_model.safetensors",
        "encoder/run.json",
    }
    (folder / "run.json").write_text("{}")
    with pytest.raises(BotError, match="was altered"):
        Releases(tmp_path / "out").get("r")
    fusion = tmp_path / "out" / "r" / "fusion.json"
    fusion.write_text("{}")
    describe(tmp_path / "out" / "r")
    assert Releases(tmp_path / "out").get("r").fusion == fusion
    assert Releases(tmp_path / "out").get("r").encoder.adapter == release.encoder.adapter


def test_a_run_without_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="let the run finish first"):
        make_release(tmp_path / "r", {"encoder": Part(tmp_path)}, BUILT_IN)


def lora(folder: Path, down: np.ndarray, up: np.ndarray, alpha: float) -> Path:
    run(folder)
    weights = {"x.lora_A.weight": down.astype(np.float32), "x.lora_B.weight": up.astype(np.float32)}
    save_file(weights, folder / "adapter" / "adapter_model.safetensors")
    config = json.dumps({"lora_alpha": alpha, "r": len(down)})
    (folder / "adapter" / "adapter_config.json").write_text(config)
    (folder / "run.json").write_text(json.dumps({"name": folder.name}))
    return folder


def test_of_several_runs_a_release_takes_the_mean_of_their_changes(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)
    down, up = dice.standard_normal((4, 6)), dice.standard_normal((5, 4))
    first = lora(tmp_path / "first", down, up, 8)
    second = lora(tmp_path / "second", down[:2] * 3, up[:, :2], 2)  # of another rank and scale
    make_release(tmp_path / "out" / "r", {"encoder": Part(first, {"base_sha256": "b"}, 0.5, (second,))}, BUILT_IN)
    folder = tmp_path / "out" / "r" / "encoder"
    found = load_file(folder / "adapter_model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / config["r"]
    change = found["x.lora_B.weight"].astype(float) @ found["x.lora_A.weight"].astype(float) * scale
    wanted = (2 * up @ down + 3 * up[:, :2] @ down[:2]) / 2 * 0.5
    np.testing.assert_allclose(change, wanted, atol=0.02)
    names = [json.loads((folder / name).read_text())["name"] for name in ("run.json", "run-2.json")]
    assert names == ["first", "second"]
    assert Releases(tmp_path / "out").get("r").files.keys() >= {"encoder/run.json", "encoder/run-2.json"}
    make_release(tmp_path / "out" / "r", {"encoder": Part(first, {"base_sha256": "b"})}, BUILT_IN)
    assert "encoder/run-2.json" not in Releases(tmp_path / "out").get("r").files  # it tells of no run that is not in it


def test_runs_of_different_layers_have_no_mean(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one"), lora(tmp_path / "other", np.ones((2, 2)), np.ones((2, 2)), 2)
    with pytest.raises(TrainingDataError, match="different layers"):
        make_release(tmp_path / "r", {"encoder": Part(one, others=(other,))}, BUILT_IN)
