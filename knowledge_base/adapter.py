"""Folds a PEFT adapter into the model it was trained for. Knows nothing of what the model does."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.model_folder import digest, folder_of
from knowledge_base.types import KnowledgeBaseError


@dataclass(frozen=True, slots=True)
class Adapter:
    """A PEFT folder. `base`: the digest of the model that it was trained for; empty: not checked."""

    folder: Path
    base: str = ""


def merge_adapter(model: Any, adapter: Adapter, folder_or_name: str) -> Any:
    """Return the transformers model with the adapter's weights added to its own, so that it runs as fast.

    folder_or_name: where the model was loaded from. Raises KnowledgeBaseError, naming the remedy, when the
    adapter is absent, damaged or of another model.
    """
    from peft import PeftModel

    name = str(adapter.folder)
    if not (adapter.folder / "adapter_config.json").is_file():
        raise KnowledgeBaseError(f"the adapter {name!r} is missing or incomplete; roll back to another release")
    if adapter.base and adapter.base != digest(folder_of(folder_or_name)):
        raise KnowledgeBaseError(
            f"the adapter {name!r} was trained for another model than {folder_or_name!r}; name the model that it "
            "was trained for, roll back to another release, or train it anew for this one"
        )
    try:
        with warnings.catch_warnings():  # peft still asks transformers for a name that is on its way out
            warnings.filterwarnings("ignore", ".is_gradient_checkpointing. is deprecated", FutureWarning)
            return PeftModel.from_pretrained(model, name).merge_and_unload()
    except Exception as error:  # peft raises ValueError, KeyError, RuntimeError and safetensors' own
        raise KnowledgeBaseError(
            f"cannot load the adapter {name!r}: {error}; roll back to another release, or train it anew for this model"
        ) from error
