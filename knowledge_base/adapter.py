"""Folds a PEFT adapter into the model it was trained for. Knows nothing of what the model does."""

import warnings
from pathlib import Path
from typing import Any

from knowledge_base.types import KnowledgeBaseError


def merge_adapter(model: Any, adapter: Path) -> Any:
    """Return the transformers model with the adapter's weights added to its own, so that it runs as fast.

    Raises KnowledgeBaseError, naming the remedy, when the adapter is absent, damaged or of another model.
    """
    from peft import PeftModel

    if not (adapter / "adapter_config.json").is_file():
        raise KnowledgeBaseError(f"the adapter {str(adapter)!r} is missing or incomplete; roll back to another release")
    try:
        with warnings.catch_warnings():  # peft still asks transformers for a name that is on its way out
            warnings.filterwarnings("ignore", ".is_gradient_checkpointing. is deprecated", FutureWarning)
            return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except Exception as error:  # peft raises ValueError, KeyError, RuntimeError and safetensors' own
        raise KnowledgeBaseError(
            f"cannot load the adapter {str(adapter)!r}: {error}; roll back to another release, "
            "or train it anew for this model"
        ) from error
