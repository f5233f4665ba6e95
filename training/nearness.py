"""Fits what stands near enough to be offered, and how much of a sentence a passage must hold to support it.

Pure functions of what was measured; knows no model and no file.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bot.verify import support
from knowledge_base.sentences import sentences
from knowledge_base.words import words
from training.examples import Topic

NEAR_SHARE = 0.5  # share of the relevant sources, not first themselves, that come near the first
SUPPORT_REFUSED = 0.02  # share of true sentences that may be refused


def near(behind: Sequence[float]) -> float:
    """How far below the best score NEAR_SHARE of the relevant sources stand, of those that are found but not first."""
    return float(np.quantile(behind, NEAR_SHARE)) if len(behind) else 0.0


def least_support(topics: Sequence[Topic]) -> float:
    """Share of a sentence's words that stand in its passage for all but SUPPORT_REFUSED of true sentences."""
    shares = list(_shares(topics))
    return float(np.quantile(shares, SUPPORT_REFUSED)) if shares else 0.0


def _shares(topics: Sequence[Topic]) -> Iterator[float]:
    """For each sentence that staff would answer, the share of its words that the topic's passage holds."""
    for topic in topics:
        for language, answer in topic.answer.items():
            known = set(words(f"{topic.title[language]}\n{topic.passage[language]}"))
            for sentence in sentences(answer):
                if (share := support(sentence, known)) is not None:
                    yield share
