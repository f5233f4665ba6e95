"""Compares query and text word by word, with the token vectors of the encoder that searches.

Late interaction, ColBERT's MaxSim: each token of the query looks for the nearest token of the text. It sees that one
word of the question has no counterpart, which the mean that search compares does not. Nothing is loaded or trained
for it, and what is known of a text serves every query.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge_base.recent import Recent
from knowledge_base.types import Vectors

_REMEMBERED = 1024  # texts; 20 to 80 KB each
_STEPS = 127  # a component is kept as one byte


class TokenEncoder(Protocol):
    """Text to one vector a token: [tokens, dimension], rows L2-normalised."""

    def encode_tokens(self, texts: Sequence[str], query: bool = False, patient: bool = False) -> list[Vectors]: ...


class LateInteractionReranker:
    """A `Reranker` (see `types`) on an encoder's token vectors. May be called from any thread."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder
        self._recent: Recent[NDArray[np.int8]] = Recent(_REMEMBERED)

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """For each text the mean, over the query's tokens, of the cosine to the nearest token of the text."""
        if not texts:
            return []
        asked = self._encoder.encode_tokens([query], query=True)[0]
        known = self._recent.of(texts, self._read)
        return [max_sim(asked, known[text].astype(np.float32) / np.float32(_STEPS)) for text in texts]

    def prepare(self, texts: Sequence[str]) -> Iterator[None]:
        """Read the texts that are new, one at each step, as long as none has to be forgotten for it."""
        for text in texts:
            if self._recent.full:
                return
            if text not in self._recent:
                self._recent.of([text], partial(self._read, patient=True))
                yield

    def _read(self, texts: list[str], patient: bool = False) -> list[NDArray[np.int8]]:
        return [np.rint(rows * _STEPS).astype(np.int8) for rows in self._encoder.encode_tokens(texts, patient=patient)]


def max_sim(query: Vectors, text: Vectors) -> float:
    """Mean over the rows of `query` of the greatest cosine to a row of `text`, not below 0; 0 without rows."""
    if not len(query) or not len(text):
        return 0.0
    return max(0.0, float((query @ text.T).max(axis=1).mean()))
