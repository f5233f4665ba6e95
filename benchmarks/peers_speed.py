"""The time of a whole search by Kefu and by txtai, haystack and llama-index, with the same encoder over the same texts.

    python -m benchmarks.peers_speed [--work DIR]

Makes the peers' environment in DIR on first use (minutes). Writes benchmarks/out/peers_speed.json, which `make bench`
puts into its tables. Kefu searches as it does for customers, but with the plain encoder, which all of them load.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.passages import document, questions
from benchmarks.peers import PEERS, Run, kefu_run, peer_run, peers_folder, request_of
from benchmarks.peers_environment import Say, peer_python
from benchmarks.report import OUT, code_state
from benchmarks.rows import RATIO, Row, at_most, markdown
from benchmarks.server_speed import quantile
from benchmarks.work import Work
from bot.settings import Settings
from knowledge_base.assemble import open_encoder
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.retrieval import Retrieval
from training.golden import GoldenSet, Question

PASSAGES, QUERIES = 2_000, 200
FOUND = OUT / "peers_speed.json"
Figures = dict[str, dict[str, float]]  # system to quantile to milliseconds
_KEFU, _READING = "Kefu", "Kefu, first hits read"


def rows(work: Work) -> list[Row]:
    """What the last comparison found; nothing where none was made of this code."""
    if not FOUND.exists():
        return []
    kept = json.loads(FOUND.read_text("utf8"))
    return table(kept["milliseconds"], kept["passages"]) if kept["code"] == code_state() else []


def table(figures: Figures, passages: int) -> list[Row]:
    """Each of Kefu's searches beside each peer's; without reading Kefu is to be the fastest."""
    found = []
    for system in (_KEFU, _READING):
        for peer in PEERS:
            for name, ms in figures[system].items():
                what = f"search in {passages:,} passages, {system}, {name}"
                bar = at_most(1, RATIO) if (system, name) == (_KEFU, "p50") else None
                found.append(Row(what, ms, "ms", figures[peer][name], peer, bar))
    return found


def texts(passages: int, queries: int) -> GoldenSet:
    """English and Chinese passages, and questions that are only there to be timed."""
    dice = random.Random(7)
    asked = tuple(Question(f"q{n}", text, "zh", frozenset(), (), False) for n, text in enumerate(questions(queries)))
    return GoldenSet("speed", tuple(document(n, dice) for n in range(passages)), (), asked)


def compare(golden: GoldenSet, folder: Path, say: Say) -> dict[str, Run]:
    """What every system does with the same texts, one after the other."""
    runs = {}
    for name in (_KEFU, _READING):
        encoder = open_encoder(Settings())  # opened anew: it remembers queries
        retrieval = Retrieval(encoder, reranker=LateInteractionReranker(encoder) if name == _READING else None)
        runs[name] = kefu_run(golden, retrieval, folder / name, partial(_tell, say, name))
        del encoder, retrieval
    python = peer_python(folder, say)
    request = request_of(golden, peers_folder(None))
    for peer in PEERS:
        answered = folder / "runs" / f"{peer}.json"
        answered.unlink(missing_ok=True)  # a time of another day is no time beside ours
        runs[peer] = peer_run(peer, golden, request, python, folder / "runs", partial(_tell, say, peer))
    return runs


def _tell(say: Say, who: str, what: str) -> None:
    say(f"{who}: {what}")


def main(arguments: Sequence[str]) -> None:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=OUT / "peers", help="where their environment lies")
    parser.add_argument("--passages", type=int, default=PASSAGES)
    parser.add_argument("--queries", type=int, default=QUERIES)
    chosen = parser.parse_args(arguments)
    folder = chosen.work.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with Console(stderr=True).status("") as status:
        runs = compare(texts(chosen.passages, chosen.queries), folder, status.update)
    figures = {
        name: {label: quantile(run.milliseconds, share) for label, share in (("p50", 0.5), ("p95", 0.95))}
        for name, run in runs.items()
    }
    versions = {name: value for run in runs.values() for name, value in run.versions.items()}
    kept: dict[str, Any] = {"code": code_state(), "passages": chosen.passages, "versions": versions}
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(json.dumps(kept | {"milliseconds": figures}, indent=2), "utf8")
    sys.stdout.write(markdown({"peers": [row.kept() for row in table(figures, chosen.passages)]}))


if __name__ == "__main__":
    main(sys.argv[1:])
