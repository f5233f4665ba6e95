"""The folder of one training run: what made it, its checkpoints, whether it is the one to go on with.

A run that was interrupted goes on from its last checkpoint when it is started again with the same settings and
data in the same folder. Knows nothing of models.
"""

import hashlib
import json
import os
import platform
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from knowledge_base.device import choose_device
from training.examples import TrainingDataError
from training.journal import Watch

_FILE = "run.json"
_PACKAGES = ("torch", "transformers", "sentence-transformers", "peft", "datasets")


@dataclass(slots=True)
class TrainingRun:
    """One run in `folder`. `made_by` identifies it: trainer, settings, seed, base model, data by SHA-256."""

    folder: Path
    made_by: Mapping[str, Any]
    result: dict[str, Any] = field(default_factory=dict)

    def open(self) -> Path | None:
        """Make the folder; returns the last checkpoint of an interrupted run of the same identity, if any.

        Raises TrainingDataError when the folder holds another run: nothing is overwritten.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _FILE
        wanted = json.loads(json.dumps(dict(self.made_by)))
        if path.exists():
            held = json.loads(path.read_text("utf8")).get("made_by")
            if held != wanted:
                differing = sorted(k for k in {*held, *wanted} if held.get(k) != wanted.get(k))
                raise TrainingDataError(
                    f"{self.folder} holds another run (differing: {', '.join(differing)}); choose another folder"
                )
        self._write("running")
        return last_checkpoint(self.folder / "checkpoints")

    def finish(self, **result: Any) -> None:
        """Write down what came out of it."""
        self.result |= result
        self._write("finished")

    def _write(self, state: str) -> None:
        content = {
            "state": state,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": " ".join(["python", "-m", "training", *sys.argv[1:]]),
            "made_by": dict(self.made_by),
            "machine": {"python": platform.python_version(), "cores": os.cpu_count()}
            | {package: version(package) for package in _PACKAGES},
            "result": self.result,
        }
        draft = self.folder / f".{_FILE}"
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
        draft.replace(self.folder / _FILE)


def begin(
    trainer: str, base: Path, files: Sequence[Path], out: Path, settings: Any
) -> tuple[TrainingRun, Path | None, random.Random]:
    """Open the run that these values identify and seed everything: the run, its last checkpoint, a generator.

    settings: a dataclass with a `seed`. Raises TrainingDataError when `out` holds another run.
    """
    run = TrainingRun(out, {"trainer": trainer, "base": base.name, "data": hashes(files), "settings": asdict(settings)})
    return run, run.open(), seed_everything(settings.seed)


def trainer_options(out: Path, settings: Any, steps: int) -> dict[str, Any]:
    """What the trainers' arguments have in common: device, schedule, and `evaluations` checkpoints in `steps`.

    The best of them is kept in the end.
    """
    every = max(1, steps // settings.evaluations)
    return {
        "output_dir": str(out / "checkpoints"),
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "cosine",
        "use_cpu": choose_device() == "cpu",
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "report_to": [],
        "seed": settings.seed,
    }


def watched(trainer: Any, watch: Watch | None) -> Any:
    """The same transformers Trainer; it tells its steps and its loss as it goes."""
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if watch:
                watch(state.global_step, state.max_steps, (logs or {}).get("loss"))

    trainer.add_callback(Telling())
    return trainer


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; one that was interrupted while it was written has no trainer_state.json."""
    found = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def hashes(files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of each file by its name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def seed_everything(seed: int) -> random.Random:
    """Seed PyTorch, NumPy and Python; returns a generator for what is drawn in Python."""
    from transformers import set_seed

    set_seed(seed)
    return random.Random(seed)
