"""A generator as an OpenVINO graph with eight-bit weights: what writes on a processor, once it has been converted.

A graph lies in a folder of its own under the models, named after the weights that it was made from, the adapter
merged in. Made on first use; those that served longest ago go. Knows nothing of how it is run.
"""

import json
from pathlib import Path
from typing import Any

from knowledge_base.adapter import Adapter
from knowledge_base.graph_folder import Kind, graph_of, in_own_process
from knowledge_base.types import KnowledgeBaseError

_KIND = Kind("generator-graph-", "1", 3)
_FAMILIES = ("gemma3_text", "llama", "qwen2", "qwen3")
_ROPES = ("default", "linear", "llama3")  # those whose angles depend on nothing but a token's position
_UNKNOWN = ("quantization_config", "final_logit_softcapping", "attn_logit_softcapping", "use_bidirectional_attention")
_LARGEST = 2_500_000_000  # bytes of weights: the conversion takes two to three times that in memory
_FILES = ["*.json", "*.jinja", "*.safetensors", "*.model", "*.txt"]


def generator_folder(models: Path, folder_or_name: str, adapter: Adapter | None = None) -> Path | None:
    """The folder of the model's graph under `models`, made on first use; None where it is no model that we convert.

    Raises KnowledgeBaseError, naming the remedy, when model, adapter or folder is damaged or nothing can be written.
    """
    source = _source(folder_or_name)
    if source is None or not is_convertible(source):
        return None

    def convert(folder: Path) -> None:
        why = in_own_process("bot.generator_worker", str(source), adapter, folder)
        if why:
            raise KnowledgeBaseError(
                f"the generator {folder_or_name!r} could not be converted for this processor: {why}; "
                "free 4 GB of memory and start again, or set KEFU_DEVICE or KEFU_GENERATOR to something else"
            )

    if adapter and not (adapter.folder / "adapter_config.json").is_file():
        return None  # transformers' engine says in words what is wrong with it
    return graph_of(models, _KIND, [source, *([adapter.folder] if adapter else [])], convert)


def is_convertible(folder: Path) -> bool:
    """Whether a transformers folder is a decoder of a family that we know, not too large, and without extras."""
    try:
        config = json.loads((folder / "config.json").read_text("utf8"))
        family = config["model_type"]
        ropes = _ropes(config)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    plain = family in _FAMILIES and ropes <= set(_ROPES) and not any(config.get(name) for name in _UNKNOWN)
    return plain and 0 < size <= _LARGEST


def _ropes(config: Any) -> set[str]:
    """How positions are told, for all layers or for each type of them."""
    told = config.get("rope_parameters") or config.get("rope_scaling") or {}
    each = [one for one in told.values() if isinstance(one, dict)] or [told]
    return {one.get("rope_type") or one.get("type") or "default" for one in each}


def _source(folder_or_name: str) -> Path | None:
    """The model's files, fetched where they are not there yet; None where they cannot be had."""
    from huggingface_hub import snapshot_download

    if Path(folder_or_name).is_dir():
        return Path(folder_or_name)
    try:
        return Path(snapshot_download(folder_or_name, allow_patterns=_FILES))
    except Exception:  # no name, no network, no such model: transformers' engine says it in words
        return None
