"""The mean of several adapters of one model, as one adapter: a model soup (Wortsman et al. 2022).

Runs that began at the same weights and saw other data or another loss are each better at something; their mean keeps
most of both. Knows nothing of releases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.examples import TrainingDataError

_DOWN, _UP = "lora_A", "lora_B"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter: its PEFT config and its matrices by name."""

    config: dict[str, Any]
    weights: dict[str, Tensor]

    def change(self, name: str) -> Tensor:
        """What it adds to the layer whose first matrix is `name`, [out, in]."""
        up, down = self.weights[name.replace(_DOWN, _UP)], self.weights[name]
        change: Tensor = (up.double() @ down.double()) * (self.config["lora_alpha"] / self.config["r"])
        return change


def mean(adapters: Sequence[Adapter]) -> dict[str, Tensor]:
    """The matrices whose change is nearest to the mean of the adapters' changes, in the rank and scale of the first.

    Raises TrainingDataError when the adapters change different layers.
    """
    first = adapters[0]
    if any(one.weights.keys() != first.weights.keys() for one in adapters):
        raise TrainingDataError("the runs change different layers of the model; only like adapters have a mean")
    rank, factor = first.config["r"], first.config["lora_alpha"] / first.config["r"]
    found: dict[str, Tensor] = {}
    for name in first.weights:
        if _DOWN not in name:
            continue
        wanted = torch.stack([one.change(name) for one in adapters]).mean(0) / factor
        left, size, right = torch.linalg.svd(wanted, full_matrices=False)
        root = size[:rank].sqrt()
        found[name] = (root[:, None] * right[:rank]).contiguous()
        found[name.replace(_DOWN, _UP)] = (left[:, :rank] * root).contiguous()
    return found
