"""Puts every question of golden sets to the bot and scores the answers. Trains nothing.

Answers are written as they come, a folder a set, so that an interrupted run goes on where it stopped; at the end
stand answers.jsonl with all of them and report.json with the scores by set and by language.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.bot import Bot
from bot.types import Answer, Conversation, Done, Message
from knowledge_base.types import Encoder, Progress
from training.golden import GoldenSet, Question, read_golden_set
from training.metrics import Judged, summary
from training.workspace import OpenBot, golden_bot


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation: where it writes, with which encoder and bot, how many questions of each set (0: all).

    identity: changes when the same question could get another answer; answers of another run are asked again.
    """

    out: Path
    encoder: Encoder
    open_bot: OpenBot
    identity: str
    limit: int = 0


def evaluate(folders: Sequence[Path], run: Run, progress: Progress) -> dict[str, Any]:
    """Evaluate golden sets; returns and writes the report.

    progress: called with (done, total) while storing and while asking, set by set. Raises GoldenSetError for a
    set that cannot be used, before any question is asked.
    """
    goldens = [read_golden_set(folder) for folder in folders]
    run.out.mkdir(parents=True, exist_ok=True)
    asked: list[tuple[Question, Judged]] = []
    lines: list[str] = []
    report: dict[str, Any] = {"encoder": run.encoder.fingerprint, "sets": {}}
    for golden in goldens:
        pairs = _evaluate_set(golden, run, progress)
        report["sets"][golden.name] = _scores(pairs)
        asked += pairs
        lines.append((run.out / golden.name / "answers.jsonl").read_text("utf8"))
    (run.out / "answers.jsonl").write_text("".join(lines), "utf8")
    report["languages"] = {
        language: _scores([pair for pair in asked if pair[0].language == language]) for language in ("zh", "en")
    }
    report["all"] = _scores(asked)
    (run.out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf8")
    return report


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
    """One line of answers.jsonl; hits name each document or FAQ once, in rank order."""
    return {
        "id": question.id,
        "kind": answer.kind,
        "text": answer.text,
        "confidence": round(answer.confidence, 4),
        "hits": list(dict.fromkeys(hit.passage.source_id for hit in answer.hits)),
        "citations": list(dict.fromkeys(citation.source_id for citation in answer.citations)),
        "latency_ms": answer.latency_ms,
    }


def judged(line: dict[str, Any]) -> Judged:
    return Judged(line["kind"], line["text"], line["confidence"], tuple(line["hits"]), tuple(line["citations"]))


def _evaluate_set(golden: GoldenSet, run: Run, progress: Progress) -> list[tuple[Question, Judged]]:
    folder = run.out / golden.name
    folder.mkdir(parents=True, exist_ok=True)
    questions = golden.questions[: run.limit] if run.limit else golden.questions
    path = folder / "answers.jsonl"
    done = _answered(path, folder / "identity", f"{run.encoder.fingerprint} {run.identity}")
    with golden_bot(golden, folder / "knowledge", run.encoder, run.open_bot, progress) as bot:
        with path.open("a", encoding="utf8") as lines:
            for number, question in enumerate(questions, 1):
                if question.id not in done:
                    done[question.id] = line = row(question, ask(bot, question))
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                    lines.flush()
                progress(number, len(questions))
    return [(question, judged(done[question.id])) for question in questions]


def _answered(path: Path, identity: Path, wanted: str) -> dict[str, dict[str, Any]]:
    """Answers of an earlier run of the same identity; a half-written last line is dropped from the file."""
    same = identity.exists() and identity.read_text("utf8") == wanted
    identity.write_text(wanted, "utf8")
    if not path.exists() or not same:
        path.write_text("", "utf8")
        return {}
    whole = [line for line in path.read_text("utf8").split("\n")[:-1] if line]
    path.write_text("".join(line + "\n" for line in whole), "utf8")
    return {row["id"]: row for row in map(json.loads, whole)}


def _scores(pairs: Iterable[tuple[Question, Judged]]) -> dict[str, float]:
    pairs = list(pairs)
    return summary([question for question, _ in pairs], [answer for _, answer in pairs])
