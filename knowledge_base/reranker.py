"""Judges candidates again, each read together with the question: slower than search, and finer.

A cross-encoder on the encoder's lower layers. Knows nothing of hits, scores or where models come from.
"""

import json
from collections.abc import Sequence
from typing import Any

from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import choose_device
from knowledge_base.types import KnowledgeBaseError

_LONGEST = 160  # tokens of question and candidate
_BATCH = 16


def candidate_text(phrasing: str, text: str) -> str:
    """What the reranker reads of a candidate: an FAQ's phrasing and answer, or a passage under its headings."""
    return f"{phrasing}\n{text}".strip()


class CrossEncoderReranker:
    """A reranker from the folder of the encoder that its adapter was trained on."""

    def __init__(self, folder_or_name: str, adapter: Adapter, device: str = "auto") -> None:
        """Load as many layers as the adapter has, and merge it. Raises KnowledgeBaseError naming the remedy."""
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            config = json.loads((adapter.folder / "adapter_config.json").read_text("utf8"))
            layers = len(config["layers_to_transform"])
            model = AutoModelForSequenceClassification.from_pretrained(
                folder_or_name, num_labels=1, num_hidden_layers=layers
            )
            self._tokenizer = AutoTokenizer.from_pretrained(folder_or_name)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KnowledgeBaseError(
                f"cannot load the reranker {str(adapter.folder)!r}: {error}; roll back to another release"
            ) from error
        self._device = choose_device(device)
        self._model: Any = merge_adapter(model, adapter, folder_or_name).to(self._device).eval()

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability, 0..1, that it answers the query."""
        import torch

        order = sorted(range(len(texts)), key=lambda i: len(texts[i].encode("utf8", "replace")))
        found = [0.0] * len(texts)
        with torch.inference_mode():
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                encoded = self._tokenizer(
                    [query] * len(rows), [texts[i] for i in rows], truncation="longest_first", max_length=_LONGEST,
                    padding=True, return_tensors="pt",
                ).to(self._device)  # fmt: skip
                for i, logit in zip(rows, self._model(**encoded).logits[:, 0].float().sigmoid().tolist(), strict=True):
                    found[i] = logit
        return found
