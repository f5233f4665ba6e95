"""Runs an encoder's transformer over texts: the vector of each text, and of its first tokens. Knows no search.

Two can: the OpenVINO graph of `graph`, which serves on a processor, and sentence-transformers itself, which takes
every model and every device.
"""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import encoder_dtype
from knowledge_base.types import KnowledgeBaseError, Vectors

_log = logging.getLogger(__name__)


class Reader(Protocol):
    """One call at a time. Texts are well-formed; `prefix` is put before each."""

    dimension: int
    max_tokens: int
    prompts: dict[str, str]  # the model's own prefixes, by what they are for
    precision: str  # of the weights that it computes from
    batch: int  # texts that it reads at once

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without begin and end marks."""
        ...

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        """The unit vector of each text, one row each."""
        ...

    def read(self, texts: Sequence[str], prefix: str, longest: int) -> list[Vectors]:
        """Of each text the vector of the whole, then those of its tokens but for the end mark: unit rows.

        longest: tokens, marks included, that the model sees of a text.
        """
        ...


class TorchReader:
    """A `Reader` on sentence-transformers."""

    def __init__(self, folder_or_name: str, device: str, adapter: Adapter | None = None) -> None:
        """device: a torch device's name. Raises KnowledgeBaseError, naming the remedy, when it cannot be loaded."""
        self.model = load(folder_or_name, device, adapter)
        self.dimension: int = self.model.get_embedding_dimension()
        self.max_tokens: int = self.model.max_seq_length or 512
        self.prompts: dict[str, str] = self.model.prompts
        self.precision = str(self.model.dtype)
        self.batch = 256 if device.startswith("cuda") else 16

    def count(self, texts: Sequence[str]) -> list[int]:
        encoded = self.model.tokenizer(
            list(texts),
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        )
        return [len(ids) for ids in encoded["input_ids"]]

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        vectors = self.model.encode(
            list(texts),
            prompt=prefix,
            batch_size=self.batch,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)

    def read(self, texts: Sequence[str], prefix: str, longest: int) -> list[Vectors]:
        found = self.model.encode(
            list(texts),
            prompt=prefix,
            batch_size=self.batch,
            output_value=None,
            processing_kwargs={"text": {"max_length": longest, "truncation": True}},
            show_progress_bar=False,
        )
        return [_rows(one) for one in found]


def load(folder_or_name: str, device: str, adapter: Adapter | None = None) -> Any:
    """The SentenceTransformer, the adapter merged into it. Raises KnowledgeBaseError, naming the remedy."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(folder_or_name, device=device, model_kwargs={"dtype": encoder_dtype(device)})
    except Exception as error:  # safetensors, the hub's client and transformers raise their own kinds
        raise KnowledgeBaseError(
            f'cannot load the encoder {folder_or_name!r}: {error}; set KEFU_ENCODER to "embedded", to a '
            "Hugging Face name that can be reached, or to a whole sentence-transformers folder"
        ) from error
    if adapter is not None:
        merge_adapter(model[0].auto_model, adapter, folder_or_name)  # in place
    _log.info("encoder %s on %s", folder_or_name, device)
    return model.eval()


def unit(rows: Vectors) -> Vectors:
    """Rows divided by their lengths."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _rows(found: dict[str, Any]) -> Vectors:
    tokens = found["token_embeddings"][found["attention_mask"].bool()][:-1]
    return unit(np.concatenate([one.float().cpu().numpy() for one in (found["sentence_embedding"][None], tokens)]))
