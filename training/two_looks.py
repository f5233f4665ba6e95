"""The loss of the encoder's trainer: the right text must come first at both looks that search takes.

The first compares the vectors of whole texts, the second each token of the query with the nearest of the text, as
knowledge_base/late_interaction.py does. Computed in parts of like length. Knows nothing of data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, pad

from training.quick import STEP

_PARTS, _SMALLEST = 4, 4  # parts of a batch, texts of a part


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as the encoder sees them: `whole` [n, dimension]; `tokens` [n, longest, dimension], where `shown`."""

    whole: Tensor
    tokens: Tensor
    shown: Tensor


class TwoLooks(nn.Module):
    """Each row of a batch seeks its own among all, in both directions; in the place of a sentence-transformers loss.

    scale: 1 / temperature of the softmax. second: weight of the second look; 0 leaves it out. before: tokens of a
    query and of a passage that come before the text itself.
    """

    def __init__(self, model: nn.Module, scale: float, second: float, before: tuple[int, int]) -> None:
        super().__init__()
        self.model = model
        self._scale = scale
        self._second = second
        self._before = before

    def forward(self, features: Iterable[dict[str, Any]], labels: Any = None) -> Tensor:
        """features: queries, then their texts: input_ids and attention_mask [n, length]. Returns the mean loss."""
        asked, told = (by_length(self.model, one, before) for one, before in zip(features, self._before, strict=True))
        loss = self._own_first(asked.whole @ told.whole.T)
        if self._second:
            loss = loss + self._second * self._own_first(max_sim(asked, told))
        return loss

    def _own_first(self, scores: Tensor) -> Tensor:
        own = torch.arange(len(scores), device=scores.device)
        logits = scores.float() * self._scale
        return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def max_sim(asked: Encoded, told: Encoded) -> Tensor:
    """[queries, texts]: the mean, over the query's tokens, of the cosine to the nearest token of the text."""
    cosines = torch.einsum("qid,tjd->qtij", asked.tokens, told.tokens)
    nearest = cosines.masked_fill(~told.shown[None, :, None, :], -1.0).amax(dim=3)
    counted = asked.shown[:, None, :]
    return (nearest * counted).sum(2) / counted.sum(2).clamp(min=1)


def by_length(model: nn.Module, features: Mapping[str, Any], before: int) -> Encoded:
    """The texts of a batch padded on the right, encoded with less padding: twice as fast on a CPU."""
    mask = features["attention_mask"]
    lengths = mask.sum(1)
    order = lengths.argsort()
    parts = max(1, min(_PARTS, len(order) // _SMALLEST)) if mask.device.type == "cpu" else 1
    whole, tokens = [], []
    for rows in order.chunk(parts):
        width = -(-int(lengths[rows].max()) // STEP) * STEP
        found = model({name: _cut(value, rows, width) for name, value in features.items()})
        whole.append(normalize(found["sentence_embedding"], dim=-1))
        read = normalize(found["token_embeddings"][:, : mask.shape[1]], dim=-1)
        tokens.append(pad(read, (0, 0, 0, mask.shape[1] - read.shape[1])))
    back = order.argsort()
    at = torch.arange(mask.shape[1], device=mask.device)[None]
    shown = (at >= before) & (at < lengths[:, None] - 1)  # the last is the mark at the end
    return Encoded(torch.cat(whole)[back], torch.cat(tokens)[back], shown)


def _cut(value: Any, rows: Tensor, width: int) -> Any:
    """Those rows of a batch's [n, length], cut or padded to `width`; what is no such tensor stays as it is."""
    if not isinstance(value, Tensor) or value.dim() != 2:
        return value
    return pad(value[rows, :width], (0, max(0, width - value.shape[1])))
