"""Search alone on golden sets: hit@1 of plain dense, plain BM25, their reciprocal rank fusion, and Kefu's search.

Usage: python benchmarks/search_quality.py SET… --work DIR
Prints a Markdown table and writes DIR/search_quality.json. DIR keeps vectors, so a second run is quick.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
from rich.console import Console
from rjieba import cut_for_search

from bot.assemble import open_release, open_retrieval
from bot.settings import Settings
from knowledge_base.language import language_of
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Encoder
from training.golden import GoldenSet, read_golden_set
from training.metrics import hit_at
from training.workspace import golden_knowledge

COLUMNS = ("dense", "BM25", "RRF", "Kefu")
_DEPTH = 50
_CUT = 1500  # characters of a passage that the plain parts index


def plain_words(text: str) -> list[str]:
    return [word for word in cut_for_search(text.lower()) if word.strip()] or ["∅"]


def plain_rankings(golden: GoldenSet, encoder: Encoder, cache: Path) -> dict[str, list[list[str]]]:
    """Rankings of ids by the plain parts: an FAQ indexed by its question, a passage by title and text."""
    ids = [f.id for f in golden.faqs] + [d.id for d in golden.documents]
    texts = [f.question for f in golden.faqs] + [f"{d.title}\n{d.text}"[:_CUT] for d in golden.documents]
    asked = [" ".join([text for _, text in q.history[-2:]] + [q.text]) for q in golden.questions]
    if not cache.exists():
        np.save(cache, encoder.encode_passages(texts))
    depth = min(_DEPTH, len(ids))
    dense = np.argsort(-(encoder.encode_queries(asked) @ np.load(cache).T), axis=1)[:, :depth]
    bm25 = bm25s.BM25()
    bm25.index([plain_words(text) for text in texts], show_progress=False)
    words, _ = bm25.retrieve([plain_words(text) for text in asked], k=depth, show_progress=False)
    fused = [reciprocal_rank_fusion(pair) for pair in zip(dense.tolist(), words.tolist(), strict=True)]
    named = {"dense": dense.tolist(), "BM25": words.tolist(), "RRF": fused}
    return {name: [[ids[i] for i in ranking] for ranking in rankings] for name, rankings in named.items()}


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], k: int = 60) -> list[int]:
    """Ids by Σ 1 / (k + rank), best first. Source: Cormack, Clarke & Büttcher, SIGIR 2009."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, i in enumerate(ranking):
            scores[i] = scores.get(i, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda i: -scores[i])


def kefu_ranking(golden: GoldenSet, retrieval: Retrieval, work: Path, console: Console) -> list[list[str]]:
    """Ids in the order in which KnowledgeBase.search finds them, each once."""
    found = []
    with console.status(golden.name) as status:
        said = lambda done, total: status.update(f"{golden.name}: {done} of {total} stored")  # noqa: E731
        with golden_knowledge(golden, work / golden.name, retrieval, said) as knowledge:
            for question in golden.questions:
                hits = knowledge.search(question.text, language_of(question.text), 10)
                found.append(list(dict.fromkeys(hit.passage.source_id for hit in hits)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    console = Console(stderr=True)
    settings = Settings()
    retrieval = open_retrieval(settings, open_release(settings))
    encoder = retrieval.encoder
    table: dict[str, dict[str, float]] = {}
    for folder in arguments.sets:
        golden = read_golden_set(folder)
        (arguments.work / golden.name).mkdir(parents=True, exist_ok=True)
        rankings = {"Kefu": kefu_ranking(golden, retrieval, arguments.work, console)}
        cache = arguments.work / golden.name / f"plain-{encoder.fingerprint[:12]}.npy"
        rankings |= plain_rankings(golden, encoder, cache)
        table[golden.name] = row = {"questions": sum(q.answerable for q in golden.questions)}
        for name in COLUMNS:
            pairs = zip(golden.questions, rankings[name], strict=True)
            row[name] = round(float(np.mean([hit_at(1, q.relevant, r) for q, r in pairs if q.answerable])), 3)
        console.print(folder.name, row)
    (arguments.work / "search_quality.json").write_text(json.dumps(table, indent=2), "utf8")
    out = Console(width=200)
    out.print("| set | answerable | " + " | ".join(COLUMNS) + " |\n|---|--:|" + "--:|" * len(COLUMNS))
    for name, row in table.items():
        out.print(f"| {name} | {row['questions']:.0f} | " + " | ".join(f"{row[c]:.3f}" for c in COLUMNS) + " |")


if __name__ == "__main__":
    main()
