"""What encoding takes: queries against sentence-transformers in float32, documents stored against bare encoding."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.passages import document, questions
from benchmarks.rows import RATIO, Row, at_least
from benchmarks.work import Work
from knowledge_base.assemble import open_encoder, open_in
from knowledge_base.encoder import prefixes
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Encoder

AT_ONCE = {1: 120, 8: 25}  # queries together to how many times
RUNS = 5
_WARM = 3
_SENTENCES = 40


def rows(work: Work) -> list[Row]:
    """Queries and documents."""
    found = []
    for together, times in AT_ONCE.items():
        work.say(f"{together} queries at once")
        ours, theirs = query_rates(work, together, times)
        what = f"queries encoded, {together} at once" if together > 1 else "queries encoded, one by one"
        beside = "sentence-transformers, float32"
        found.append(Row(what, ours, "queries/s", theirs, beside, at_least(2, RATIO)))
    work.say("adding documents")
    documents, passages, bare = add_rates(work.retrieval().encoder)
    return [
        *found,
        Row(f"documents of {_SENTENCES} sentences added", documents, "documents/s"),
        Row("their passages", passages, "passages/s", bare, "bare encoding", at_least(0.85, RATIO)),
    ]


def query_rates(work: Work, together: int, times: int) -> tuple[float, float]:
    """Median queries/s of the encoder and of sentence-transformers in float32, in turns; each query is asked once."""
    from sentence_transformers import SentenceTransformer

    folder = work.encoder_folder()
    encoder = open_encoder(work.settings("demo"))
    model: Any = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": "float32"})
    prompt, _ = prefixes(str(folder), model.prompts)
    asked = questions(2 * together * (times + _WARM), seed=together)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for start in range(0, len(asked), 2 * together):
        own, other = asked[start : start + together], asked[start + together : start + 2 * together]
        seconds["ours"].append(timed(lambda own=own: encoder.encode_queries(own)))  # type: ignore[misc]
        texts = [prompt + text for text in other]
        seconds["theirs"].append(timed(lambda texts=texts: model.encode(texts, show_progress_bar=False)))  # type: ignore[misc]
    ours, theirs = (together / statistics.median(spent[_WARM:]) for spent in seconds.values())
    return ours, theirs


def add_rates(encoder: Encoder, documents: int = 5, runs: int = RUNS) -> tuple[float, float, float]:
    """Medians over runs, in turns: documents/s and passages/s of put, passages/s of encoding the same texts barely."""
    rates: list[tuple[float, float, float]] = []
    for run in range(runs):
        dice = random.Random(run)
        batch = [document(n, dice, _SENTENCES) for n in range(documents)]
        with tempfile.TemporaryDirectory() as folder:
            knowledge = open_in(Path(folder), Retrieval(encoder))
            began = time.perf_counter()
            passages = sum(put.encoded for put in knowledge.put(batch))
            spent = time.perf_counter() - began
            texts = [row.search_text for row in knowledge._store.index_rows(knowledge._store.entry_ids())]
            knowledge.close()
        bare = timed(lambda texts=texts: encoder.encode_passages(texts))  # type: ignore[misc]
        rates.append((documents / spent, passages / spent, len(texts) / bare))
    a, b, c = (statistics.median(column) for column in zip(*rates, strict=True))
    return a, b, c


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
