"""Whole searches against encoding the query and one exact FAISS search, in turns in one process.

A whole search is KnowledgeBase.search: words and meaning, fused, passages read from the store. Close reading of the
first hits, which a release adds, is measured apart.
"""

import statistics
from collections.abc import Callable
from functools import partial

import faiss
import numpy as np

from benchmarks.encode_speed import timed
from benchmarks.passages import RandomPassages, questions
from benchmarks.rows import RATIO, Row, at_most
from benchmarks.server_speed import quantile
from benchmarks.work import Work
from knowledge_base.assemble import open_in
from knowledge_base.retrieval import Retrieval

BARS = {10_000: 1.25, 100_000: 1.5}  # passages to the most that a whole search may take of its bare parts
QUERIES = 150
_FOUND = 10
_WARM = 10


def rows(work: Work) -> list[Row]:
    """Each size, without and with reading."""
    found = []
    for passages, limit in BARS.items():
        times = search_times(work, passages)
        bare, what = times["bare"], f"search in {passages:,} passages"
        beside, median = "encode + FAISS", statistics.median(bare)
        found += [
            Row(f"{what}, p50", statistics.median(times["whole"]), "ms", median, beside, at_most(limit, RATIO)),
            Row(f"{what}, p95", quantile(times["whole"], 0.95), "ms", quantile(bare, 0.95), beside),
            Row(f"{what}, first hits read, p50", statistics.median(times["read"]), "ms", median, beside),
        ]
    return found


def search_times(work: Work, passages: int, queries: int = QUERIES) -> dict[str, list[float]]:
    """Milliseconds of whole searches, of bare parts and with reading, in turns; each query is asked once."""
    folder = work.passages(passages)
    retrieval = work.retrieval()
    encoder = retrieval.encoder
    work.say(f"search in {passages:,} passages")
    knowledge = open_in(folder, Retrieval(encoder, retrieval.weights))
    reading = open_in(folder, retrieval)
    bare = faiss.IndexFlatIP(encoder.dimension)
    bare.add(RandomPassages(encoder).encode_passages([""] * passages))
    calls: dict[str, Callable[[str], object]] = {
        "whole": lambda query: knowledge.search(query, "zh", _FOUND),
        "bare": lambda query: bare.search(np.ascontiguousarray(encoder.encode_queries([query])), _FOUND),
        "read": lambda query: reading.search(query, "zh", _FOUND),
    }
    asked = iter(questions(len(calls) * (queries + _WARM)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(queries + _WARM):
        for name, call in calls.items():
            times[name].append(1000 * timed(partial(call, next(asked))))
    for opened in (knowledge, reading):
        opened.close()
    return {name: spent[_WARM:] for name, spent in times.items()}
