"""Fits how much matched words add to the cosine, by kind of source, and what a clause counts less than a phrasing.

On golden sets; see knowledge_base/fuse.py. Across languages words add nothing: there they match by accident only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from knowledge_base.fuse import Weights, fuse
from knowledge_base.indexes import Candidate
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.language import language_of
from knowledge_base.types import Encoder, Language, Progress, SourceKind
from training.golden import GoldenSet, read_golden_set
from training.workspace import Retrieval, golden_knowledge

GRID = tuple(round(step / 100, 2) for step in (*range(0, 10), *range(10, 42, 2)))
CLAUSE_GRID = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 1.0)  # the last: clauses never count
_KINDS: tuple[SourceKind, ...] = ("faq", "document")


@dataclass(frozen=True, slots=True)
class Case:
    """One answerable question with everything that both searches found for it."""

    golden: str
    kind: SourceKind
    language: Language
    relevant: frozenset[str]
    candidates: tuple[Candidate, ...]


def fit_fusion(folders: Sequence[Path], work: Path, encoder: Encoder, progress: Progress) -> dict[str, Any]:
    """The content of fusion.json: the weights with the best hit@1, averaged over the sets.

    Of those within a quarter point the middle is taken: the best by a hair may be chance. Raises GoldenSetError for
    an unusable set.
    """
    cases: list[Case] = []
    for folder in folders:
        golden = read_golden_set(folder)
        with golden_knowledge(golden, work / golden.name, Retrieval(encoder), progress) as knowledge:
            cases += collect(golden, knowledge, progress)
    faq = {(clause, word): hit_at_1(cases, "faq", word, clause) for clause in CLAUSE_GRID for word in GRID}
    document = {(1.0, word): hit_at_1(cases, "document", word) for word in GRID}
    best = {"faq": choose(faq), "document": choose(document)}
    return {
        "same_language": {kind: word for kind, (_, word) in best.items()},
        "other_language": dict.fromkeys(_KINDS, 0.0),
        "clause": best["faq"][0],
        "hit@1": {
            kind: {"without": scores[1.0, 0.0], "with": scores[best[kind]]}
            for kind, scores in (("faq", faq), ("document", document))
        },
        "encoder": encoder.fingerprint,
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


def hit_at_1(cases: Sequence[Case], kind: SourceKind, word: float, clause: float = 1.0) -> float:
    """Share of the cases of a kind whose first hit is relevant, averaged over the sets; 0 without cases."""
    weights = Weights(dict.fromkeys(_KINDS, word), dict.fromkeys(_KINDS, 0.0), clause)
    hits: dict[str, list[bool]] = {}
    for case in cases:
        if case.kind != kind:
            continue
        ranked = fuse(case.candidates, case.language, frozenset(), weights)
        source = {candidate.id: candidate.source[1] for candidate in case.candidates}
        hits.setdefault(case.golden, []).append(bool(ranked) and source[ranked[0].id] in case.relevant)
    return round(sum(sum(h) / len(h) for h in hits.values()) / len(hits), 4) if hits else 0.0


def choose(scores: dict[tuple[float, float], float]) -> tuple[float, float]:
    """Of (clause, word) with a score within a quarter point of the best, the one in their middle."""
    best = max(scores.values())
    good = [(CLAUSE_GRID.index(clause), GRID.index(word)) for (clause, word), s in scores.items() if s >= best - 0.0025]
    middle = [median(place[axis] for place in good) for axis in (0, 1)]
    clause, word = min(good, key=lambda place: (abs(place[0] - middle[0]) + abs(place[1] - middle[1]), place))
    return CLAUSE_GRID[clause], GRID[word]


def write(content: dict[str, Any], path: Path) -> None:
    """Write fitted values as a file that people can read."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
