"""How much of the exact result an index of lists finds for real texts: recall@10 of the dense index.

Lists are otherwise made beyond 100,000 rows only; here the threshold is lowered, so that few real texts do.
"""

import numpy as np

from benchmarks.passages import LANGUAGES, topics
from benchmarks.rows import Row, at_least
from benchmarks.work import Work
from knowledge_base.index import DenseIndex

TEXTS, QUERIES = 4_000, 400
_MOST_EXACT = 1_000
_NEAREST = 10


def rows(work: Work) -> list[Row]:
    """Of one wording in six the nearest among the other five and the titles."""
    stored, asked = texts(TEXTS, QUERIES)
    encoder = work.retrieval().encoder
    work.say(f"{len(stored):,} texts are encoded")
    vectors = encoder.encode_passages(stored)
    queries = encoder.encode_queries(asked)
    index = DenseIndex(encoder.dimension, most_exact=_MOST_EXACT)
    index.add(list(range(len(stored))), vectors)
    made = index.settle()
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :_NEAREST]
    found = [{i for i, _ in index.search(query, _NEAREST)} for query in queries]
    recall = float(np.mean([len(own & {*best.tolist()}) / _NEAREST for own, best in zip(found, exact, strict=True)]))
    how = f"{made.lists} lists, {made.probed} searched" if made else "exact"
    return [Row(f"recall@10 over {len(stored):,} real texts, {how}", recall, "", bar=at_least(0.98, ""))]


def texts(most: int, queries: int) -> tuple[list[str], list[str]]:
    """What is stored and what is asked: different texts."""
    stored: dict[str, None] = {}
    asked: dict[str, None] = {}
    for topic in topics():
        for language in LANGUAGES:
            *others, last = topic.questions[language]
            stored |= dict.fromkeys((topic.title[language], *others))
            asked[last] = None
    step = max(1, len(asked) // queries)
    return list(stored)[:: max(1, len(stored) // most)][:most], [text for text in asked if text not in stored][::step]
