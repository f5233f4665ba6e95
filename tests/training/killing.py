"""Kills rounds of learning and promotions with SIGKILL at random moments, and looks at what is left each time.

Run as a program: `python -m tests.training.killing FOLDER [KILLS] [SEED]`. Prints how often each stage was hit; ends
with an AssertionError when what is left does not serve, is not consistent or cannot go on. Everything heavy is
imported once: each attempt is a fork, so that the kills fall into work and not into imports.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from sqlalchemy import insert

from bot.bot import Bot
from bot.calibration import load
from bot.examples import Example, Examples
from bot.lessons import FEWEST, Part
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.releases import Release, Releases
from bot.tables import conversation
from bot.types import Conversation, Done
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from training.gate import Limits
from training.journal import Watch
from training.round import Options, Round, Tools

THINGS = ("kettle", "lamp", "chair", "carpet", "mirror", "teapot", "clock", "basket")
STAGES = ("train", "evaluate", "promote")
_BEGINS = {"train": "labels", "evaluate": "calibrate", "promote": "judge"}  # the step whose end a stage follows
_SPAN = {"train": 0.3, "evaluate": 0.8, "promote": 0.5}  # seconds of a stage in which the kill falls
_STEPS = 20  # of the trainer


def set_up(data: Path) -> None:
    """A company with FAQs, approved examples and a golden set that every round is judged by."""
    data.mkdir(parents=True, exist_ok=True)
    faqs = [
        Faq(f"{one}.en", f"How do I return a {one}?", f"Send the {one} back in seven days.", "en") for one in THINGS
    ]
    faqs += [Faq(f"{one}.zh", f"{one}怎么退货？", f"七天内寄回{one}。", "zh") for one in THINGS]
    knowledge = open_in(data, Retrieval(encoder("default")))
    knowledge.put_faqs(faqs)
    knowledge.close()
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    ids = [f"c{n}" for n in range(24)]
    with engine.begin() as connection:
        connection.execute(insert(conversation), [{"id": id, "opened": datetime.now(UTC)} for id in ids])
    Examples(engine).add(
        Example(
            f"{n:064}", id, "staff", "en", f"please tell me how the {THINGS[n % 8]} goes back, case {n}",
            "Send it back.", f"{THINGS[n % 8]}.en", status="approved",
        )
        for n, id in enumerate(ids)
    )  # fmt: skip
    engine.dispose()
    golden = data / "golden"
    golden.mkdir()
    rows = [{"id": faq.id, "question": faq.question, "answer": faq.answer, "language": faq.language} for faq in faqs]
    (golden / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [
        {
            "id": faq.id, "question": f"{faq.question} now", "language": faq.language, "relevant": [faq.id],
            "answers": [], "answerable": True, "history": [],
        }
        for faq in faqs
    ]  # fmt: skip
    (golden / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))


def encoder(release: str) -> HashEncoder:
    """Each release has an encoder of its own, so that promoting has to read everything again; they read alike."""
    return HashEncoder("hash-1" if release == "default" else f"hash-{release}")


def learn_and_promote(data: Path, name: str) -> None:
    """What a trainer does: a round, then a trial, a promotion, a rollback, and the promotion again."""
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    tools = Tools("embedded", lambda release: Retrieval(encoder(release.name)), lambda _: None, _train, _described)
    options = Options("auto", (data / "golden",), Limits(false_answers=1.0, gap=1.0, slower=1e9, fewest=1))
    assert Round(data, name, engine, tools, options).run()
    engine.dispose()
    releases = Releases(data / "releases")
    knowledge = opened(data, name)
    knowledge.encode_missing()
    knowledge.close()
    if releases.serving() != name and releases.trial() is None:
        releases.begin_trial(name, 0.1)
    releases.promote(name)
    releases.rollback()
    releases.promote(name)


def opened(data: Path, release: str) -> KnowledgeBase:
    """The knowledge base as that release searches it."""
    return open_in(data, Retrieval(encoder(release)))


def look(data: Path) -> None:
    """A bot serves the current release and answers; every release is whole; the story ends with what serves."""
    releases = Releases(data / "releases")
    current = releases.current()
    for name in releases.names():
        releases.get(name)
    moves = [chapter for chapter in releases.story() if chapter.act in ("promote", "rollback")]
    assert (moves[-1].release if moves else "default") == current.name, (moves[-1:], current.name)
    assert all(before.release == after.before for before, after in zip(moves, moves[1:], strict=False))
    assert (trial := releases.trial()) is None or trial.release in releases.names()
    for path in (data / "rounds").glob("*/state.json"):
        json.loads(path.read_text("utf8"))
    with sqlite3.connect(data / "kefu.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    knowledge = opened(data, current.name)
    assert current.name == "default" or knowledge.needs_encoding() == 0, "it serves only what it has read"
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    bot = Bot(knowledge, ConversationLog(engine), load(current.calibration), None, current.name)
    replies = bot.reply(Conversation(bot.log.open().id), "How do I return a lamp?")
    answer = next(event.answer for event in replies if isinstance(event, Done))
    assert (answer.kind, answer.release) == ("faq", current.name) and "lamp" in answer.text
    bot.close()


def _train(part: Part, data: Sequence[Path], out: Path, current: Release, watch: Watch) -> None:
    """Goes on from its checkpoint, as the real ones do."""
    (out / "adapter").mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.json"
    done = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
    for step in range(done + 1, _STEPS + 1):
        time.sleep(0.01)
        draft = out / "draft.json"
        draft.write_text(json.dumps(step))
        draft.replace(checkpoint)
        watch(step, _STEPS, 1 / step)
    (out / "run.json").write_text("{}")
    (out / "adapter" / "adapter_config.json").write_text('{"lora_alpha": 2}')
    save_file({"w": np.ones((2, 2), np.float32)}, str(out / "adapter" / "adapter_model.safetensors"))


def _described(part: Part) -> Mapping[str, Any]:
    return {"base": "embedded", "base_sha256": "0" * 64}


def forked(work: Callable[[], None]) -> int:
    """Begin the work in a process of its own; its id."""
    if pid := os.fork():
        return pid
    try:
        work()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> None:
    """Wait for a process that must end well."""
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def reached(data: Path, name: str, stage: str) -> bool:
    """Whether a round's notes say that it is in that stage, or beyond."""
    path = data / "rounds" / name / "state.json"
    return path.exists() and _BEGINS[stage] in json.loads(path.read_text("utf8"))["steps"]


def attempt(data: Path, name: str, chance: random.Random) -> str | None:
    """Let the work go on and kill it in a stage drawn by lot; the stage, None when it ended first."""
    stage = chance.choice(STAGES)
    delay = chance.uniform(0, _SPAN[stage])
    pid = forked(lambda: learn_and_promote(data, name))
    while not reached(data, name, stage):
        if os.waitpid(pid, os.WNOHANG)[0]:
            raise AssertionError(f"{name} ended before {stage}")
        time.sleep(0.001)
    time.sleep(delay)
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        assert os.waitstatus_to_exitcode(status) == 0, f"{name} cannot go on"
        return None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return stage if not reached(data, name, "promote") else "promote"


def main(data: Path, kills: int, seed: int) -> Counter[str]:
    """Kill so often; how often each stage was hit, and how many rounds came to their end."""
    FEWEST["calibration"], FEWEST["encoder"] = 10, 20
    chance = random.Random(seed)
    ended(forked(lambda: set_up(data)))
    hit: Counter[str] = Counter()
    number = 0
    while hit.total() - hit["rounds"] < kills:
        stage = attempt(data, f"round-{number}", chance)
        if stage is None:
            number += 1
            hit["rounds"] += 1
        else:
            hit[stage] += 1
        ended(forked(lambda: look(data)))
    ended(forked(lambda: learn_and_promote(data, f"round-{number}")))
    ended(forked(lambda: look(data)))
    assert Releases(data / "releases").serving() == f"round-{number}"
    hit["rounds"] += 1
    return hit


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    counted = main(Path(sys.argv[1]), int(arguments.get(2, 50)), int(arguments.get(3, 7)))
    sys.stdout.write(json.dumps(counted) + "\n")
