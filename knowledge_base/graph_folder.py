"""Makes the folders in which OpenVINO graphs lie: each once, by a program of its own, and few of them.

Knows nothing of what a graph computes.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.adapter import Adapter
from knowledge_base.model_folder import MANIFEST, Recipe, digest, prepare, sha256_text
from knowledge_base.types import KnowledgeBaseError, Progress

_log = logging.getLogger(__name__)

_NICE = 10  # a server may answer customers meanwhile
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Kind:
    """Graphs of one kind. Raise `version` when the program would write something else than before."""

    prefix: str  # of the folders' names
    version: str
    kept: int  # folders: what serves, a candidate, and what one may go back to


def graph_of(models: Path, kind: Kind, weights: list[Path], convert: Callable[[Path], None]) -> Path:
    """The folder named after the weights, converted on first use; those that served longest ago go then.

    Raises KnowledgeBaseError, naming the remedy, when it is damaged or nothing can be written.
    """

    def make(folder: Path, told: Progress) -> None:
        convert(folder)
        told(1, 1)

    name = kind.prefix + sha256_text("\n".join(digest(folder) for folder in weights))[:16]
    known = (models / name).exists()
    folder = prepare(models, Recipe(name, kind.version, (), make))
    os.utime(folder)
    if not known:
        _forget(models, kind)
    return folder


def in_own_process(program: str, folder_or_name: str, adapter: Adapter | None, folder: Path) -> str:
    """Have the module `program` convert the model into the folder: torch's memory goes with the process.

    Returns why it fell over, "" when it did not. Raises KnowledgeBaseError with what it said to the operator.
    """
    base, path = (adapter.base, str(adapter.folder.absolute())) if adapter else ("", "")
    model = str(Path(folder_or_name).absolute()) if Path(folder_or_name).is_dir() else folder_or_name
    wish = {"model": model, "adapter": path, "base": base, "folder": str(folder.absolute()), "parent": os.getpid()}
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-m", program, json.dumps(wish)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    if done.returncode == 1 and done.stdout:
        raise KnowledgeBaseError(done.stdout)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def as_own_process(asked: str, convert: Callable[[str, Adapter | None], Callable[[Path], None]]) -> int:
    """What such a program does with what `in_own_process` asks; its exit status.

    convert: loads and converts the model, and gives what writes it into a folder; what it raises as KnowledgeBaseError
    is said to the operator.
    """
    wish = json.loads(asked)
    os.nice(_NICE)
    warnings.simplefilter("ignore")  # tracing's: what depends on a text's length goes through tensors
    try:
        write = convert(wish["model"], Adapter(Path(wish["adapter"]), wish["base"]) if wish["adapter"] else None)
    except KnowledgeBaseError as error:
        sys.stdout.write(str(error))
        return 1
    if os.getppid() != wish["parent"]:  # killed meanwhile: its folder may be another's by now
        return 2
    write(Path(wish["folder"]))
    return 0


def open_openvino() -> Any:
    """OpenVINO, without the package by which it would tell its makers that it is used."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _forget(models: Path, kind: Kind) -> None:
    """Remove the graphs that served longest ago; one that is still open elsewhere stays readable there."""
    folders = [path.parent for path in models.glob(f"{kind.prefix}*/{MANIFEST}")]
    for folder in sorted(folders, key=lambda path: -path.stat().st_mtime)[kind.kept :]:
        _log.info("removing %s, which served longest ago", folder)
        shutil.rmtree(folder)
