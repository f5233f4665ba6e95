"""An encoder as an OpenVINO graph: what serves on a processor, without torch, once it has been converted.

A graph lies in a folder of its own under the models, named after the weights that it was made from, the adapter
merged in. Made on first use; those that served longest ago go.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.adapter import Adapter
from knowledge_base.model_folder import MANIFEST, Recipe, digest, folder_of, prepare, sha256_text
from knowledge_base.reader import unit
from knowledge_base.types import KnowledgeBaseError, Progress, Vectors

_log = logging.getLogger(__name__)

_VERSION = "1"  # raise it when `graph_worker` would write something else than before
_PREFIX = "graph-"
_KEPT = 4  # graphs: what serves, a candidate, and what one may go back to
_BATCH = 16  # texts
_STEP = 8  # texts are padded to a multiple of so many tokens: each new shape costs some milliseconds once
_MODELS = ("bert", "roberta", "xlm-roberta")
_ROOT = Path(__file__).parent.parent
_MODULES = ("Transformer", "Pooling", "Normalize")


def graph_folder(models: Path, folder_or_name: str, adapter: Adapter | None = None) -> Path | None:
    """The folder of the model's graph under `models`, made on first use; None where it is no model that we convert.

    Raises KnowledgeBaseError, naming the remedy, when model, adapter or folder is damaged or nothing can be written.
    """
    source = folder_of(folder_or_name)
    if not is_convertible(source):
        return None
    parts = [digest(folder) for folder in (source, *([adapter.folder] if adapter else []))]
    name = _PREFIX + sha256_text("\n".join(parts))[:16]

    def convert(folder: Path, told: Progress) -> None:
        _convert(folder_or_name, adapter, folder)
        told(1, 1)

    known = (models / name).exists()
    folder = prepare(models, Recipe(name, _VERSION, (), convert))
    os.utime(folder)
    if not known:
        _forget(models)
    return folder


def is_convertible(folder: Path) -> bool:
    """Whether a sentence-transformers folder is a BERT whose tokens are averaged, and nothing else."""
    try:
        modules = [str(one["type"]).rsplit(".", 1)[-1] for one in _json(folder / "modules.json")]
        paths = [str(one["path"]) for one in _json(folder / "modules.json")]
        kind = _json(folder / "config.json")["model_type"]
        pooling = _json(folder / paths[1] / "config.json")
    except (OSError, ValueError, LookupError, TypeError):
        return False
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value}
    mean = pooling.get("pooling_mode") == "mean" or modes == {"pooling_mode_mean_tokens"}
    plain = modules in (list(_MODULES), list(_MODULES[:2])) and paths[0] == ""
    return plain and kind in _MODELS and mean and pooling.get("include_prompt", True) is True


class GraphReader:
    """A `Reader` (see `reader`) on a graph's folder, on the processor, in the precision that it computes quickest."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        told = _json(folder / "reader.json")
        self.dimension = int(told["dimension"])
        self.max_tokens = int(told["max_tokens"])
        self.prompts: dict[str, str] = dict(told["prompts"])
        self.precision = str(told["precision"])
        self._padding = int(told["padding"])
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        settings = {"PERFORMANCE_HINT": "LATENCY"}
        compiled = open_openvino().Core().compile_model(folder / "graph.xml", "CPU", settings)
        self._request: Any = compiled.create_infer_request()
        _log.info("encoder %s on OpenVINO", folder.name)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(one.ids) for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, tokens in self._hidden(texts, prefix, self.max_tokens):
            vectors[row] = tokens.mean(axis=0)
        return unit(vectors)

    def read(self, texts: Sequence[str], prefix: str, longest: int) -> list[Vectors]:
        found: dict[int, Vectors] = {}
        for row, tokens in self._hidden(texts, prefix, longest):
            found[row] = unit(np.concatenate([tokens.mean(axis=0, keepdims=True), tokens[:-1]]))
        return [found[row] for row in range(len(texts))]

    def _hidden(self, texts: Sequence[str], prefix: str, longest: int) -> Iterator[tuple[int, Vectors]]:
        """Each text's number and its tokens' vectors, marks included; longest first, for even batches."""
        encoded = self._tokenizer.encode_batch([prefix + text for text in texts])
        ids = [one.ids if len(one.ids) <= longest else one.ids[: longest - 1] + one.ids[-1:] for one in encoded]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            hidden = self._run([ids[row] for row in rows])
            for row, vectors in zip(rows, hidden, strict=True):
                yield row, np.asarray(vectors[: len(ids[row])], np.float32)

    def _run(self, batch: list[list[int]]) -> NDArray[Any]:
        """The graph's last layer, [texts, tokens, dimension]."""
        width = min(-(-max(map(len, batch)) // _STEP) * _STEP, self.max_tokens)
        ids = np.full((len(batch), width), self._padding, np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for row, own in enumerate(batch):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        self._request.infer({"input_ids": ids, "attention_mask": mask})
        return np.asarray(self._request.get_output_tensor(0).data)


def _convert(folder_or_name: str, adapter: Adapter | None, folder: Path) -> None:
    """In a process of its own, which takes the memory of torch away with it."""
    base, path = (adapter.base, str(adapter.folder.absolute())) if adapter else ("", "")
    model = str(Path(folder_or_name).absolute()) if Path(folder_or_name).is_dir() else folder_or_name
    wish = {"model": model, "adapter": path, "base": base, "folder": str(folder.absolute()), "parent": os.getpid()}
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-m", "knowledge_base.graph_worker", json.dumps(wish)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    if done.returncode == 1 and done.stdout:
        raise KnowledgeBaseError(done.stdout)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise KnowledgeBaseError(
            f"the encoder {folder_or_name!r} could not be converted for this processor: {why}; "
            "free 2 GB of memory and start again, or set KEFU_DEVICE or KEFU_ENCODER to something else"
        )


def open_openvino() -> Any:
    """OpenVINO, without the package by which it would tell its makers that it is used."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _forget(models: Path) -> None:
    """Remove the graphs that served longest ago; one that is still open elsewhere stays readable there."""
    folders = [path.parent for path in models.glob(f"{_PREFIX}*/{MANIFEST}")]
    for folder in sorted(folders, key=lambda path: -path.stat().st_mtime)[_KEPT:]:
        _log.info("removing %s, which served longest ago", folder)
        shutil.rmtree(folder)


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf8"))
