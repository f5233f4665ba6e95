"""Puts every question of golden sets to the bot and keeps the answers. Trains nothing, scores nothing itself.

Answers are written as they come, a folder a set, so that an interrupted run goes on where it stopped; at the end
stand answers.jsonl with all of them, report.json with the scores and report.html for people.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.bot import Bot
from bot.prompt import source
from bot.types import Answer, Conversation, Done, Message
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Progress
from training.golden import GoldenSet, GoldenSetError, Question, read_golden_set
from training.metrics import Judged
from training.page import page
from training.report import Asked, report
from training.rows import read_rows
from training.workspace import OpenBot, golden_bot


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation: where it writes, with which search and bot, how many questions of each set (0: all).

    identity: changes when the same question could get another answer; answers of another run are asked again.
    release: the name that the report gives to what was evaluated. known: a database with vectors of the same encoder,
    which are not computed again.
    """

    out: Path
    retrieval: Retrieval
    open_bot: OpenBot
    identity: str
    limit: int = 0
    release: str = ""
    known: Engine | None = None


def evaluate(folders: Sequence[Path], run: Run, progress: Progress) -> dict[str, Any]:
    """Evaluate golden sets; returns the content of report.json, which it writes with the page and the answers.

    progress: called with (done, total) while storing and while asking, set by set. Raises GoldenSetError for a
    set that cannot be used, before any question is asked.
    """
    goldens = [read_golden_set(folder) for folder in folders]
    names = [golden.name for golden in goldens]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise GoldenSetError(f"two golden sets are named {twice!r}; rename the folder of one")
    run.out.mkdir(parents=True, exist_ok=True)
    asked: list[Asked] = []
    lines: list[str] = []
    for golden in goldens:
        for question, line in _evaluate_set(golden, run, progress):
            asked.append(Asked(golden.name, question, judged(line)))
            lines.append(_json(line) + "\n")
    made = {"release": run.release, "encoder": run.retrieval.encoder.fingerprint, "made": datetime.now(UTC).isoformat()}
    content = made | report(asked)
    (run.out / "answers.jsonl").write_text("".join(lines), "utf8")
    (run.out / "report.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
    (run.out / "report.html").write_text(page(content, asked), "utf8")
    return content


def ask(bot: Bot, question: Question) -> Answer:
    """The bot's answer to one golden question, after its history."""
    at = datetime.now(UTC)
    turns = tuple(
        Message(f"{question.id}-{n}", "bot" if role != "customer" and role != "user" else "customer", text, at)
        for n, (role, text) in enumerate(question.history)
    )
    conversation = Conversation(bot.log.open().id, turns)
    return next(event.answer for event in bot.reply(conversation, question.text) if isinstance(event, Done))


def row(question: Question, answer: Answer) -> dict[str, Any]:
    """One line of answers.jsonl; hits name each document or FAQ once, in rank order.

    evidence: the cited passages, each under its title and headings, for whoever checks what the answer says.
    """
    cited = {citation.passage_id for citation in answer.citations}
    return {
        "id": question.id,
        "kind": answer.kind,
        "text": answer.text,
        "confidence": round(answer.confidence, 4),
        "hits": list(dict.fromkeys(hit.passage.source_id for hit in answer.hits)),
        "citations": list(dict.fromkeys(citation.source_id for citation in answer.citations)),
        "evidence": [source(hit) for hit in answer.hits if hit.passage.id in cited],
        "latency_ms": answer.latency_ms,
    }


def judged(line: dict[str, Any]) -> Judged:
    """A line of answers.jsonl as it is judged."""
    hits, citations, evidence = (tuple(line[name]) for name in ("hits", "citations", "evidence"))
    return Judged(line["kind"], line["text"], line["confidence"], hits, citations, evidence, line["latency_ms"])


def _evaluate_set(golden: GoldenSet, run: Run, progress: Progress) -> list[tuple[Question, dict[str, Any]]]:
    """The questions with their lines of answers.jsonl."""
    folder = run.out / golden.name
    folder.mkdir(parents=True, exist_ok=True)
    questions = golden.questions[: run.limit] if run.limit else golden.questions
    path = folder / "answers.jsonl"
    done = _answered(path, folder / "identity", f"{run.retrieval.encoder.fingerprint} {run.identity} {_digest(golden)}")
    with golden_bot(golden, folder / "knowledge", run.retrieval, run.open_bot, progress, run.known) as bot:
        with path.open("a", encoding="utf8") as lines:
            for number, question in enumerate(questions, 1):
                if question.id not in done:
                    done[question.id] = line = {"set": golden.name} | row(question, ask(bot, question))
                    lines.write(_json(line) + "\n")
                    lines.flush()
                progress(number, len(questions))
    return [(question, done[question.id]) for question in questions]


def _answered(path: Path, identity: Path, wanted: str) -> dict[str, dict[str, Any]]:
    """Answers of an earlier run of the same identity; a half-written last line is dropped from the file."""
    if not path.exists() or not identity.exists() or identity.read_text("utf8") != wanted:
        path.write_text("", "utf8")  # first: were the identity there before, old answers could pass for its own
        identity.write_text(wanted, "utf8")
        return {}
    os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
    return {line.id(): line.content for line in read_rows(path)}


def _digest(golden: GoldenSet) -> str:
    """Of all that an answer depends on; labels may be mended without asking again."""
    asked = [(question.id, question.text, question.history) for question in golden.questions]
    return hashlib.sha256(repr((golden.documents, golden.faqs, asked)).encode()).hexdigest()


def _json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)
