"""Puts a release together: adapters made small, calibration, and release.json with the hash of every file.

Knows no score: whether a release is good enough is for its reader to judge, from its card and `kefu evaluate`.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from training.examples import TrainingDataError

_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A trained adapter of a release. `described`: what release.json says of it, such as base and base_sha256.

    scale: how much of the change is taken, 0..1; less than 1 keeps more of what the base model could do.
    """

    run: Path
    described: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0


def make_release(folder: Path, parts: Mapping[str, Part], calibration: Path) -> None:
    """Write into `folder`, which may hold an older release; files of that which are not replaced stay.

    parts: by name in release.json ("encoder", "generator", …), each from a finished run's folder. Raises
    TrainingDataError when a run has no adapter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {}
    for name, part in parts.items():
        shrink(part.run / "adapter", folder / name, part.scale)
        shutil.copyfile(part.run / "run.json", folder / name / "run.json")
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


def shrink(adapter: Path, out: Path, scale: float) -> None:
    """Copy a PEFT adapter in half precision, its change to the model multiplied by `scale`."""
    if not (adapter / _WEIGHTS).is_file():
        raise TrainingDataError(f"{adapter} holds no adapter; let the run finish first")
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((adapter / _CONFIG).read_text("utf8"))
    config["lora_alpha"] = config["lora_alpha"] * scale
    config["base_model_name_or_path"] = ""  # a path of the machine it was trained on
    (out / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf8")
    save_file({name: tensor.half() for name, tensor in load_file(adapter / _WEIGHTS).items()}, out / _WEIGHTS)
