"""Reads a query and a text together: the slowest look, and with enough examples of a company's own the finest.

A cross-encoder on the encoder's layers: both go through it as one sequence, and the cosine between the mean of the
query's tokens and that of the text's tells whether they match. So it begins where the encoder stands, and an adapter
is all that a release has to bring. Knows nothing of hits, scores or where models come from.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import choose_device
from knowledge_base.types import KnowledgeBaseError

LONGEST = 160  # tokens of query and text together
_BATCH = 16
_SLOPE, _MIDDLE = 20.0, 0.8  # cosine to logit: an untrained encoder's cosines lie above this middle


class CrossEncoderReranker:
    """A `Reranker` (see `types`) from the folder of the encoder that its adapter was trained on."""

    def __init__(self, folder_or_name: str, adapter: Adapter, device: str = "auto") -> None:
        """Load as many layers as the adapter has, and merge it. Raises KnowledgeBaseError naming the remedy."""
        from transformers import AutoModel, AutoTokenizer

        try:
            config = json.loads((adapter.folder / "adapter_config.json").read_text("utf8"))
            model = AutoModel.from_pretrained(folder_or_name, num_hidden_layers=len(config["layers_to_transform"]))
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
        found: dict[int, float] = {}
        with torch.inference_mode():
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                encoded = tokenized(self._tokenizer, [(query, texts[i]) for i in rows]).to(self._device)
                hidden = self._model(**encoded).last_hidden_state
                said = pair_logits(hidden, encoded, self._tokenizer.sep_token_id).sigmoid().tolist()
                found |= zip(rows, said, strict=True)
        return [found[i] for i in range(len(texts))]

    def prepare(self, texts: Sequence[str]) -> Iterator[None]:
        """Nothing: query and text are read together."""
        return iter(())


def tokenized(tokenizer: Any, pairs: Sequence[tuple[str, str]], step: int = 1) -> Any:
    """(query, text) pairs as one batch of sequences: input_ids and attention_mask, [pairs, a multiple of `step`]."""
    queries, texts = zip(*pairs, strict=True)
    return tokenizer(
        list(queries), list(texts), truncation="longest_first", max_length=LONGEST, padding=True,
        pad_to_multiple_of=step, return_tensors="pt",
    )  # fmt: skip


def pair_logits(hidden: Any, encoded: Any, separator: int) -> Any:
    """Logits [pairs] that the texts match, from the last hidden states [pairs, length, dimension]."""
    import torch

    mark = encoded["input_ids"] == separator
    at = torch.arange(mark.shape[1], device=mark.device)[None]
    end = mark.int().argmax(dim=1, keepdim=True)  # the first separator closes the query
    query = (at > 0) & (at < end)
    text = (at > end) & ~mark & encoded["attention_mask"].bool()
    cosine = torch.cosine_similarity(_mean(hidden, query), _mean(hidden, text))
    return _SLOPE * (cosine - _MIDDLE)


def _mean(hidden: Any, chosen: Any) -> Any:
    weight = chosen.unsqueeze(-1).float()
    return (hidden.float() * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
