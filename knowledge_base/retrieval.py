"""What a knowledge base searches with: the encoder, how its scores are joined with words, who looks at hits again."""

from dataclasses import dataclass, field

from knowledge_base.fuse import Weights, read_weights
from knowledge_base.proximity import Proximity
from knowledge_base.types import Encoder, Reranker


@dataclass(frozen=True, slots=True)
class Retrieval:
    """`weights`: the ones that ship when not given. `reranker`: None: hits stay as they were fused."""

    encoder: Encoder
    weights: Weights = field(default_factory=read_weights)
    reranker: Reranker | None = None
    proximity: Proximity = field(default_factory=Proximity)
