"""Kefu's search beside txtai, haystack and llama-index: the same golden sets, the same encoder, in the same run.

Usage: python -m benchmarks.peers SET… --work DIR [--encoder FOLDER]
Prints Markdown tables of hit@1, MRR@10 and the median time of one query, with the ratios Kefu / peer, and writes them
to DIR/peers.md and DIR/peers.json. Every system gets the questions' text alone, without history, one at a time.

The peers live in DIR/venv, made on first use from peers-requirements.txt; how each is set up is told in
peer_adapters.py. A second run reuses the environment and each peer's finished rankings; Kefu is always searched anew,
so take a fresh DIR where times are to be compared. The peers load the plain encoder that the settings name, Kefu adds
the adapter of the current release; --encoder gives both another folder, as it is.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.peers_environment import REQUIREMENTS, Say, peer_python, sha256
from bot.assemble import open_release, open_retrieval
from bot.settings import Settings
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.encoder import prefixes
from knowledge_base.language import language_of
from knowledge_base.model_folder import digest
from knowledge_base.retrieval import Retrieval
from training.golden import GoldenSet, read_golden_set
from training.metrics import hit_at, reciprocal_rank
from training.workspace import golden_knowledge

Scores = dict[str, float]  # measure to value
Table = dict[str, dict[str, Scores]]  # set or mean to system to scores

ADAPTERS = Path(__file__).with_name("peer_adapters.py")
PROGRESS = "progress: "
PEERS = ("txtai", "haystack", "llama-index")
MEASURES = {"hit@1": "hit@1", "mrr@10": "MRR@10", "p50_ms": "median of one query, ms (less is better)"}
WARM = ("warm up", "预热", "one more")
DEPTH = 10
# Nothing is asked of the network: no telemetry, no model hub, no word lists (llama-index brings its own).
QUIET = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one system did with one golden set, question by question."""

    rankings: list[list[str]]  # ids of documents and FAQs, best first, each once
    milliseconds: list[float]
    versions: Mapping[str, str] = field(default_factory=dict)


def texts_of(golden: GoldenSet) -> tuple[list[str], list[str]]:
    """Ids and the texts to match: every phrasing of an FAQ, a document as title and text."""
    phrasings = [(faq.id, text) for faq in golden.faqs for text in dict.fromkeys((faq.question, *faq.similar))]
    rows = phrasings + [(document.id, f"{document.title}\n{document.text}") for document in golden.documents]
    return [i for i, _ in rows], [text for _, text in rows]


def distinct_questions(golden: GoldenSet) -> list[str]:
    """The questions' texts, each once, so that no memory of an earlier query shortens a time."""
    return list(dict.fromkeys(question.text for question in golden.questions))


def language_of_set(golden: GoldenSet) -> str:
    """The language that most of the knowledge base is in."""
    languages = [faq.language for faq in golden.faqs] + [document.language for document in golden.documents]
    return "zh" if 2 * languages.count("zh") > len(languages) else "en"


def request_of(golden: GoldenSet, folder: str) -> dict[str, Any]:
    """What peer_adapters.py is asked."""
    config = Path(folder) / "config_sentence_transformers.json"
    prompts = json.loads(config.read_text("utf8")).get("prompts") or {} if config.is_file() else {}
    query, passage = prefixes(folder, prompts)
    ids, texts = texts_of(golden)
    return {
        "encoder": folder,
        "query_prefix": query,
        "passage_prefix": passage,
        "language": language_of_set(golden),
        "texts": texts,
        "queries": distinct_questions(golden),
        "warm": list(WARM),
        "limit": DEPTH * max(Counter(ids).values()),  # enough for DEPTH ids, whichever phrasings are found
        "stamp": [digest(Path(folder)) if Path(folder).is_dir() else folder, sha256(ADAPTERS, REQUIREMENTS)],
    }


def kefu_run(golden: GoldenSet, retrieval: Retrieval, folder: Path, say: Say) -> Run:
    """The rankings of KnowledgeBase.search. The encoder must not have seen the questions yet: it remembers them."""
    folder.mkdir(parents=True, exist_ok=True)
    rankings, milliseconds = [], []
    stored = lambda done, total: say(f"{done} of {total} stored")  # noqa: E731
    with golden_knowledge(golden, folder, retrieval, stored) as knowledge:
        for query in WARM:
            knowledge.search(query, language_of(query), DEPTH)
        queries = distinct_questions(golden)
        for done, query in enumerate(queries, 1):
            began = time.perf_counter()
            hits = knowledge.search(query, language_of(query), DEPTH)
            milliseconds.append((time.perf_counter() - began) * 1000)
            rankings.append(list(dict.fromkeys(hit.passage.source_id for hit in hits)))
            say(f"{done} of {len(queries)} queries")
    return Run(rankings, milliseconds)


def peer_run(peer: str, golden: GoldenSet, request: dict[str, Any], python: Path, folder: Path, say: Say) -> Run:
    """A peer's rankings, from `folder` if they are there for the same request, else from a process of its own.

    Raises RuntimeError, with the end of what the process said, when it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked, answered, log = (folder / f"{peer}.{kind}" for kind in ("request.json", "json", "log"))
    text = json.dumps(request, ensure_ascii=False, sort_keys=True)
    if not (answered.is_file() and asked.is_file() and asked.read_text("utf8") == text):
        answered.unlink(missing_ok=True)
        asked.write_text(text, "utf8")
        if _ask([str(python), str(ADAPTERS), peer, str(asked), str(answered)], log, say) != 0:
            raise RuntimeError(f"{peer} failed on {golden.name} ({log}):\n{log.read_text('utf8')[-2000:]}")
    answer = json.loads(answered.read_text("utf8"))
    ids, _ = texts_of(golden)
    rankings = [list(dict.fromkeys(ids[position] for position in ranking)) for ranking in answer["rankings"]]
    return Run(rankings, answer["milliseconds"], answer["versions"])


def _ask(command: list[str], log: Path, say: Say) -> int:
    """The exit code of an adapter, whose progress is said and whose complaints go into `log`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | QUIET
    with (
        log.open("w", encoding="utf8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(PROGRESS):
                say(line.removeprefix(PROGRESS).strip())
    return process.returncode


def scores(golden: GoldenSet, run: Run) -> Scores:
    """hit@1 and MRR@10 over the answerable questions, the median time over all distinct ones."""
    found = dict(zip(distinct_questions(golden), run.rankings, strict=True))
    able = [(question.relevant, found[question.text]) for question in golden.questions if question.answerable]
    return {
        "hit@1": statistics.fmean(hit_at(1, relevant, ranking) for relevant, ranking in able),
        "mrr@10": statistics.fmean(reciprocal_rank(relevant, ranking, DEPTH) for relevant, ranking in able),
        "p50_ms": statistics.median(run.milliseconds),
    }


def means(table: Table, languages: Mapping[str, str]) -> Table:
    """The mean of the sets in each language and of all sets, each set counting the same."""
    groups = {name: [s for s in table if languages[s] == name] for name in ("zh", "en")} | {"both": list(table)}
    return {
        f"mean {name}": {
            system: {measure: statistics.fmean(table[s][system][measure] for s in sets) for measure in MEASURES}
            for system in ("Kefu", *PEERS)
        }
        for name, sets in groups.items()
        if sets
    }


def ratios(table: Table) -> Table:
    """Kefu / peer for every row; a peer's 0 has no ratio."""
    return {
        row: {
            peer: {measure: systems["Kefu"][measure] / value for measure, value in systems[peer].items() if value}
            for peer in PEERS
        }
        for row, systems in table.items()
    }


def markdown(table: Table, questions: Mapping[str, int]) -> str:
    """One table for each measure, sets and means as rows. questions: answerable ones of each set."""
    ratio, blocks = ratios(table), []
    heads = ["questions", "Kefu", *PEERS, *(f"Kefu / {peer}" for peer in PEERS)]
    for measure, title in MEASURES.items():
        digits = 1 if measure == "p50_ms" else 3
        lines = [f"| {title} | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
        for row, systems in table.items():
            cells = [str(questions[row]) if row in questions else ""]
            cells += [f"{systems[system][measure]:.{digits}f}" for system in ("Kefu", *PEERS)]
            cells += [f"{ratio[row][peer][measure]:.2f}" if measure in ratio[row][peer] else "–" for peer in PEERS]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def open_kefu(folder: Path | None) -> Retrieval:
    """Kefu's: `folder`, else the one that the current release serves with."""
    settings = Settings(encoder=str(folder)) if folder else Settings()
    return open_retrieval(settings, open_release(settings))


def peers_folder(folder: Path | None) -> str:
    """What the peers load: `folder`, else the plain encoder that the settings name."""
    settings = Settings()
    if folder is None and settings.encoder == "embedded":
        folder = embedded_encoder(settings.models_folder)
    path = folder or Path(settings.encoder)
    return str(path.resolve()) if path.is_dir() else str(path)


def compare(golden: GoldenSet, folder: Path | None, python: Path, work: Path, say: Say) -> dict[str, Run]:
    """What Kefu and each peer do with one golden set, one after the other."""
    retrieval = open_kefu(folder)  # opened anew: it remembers the queries of the set before
    runs = {"Kefu": kefu_run(golden, retrieval, work / golden.name / "kefu", lambda text: say(f"Kefu: {text}"))}
    del retrieval
    request = request_of(golden, peers_folder(folder))
    for peer in PEERS:
        told = partial(_tell, say, peer)
        runs[peer] = peer_run(peer, golden, request, python, work / golden.name, told)
    return runs


def _tell(say: Say, who: str, text: str) -> None:
    say(f"{who}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, help="a sentence-transformers folder for both sides")
    arguments = parser.parse_args()
    console, work = Console(stderr=True), arguments.work.resolve()
    goldens = [read_golden_set(folder) for folder in arguments.sets]
    table: Table = {}
    versions: dict[str, str] = {}
    with console.status("") as status:
        python = peer_python(work, status.update)
        for golden in goldens:
            runs = compare(golden, arguments.encoder, python, work, partial(_tell, status.update, golden.name))
            table[golden.name] = {system: scores(golden, run) for system, run in runs.items()}
            versions |= {name: value for run in runs.values() for name, value in run.versions.items()}
            console.print(golden.name, {system: row["hit@1"] for system, row in table[golden.name].items()})
    rows = table | means(table, {golden.name: language_of_set(golden) for golden in goldens})
    questions = {golden.name: sum(question.answerable for question in golden.questions) for golden in goldens}
    report = {"versions": versions, "questions": questions, "scores": rows, "Kefu / peer": ratios(rows)}
    (work / "peers.json").write_text(json.dumps(report, ensure_ascii=False, indent=2), "utf8")
    (work / "peers.md").write_text(markdown(rows, questions), "utf8")
    sys.stdout.write(markdown(rows, questions))


if __name__ == "__main__":
    main()
