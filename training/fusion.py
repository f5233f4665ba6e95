"""Fits how much matched words add to the cosine, by kind of source, and what a clause counts less than a phrasing.

Then what the second look counts: the words of one sentence, and the reranker. On golden sets; see
knowledge_base/fuse.py. Across languages words add nothing: there they match by accident only.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, median_low
from typing import Any

from knowledge_base.fuse import Weights, fuse
from knowledge_base.indexes import Candidate
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.language import language_of
from knowledge_base.proximity import by_proximity
from knowledge_base.rerank import rerank
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Hit, Language, Progress, SourceKind
from training.golden import GoldenSet, read_golden_set
from training.workspace import golden_knowledge

GRID = tuple(round(step / 100, 2) for step in (*range(0, 10), *range(10, 42, 2)))
CLAUSE_GRID = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 1.0)  # the last: clauses never count
PROXIMITY_GRID = tuple(round(step / 50, 2) for step in range(21))
RERANK_GRID = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0)
_WITHIN = 0.0025  # scores that lie closer to the best may be worse by chance only
_KINDS: tuple[SourceKind, ...] = ("faq", "document")


@dataclass(frozen=True, slots=True)
class Case:
    """One answerable question with everything that both searches found for it."""

    golden: str
    kind: SourceKind
    language: Language
    relevant: frozenset[str]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One answerable question with its hits as they were fused, looked at as far as the search does."""

    golden: str
    query: str
    relevant: frozenset[str]
    hits: tuple[Hit, ...]


def fit_fusion(folders: Sequence[Path], work: Path, retrieval: Retrieval, progress: Progress) -> dict[str, Any]:
    """The content of fusion.json: the weights with the best hit@1, averaged over the sets.

    First those of the words, then that of one sentence, then that of the reranker. Of those within a quarter point the
    middle is taken: the best by a hair may be chance. Raises GoldenSetError for an unusable set.
    """
    sets = [read_golden_set(folder) for folder in folders]
    cases: list[Case] = []
    for golden in sets:
        with golden_knowledge(golden, work / golden.name, retrieval, progress) as knowledge:
            cases += collect(golden, knowledge, progress)
    faq = {(clause, word): hit_at_1(cases, "faq", word, clause) for clause in CLAUSE_GRID for word in GRID}
    document = {(1.0, word): hit_at_1(cases, "document", word) for word in GRID}
    best = {"faq": choose(faq), "document": choose(document)}
    same: dict[SourceKind, float] = {"faq": best["faq"][1], "document": best["document"][1]}
    fused = Weights(same, dict.fromkeys(_KINDS, 0.0), best["faq"][0])
    looked = read_all(sets, work, replace(retrieval, weights=fused, reranker=_Silent()), progress)
    together = {weight: together_at_1(looked, weight) for weight in PROXIMITY_GRID}
    fused = replace(fused, proximity=choose_weight(together))
    reads = read_all(sets, work, replace(retrieval, weights=fused), progress)
    reranked = {weight: reranked_at_1(reads, weight) for weight in RERANK_GRID}
    return {
        "same_language": same,
        "other_language": dict.fromkeys(_KINDS, 0.0),
        "clause": best["faq"][0],
        "proximity": fused.proximity,
        "rerank": (chosen := choose_weight(reranked)),
        "hit@1": {
            "faq": {"without": faq[1.0, 0.0], "with": faq[best["faq"]]},
            "document": {"without": document[1.0, 0.0], "with": document[best["document"]]},
            "proximity": {"without": together[0.0], "with": together[fused.proximity]},
            "rerank": {"without": reranked[0.0], "with": reranked[chosen]},
        },
        "encoder": retrieval.encoder.files_sha256,
        "fitted_on": [folder.name for folder in folders],
        "command": "python -m training fusion SET… --out knowledge_base/fusion.json --work DIR",
    }


def collect(golden: GoldenSet, knowledge: KnowledgeBase, progress: Progress) -> list[Case]:
    """The cases of one set, which `knowledge` holds."""
    faqs = {faq.id for faq in golden.faqs}
    cases = []
    for number, question in enumerate(golden.questions, 1):
        if question.answerable:
            kind: SourceKind = "faq" if question.relevant & faqs else "document"
            found = tuple(knowledge.candidates(question.text))
            cases.append(Case(golden.name, kind, language_of(question.text), question.relevant, found))
        progress(number, len(golden.questions))
    return cases


def read_all(sets: Sequence[GoldenSet], work: Path, retrieval: Retrieval, progress: Progress) -> list[Read]:
    """What the second look says of the hits of all sets."""
    reads: list[Read] = []
    for golden in sets:
        with golden_knowledge(golden, work / golden.name, retrieval, progress) as knowledge:
            reads += read(golden, knowledge, progress)
    return reads


def read(golden: GoldenSet, knowledge: KnowledgeBase, progress: Progress) -> list[Read]:
    """The same of one set, which `knowledge` holds."""
    reads = []
    for number, question in enumerate(golden.questions, 1):
        if question.answerable:
            hits = knowledge.search(question.text, language_of(question.text))
            reads.append(Read(golden.name, question.text, question.relevant, tuple(hits)))
        progress(number, len(golden.questions))
    return reads


def hit_at_1(cases: Sequence[Case], kind: SourceKind, word: float, clause: float = 1.0) -> float:
    """Share of the cases of a kind whose first hit is relevant, averaged over the sets; 0 without cases."""
    weights = Weights(dict.fromkeys(_KINDS, word), dict.fromkeys(_KINDS, 0.0), clause)

    def judged() -> Iterator[tuple[str, bool]]:
        for case in cases:
            if case.kind == kind:
                ranked = fuse(case.candidates, case.language, frozenset(), weights)
                source = {candidate.id: candidate.source[1] for candidate in case.candidates}
                yield case.golden, bool(ranked) and source[ranked[0].id] in case.relevant

    return _mean_of_sets(judged())


def together_at_1(reads: Sequence[Read], weight: float) -> float:
    """The same, of questions with hits that proximity tells something of, with it counted by `weight`."""

    def judged() -> Iterator[tuple[str, bool]]:
        for one in reads:
            if any(hit.proximity is not None for hit in one.hits):
                yield one.golden, by_proximity(one.hits, weight)[0].passage.source_id in one.relevant

    return _mean_of_sets(judged())


def reranked_at_1(reads: Sequence[Read], weight: float) -> float:
    """The same of all questions with the reranker's word counted by `weight`."""

    def judged() -> Iterator[tuple[str, bool]]:
        for one in reads:
            ranked = rerank(one.query, one.hits, _Said(one.hits), weight)
            yield one.golden, bool(ranked) and ranked[0].passage.source_id in one.relevant

    return _mean_of_sets(judged())


class _Silent:
    """A reranker that finds all texts alike, without reading them."""

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        return [0.0] * len(texts)

    def prepare(self, texts: Sequence[str]) -> Iterator[None]:
        return iter(())


class _Said(_Silent):
    """A reranker that says again what it said of these hits."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._said = [hit.rerank or 0.0 for hit in hits if hit.rerank is not None]

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        return self._said


def _mean_of_sets(judged: Iterator[tuple[str, bool]]) -> float:
    sets: dict[str, list[bool]] = {}
    for name, right in judged:
        sets.setdefault(name, []).append(right)
    return round(sum(sum(one) / len(one) for one in sets.values()) / len(sets), 4) if sets else 0.0


def choose(scores: dict[tuple[float, float], float]) -> tuple[float, float]:
    """Of (clause, word) with a score close to the best, the one in their middle."""
    best = max(scores.values())
    good = [
        (CLAUSE_GRID.index(clause), GRID.index(word)) for (clause, word), s in scores.items() if s >= best - _WITHIN
    ]
    middle = [median(place[axis] for place in good) for axis in (0, 1)]
    clause, word = min(good, key=lambda place: (abs(place[0] - middle[0]) + abs(place[1] - middle[1]), place))
    return CLAUSE_GRID[clause], GRID[word]


def choose_weight(scores: dict[float, float]) -> float:
    """Of the weights with a score close to the best, the middle one."""
    best = max(scores.values())
    return median_low([weight for weight, score in scores.items() if score >= best - _WITHIN])


def write(content: dict[str, Any], path: Path) -> None:
    """Write fitted values as a file that people can read."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
