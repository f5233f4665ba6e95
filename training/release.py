"""Puts a release together: adapters made small, calibration, and release.json with the hash of every file.

Knows no score: whether a release is good enough is for its reader to judge, from its card and `kefu evaluate`.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from training.examples import TrainingDataError
from training.soup import Adapter, mean

_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A trained adapter of a release. `described`: what release.json says of it, such as base and base_sha256.

    scale: how much of the change is taken, 0..1; less than 1 keeps more of what the base model could do.
    others: finished runs whose mean with the first is taken.
    """

    run: Path
    described: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    others: tuple[Path, ...] = ()


def make_release(folder: Path, parts: Mapping[str, Part], calibration: Path) -> None:
    """Write into `folder`, which may hold an older release; files of that which are not replaced stay.

    parts: by name in release.json ("encoder", "generator", …), each from a finished run's folder. Raises
    TrainingDataError when a run has no adapter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {}
    for name, part in parts.items():
        runs = [part.run, *part.others]
        shrink([run / "adapter" for run in runs], folder / name, part.scale)
        for old in (folder / name).glob("run-*.json"):  # of runs that an older release was the mean of
            old.unlink()
        for number, run in enumerate(runs, 1):
            shutil.copyfile(run / "run.json", folder / name / ("run.json" if number == 1 else f"run-{number}.json"))
        described[name] = {"adapter": name, **part.described}
    if calibration != folder / "calibration.json":
        shutil.copyfile(calibration, folder / "calibration.json")
    describe(folder, described)


def describe(folder: Path, models: Mapping[str, Any] | None = None) -> None:
    """Write release.json: what `models` says, else what it said before, with the hashes of the files as they are."""
    path = folder / "release.json"
    before = json.loads(path.read_text("utf8")) if path.exists() else {}
    content = {**before, **(models or {}), "calibration": "calibration.json"}
    if (folder / "fusion.json").exists():
        content["fusion"] = "fusion.json"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p != path)
    content["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    draft = folder / ".release.json"
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
    draft.replace(path)


def shrink(adapters: Sequence[Path], out: Path, scale: float) -> None:
    """Write the mean of PEFT adapters in half precision, its change to the model multiplied by `scale`."""
    read = [_read(adapter) for adapter in adapters]
    out.mkdir(parents=True, exist_ok=True)
    config = read[0].config | {"base_model_name_or_path": ""}  # a path of the machine it was trained on
    config["lora_alpha"] = config["lora_alpha"] * scale
    (out / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf8")
    weights = mean(read) if len(read) > 1 else read[0].weights
    save_file({name: tensor.half() for name, tensor in weights.items()}, out / _WEIGHTS)


def _read(adapter: Path) -> Adapter:
    if not (adapter / _WEIGHTS).is_file():
        raise TrainingDataError(f"{adapter} holds no adapter; let the run finish first")
    return Adapter(json.loads((adapter / _CONFIG).read_text("utf8")), load_file(adapter / _WEIGHTS))
