"""Joins meaning and words into one ranking. Pure: candidates in, ranked candidates out.

Reciprocal rank fusion trusts both searches alike, which ruins the dense ranking where question and text differ in
language. Here the cosine leads, and the share of matched word weight adds to it only where words can match.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.indexes import Candidate
from knowledge_base.types import Faq, Language, SourceKind

FITTED = Path(__file__).with_name("fusion.json")  # the weights that ship


@dataclass(frozen=True, slots=True)
class Weights:
    """What a full word match adds to the cosine, by kind of source, and by whether the languages agree.

    clause: what is taken off the cosine of a mere part of a phrasing. proximity: what it counts that all words of the
    query stand in one sentence of a document. rerank: what a reranker's full agreement adds.
    """

    same_language: dict[SourceKind, float]
    other_language: dict[SourceKind, float]
    clause: float = 0.0
    rerank: float = 0.0
    proximity: float = 0.0

    def of(self, candidate: Candidate, language: Language) -> float:
        table = self.same_language if candidate.language == language else self.other_language
        return table[candidate.source[0]]

    @property
    def highest(self) -> float:
        return max(*self.same_language.values(), *self.other_language.values())


@dataclass(frozen=True, slots=True)
class Scored:
    """A ranked candidate. `score` is comparable within one search, 1 for an exact phrasing."""

    id: int
    score: float
    dense: float
    keyword: float
    exact: bool


def read_weights(path: Path = FITTED) -> Weights:
    """Weights from a file that also says on what they were fitted. Raises OSError, ValueError or KeyError."""
    stored = json.loads(path.read_text("utf8"))
    return Weights(
        _by_kind(stored["same_language"]),
        _by_kind(stored["other_language"]),
        float(stored["clause"]),
        float(stored.get("rerank", 0.0)),
        float(stored.get("proximity", 0.0)),
    )


def fuse(
    candidates: Sequence[Candidate],
    language: Language,
    exact: frozenset[int],
    weights: Weights,
) -> list[Scored]:
    """Rank candidates for a query in `language`, best first; of an FAQ only its best entry stays.

    exact: ids of phrasings equal to the query, which come first; among them the query's language does.
    An FAQ and its translation go out when a phrasing that they must not match is nearer than all of their own.
    """
    refused = _refused(candidates)
    scale = 1 + weights.highest
    ranked = sorted(
        (
            (_score(candidate, language, candidate.id in exact, weights, scale), candidate)
            for candidate in candidates
            if candidate.role != "never" and not (refused and _family(candidate) in refused)
        ),
        key=lambda pair: (not pair[0].exact, -pair[0].score, pair[1].language != language, pair[0].id),
    )
    seen: set[tuple[SourceKind, str]] = set()
    result = []
    for scored, candidate in ranked:
        if candidate.source not in seen:
            result.append(scored)
        if candidate.source[0] == "faq":
            seen.add(candidate.source)
    return result


def _by_kind(stored: dict[str, Any]) -> dict[SourceKind, float]:
    return {"faq": float(stored["faq"]), "document": float(stored["document"])}


def _refused(candidates: Sequence[Candidate]) -> set[str | None]:
    """Families with a phrasing to refuse that is nearer to the query than all that they answer."""
    if all(candidate.role != "never" for candidate in candidates):
        return set()
    nearest: dict[str | None, float] = {}
    for candidate in candidates:
        if candidate.role != "never":
            family = _family(candidate)
            nearest[family] = max(candidate.dense, nearest.get(family, -1.0))
    return {
        _family(candidate)
        for candidate in candidates
        if candidate.role == "never" and candidate.dense >= nearest.get(_family(candidate), -1.0)
    }


def _family(candidate: Candidate) -> str | None:
    """What an FAQ shares with its translations; None for a passage, which nothing refuses."""
    kind, source_id = candidate.source
    return Faq.family(source_id) if kind == "faq" else None


def _score(candidate: Candidate, language: Language, exact: bool, weights: Weights, scale: float) -> Scored:
    dense = candidate.dense - (weights.clause if candidate.role == "clause" else 0.0)
    fused = (dense + weights.of(candidate, language) * candidate.keyword) / scale
    return Scored(candidate.id, 1.0 if exact else max(0.0, fused), dense, candidate.keyword, exact)
