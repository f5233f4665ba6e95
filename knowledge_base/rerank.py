"""Puts the first hits in a finer order, once a reranker has read them together with the query.

Knows the scores of hits; not how a reranker reads.
"""

from collections.abc import Sequence
from dataclasses import replace

from knowledge_base.types import Hit, Passage, Reranker

READ = 3  # hits; the others keep their order behind them


def rerank(query: str, hits: Sequence[Hit], reranker: Reranker, weight: float) -> list[Hit]:
    """The hits, best first, the first READ of them in a new order. An exact phrasing needs no second look.

    weight: what the reranker's full agreement adds to the fused score, before both are brought back to 0..1.
    """
    if not hits or hits[0].exact:
        return list(hits)
    read = reranker.rerank(query, [candidate_text(hit.passage) for hit in hits[:READ]])
    judged = [
        replace(hit, rerank=said, score=_joined(hit, said, weight)) for hit, said in zip(hits, read, strict=False)
    ]
    rest = [replace(hit, score=_joined(hit, min(read), weight)) for hit in hits[READ:]]
    return sorted(judged + rest, key=lambda hit: -hit.score)


def candidate_text(passage: Passage) -> str:
    """What a reranker reads: an FAQ's question and answer, or a passage under its headings."""
    return "\n".join(dict.fromkeys((*passage.path, passage.text)))


def _joined(hit: Hit, read: float, weight: float) -> float:
    return (hit.score + weight * read) / (1 + weight)
