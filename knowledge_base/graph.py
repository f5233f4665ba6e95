"""An encoder as an OpenVINO graph: what serves on a processor, without torch, once it has been converted.

A graph lies in a folder of its own under the models, named after the weights that it was made from, the adapter
merged in. Made on first use; those that served longest ago go.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.adapter import Adapter
from knowledge_base.graph_folder import Kind, graph_of, in_own_process, open_openvino
from knowledge_base.model_folder import folder_of
from knowledge_base.reader import unit
from knowledge_base.types import KnowledgeBaseError, Vectors

_log = logging.getLogger(__name__)

_KIND = Kind("graph-", "1", 4)
_STEP = 8  # texts are padded to a multiple of so many tokens: each new shape costs some milliseconds once
_MODELS = ("bert", "roberta", "xlm-roberta")
_MODULES = ("Transformer", "Pooling", "Normalize")


def graph_folder(models: Path, folder_or_name: str, adapter: Adapter | None = None) -> Path | None:
    """The folder of the model's graph under `models`, made on first use; None where it is no model that we convert.

    Nor is one converted that is not here yet: sentence-transformers fetches it, and the next start converts it.
    Raises KnowledgeBaseError, naming the remedy, when model, adapter or folder is damaged or nothing can be written.
    """
    try:
        source = folder_of(folder_or_name)
    except (OSError, ValueError):  # neither a folder nor in the hub's cache
        return None
    if not is_convertible(source):
        return None
    weights = [source, *([adapter.folder] if adapter else [])]
    return graph_of(models, _KIND, weights, lambda folder: _convert(folder_or_name, adapter, folder))


def is_convertible(folder: Path) -> bool:
    """Whether a sentence-transformers folder is a BERT whose tokens are averaged, and nothing else."""
    try:
        parts = _json(folder / "modules.json")
        modules = [str(one["type"]).rsplit(".", 1)[-1] for one in parts]
        paths = [str(one["path"]) for one in parts]
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

    batch = 16

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
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
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
    why = in_own_process("knowledge_base.graph_worker", folder_or_name, adapter, folder)
    if why:
        raise KnowledgeBaseError(
            f"the encoder {folder_or_name!r} could not be converted for this processor: {why}; "
            "free 2 GB of memory and start again, or set KEFU_DEVICE or KEFU_ENCODER to something else"
        )


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf8"))
