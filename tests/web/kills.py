"""Kills whatever writes to a data folder with SIGKILL at random moments, and looks at what is left each time.

Adding, replacing, publishing, importing, deleting, rebuilding and chatting, in a process that says when each is done.
After each kill another process opens the folder: what was said to be done is there whole, what was not is there whole
or not at all, store and indexes are equal, questions are answered. As a program (`make kills`): [--kills N].
Each process is a fork of one that has imported everything and opened nothing, so that kills fall into work.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.bot import Bot
from bot.types import Conversation, Done
from knowledge_base.types import Document, Faq
from tests.web.console.server import open_bot

ACTS = ("add", "add", "publish", "import", "delete", "rebuild", "chat", "chat")
SOURCES = 12  # ids that are written again and again
Said = dict[str, Any]


@dataclass
class Known:
    """What the folder must hold: by id the text, None for what was deleted; and conversations by id their questions."""

    texts: dict[str, str | None] = field(default_factory=dict)
    chats: dict[str, list[str]] = field(default_factory=dict)
    unanswered: Counter[str] = field(default_factory=Counter)  # by conversation: killed while being answered
    under_way: Said | None = None  # what was begun and never said to be done

    def done(self, act: Said) -> None:
        """Note what an act has changed."""
        self.texts.update(act.get("texts", {}))
        if "question" in act:
            self.chats.setdefault(act["conversation"], []).append(act["question"])
        self.under_way = None


# ---- the process that is killed


def work(folder: Path, seed: int, say: Callable[[Said], None]) -> None:
    """Act until killed, saying what is begun and what is done."""
    dice = random.Random(seed)
    bot = open_bot(folder)
    knowledge: Any = bot.knowledge
    for number in range(10_000):
        act = planned(dice.choice(ACTS), dice, f"{seed}-{number}")
        say({"begun": act})
        match act["act"]:
            case "add":
                knowledge.put([document(id, text) for id, text in act["texts"].items()])
            case "publish" | "import":
                knowledge.put_faqs([faq(id, text) for id, text in act["texts"].items()])
            case "delete":
                knowledge.delete(list(act["texts"]))
            case "rebuild":
                knowledge.rebuild()
            case "chat":
                chat(bot, act["conversation"], act["question"])
        say({"done": act})


def planned(act: str, dice: random.Random, stamp: str) -> Said:
    """What is to be done, as can be told to the other side."""
    some = dice.sample(range(SOURCES), dice.randint(1, 3))
    if act == "add":
        return {"act": act, "texts": {f"d{n}.md": text_of(n, stamp) for n in some}}
    if act == "publish":
        return {"act": act, "texts": {f"f{some[0]}.zh": text_of(some[0], stamp)}}
    if act == "import":
        return {"act": act, "texts": {f"i{n}.zh": text_of(n, stamp) for n in range(SOURCES)}}
    if act == "delete":
        return {"act": act, "texts": dict.fromkeys(dice.choice((f"d{n}.md", f"f{n}.zh", f"i{n}.zh")) for n in some)}
    if act == "chat":
        return {"act": act, "conversation": f"c{dice.randrange(3)}", "question": f"第 {stamp} 个问题是什么？"}
    return {"act": act}


def text_of(number: int, stamp: str) -> str:
    """A text of several passages that tells when it was written: a half of it would be seen."""
    return "\n\n".join(
        f"## 第 {part} 节\n\n{number} 号产品第 {part} 节，版本 {stamp}，保修 {part} 年。" for part in range(6)
    )


def document(id: str, text: str) -> Document:
    return Document(id, f"说明 {id}", text, "zh")


def faq(id: str, text: str) -> Faq:
    return Faq(id, f"{id} 的问题是什么？", text, "zh", (f"{id} 怎么办",))


def chat(bot: Bot, conversation: str, question: str) -> None:
    known = bot.log.load(conversation) or Conversation(conversation)
    assert isinstance(list(bot.reply(known, question))[-1], Done)


# ---- the process that looks


def look(folder: Path, known: Known) -> Said:
    """What of the act under way has happened. Raises AssertionError for anything lost, halved or unequal."""
    with sqlite3.connect(folder / "kefu.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    bot = open_bot(folder)
    knowledge: Any = bot.knowledge
    try:
        knowledge.search("产品的保修", "zh")  # which brings the indexes up to date
        wrong = [finding for finding in knowledge.check() if not finding.ok]
        assert not wrong, wrong
        held = {one.id: one.text for one in knowledge.documents()} | {one.id: one.answer for one in knowledge.faqs()}
        pending = (known.under_way or {}).get("texts", {})
        happened = {id: held.get(id) for id in pending}
        for id, text in known.texts.items():
            allowed = {text, pending[id]} if id in pending else {text}
            assert held.get(id) in allowed, f"{id} was lost or halved"
        for id in set(held) - set(known.texts):
            assert held[id] == pending.get(id), f"{id} came from nowhere"
        for id, text in held.items():
            if id.endswith(".zh"):
                hit = knowledge.search(f"{id} 的问题是什么？", "zh", 1)[0]
                assert (hit.passage.source_id, hit.passage.text) == (id, text), f"{id} is not what is found"
        return {"texts": happened, "chats": {id: chats(bot, id, known) for id in known.chats | waiting(known)}}
    finally:
        bot.close()


def waiting(known: Known) -> dict[str, list[str]]:
    under_way = known.under_way or {}
    return {under_way["conversation"]: []} if "question" in under_way else {}


def chats(bot: Bot, id: str, known: Known) -> list[str]:
    """The questions of a conversation: all that were answered, each with its answer, and at most the one under way."""
    conversation = bot.log.load(id)
    messages = conversation.messages if conversation else ()
    asked = [said.text for said in messages if said.role == "customer"]
    expected = known.chats.get(id, [])
    assert asked[: len(expected)] == expected, f"{id} lost a question"
    answered = [said.text for said in messages if said.role == "bot"]
    assert len(asked) - len(expected) <= 1, f"{id} was asked what nobody asked"
    assert len(answered) >= len(expected) - known.unanswered[id], f"{id} lost an answer"
    return asked


# ---- the process that kills


def forked(job: Callable[[Callable[[Said], None]], None]) -> tuple[int, Any]:
    """Run a job in a process of its own; its number and a file of what it says, one JSON a line."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, os.fdopen(reading, encoding="utf-8")
    status = 1
    try:
        os.close(reading)
        job(lambda said: void(os.write(writing, (json.dumps(said) + "\n").encode())))
        status = 0
    except BaseException as problem:
        os.write(2, f"{type(problem).__name__}: {problem}\n"[:2000].encode())
    finally:
        os._exit(status)


def void(_: object) -> None:
    """Nothing."""


def kill_once(folder: Path, seed: int, known: Known) -> str:
    """Let work go on for a random while, kill it, and take note; returns the act that was under way."""
    dice = random.Random(seed)
    child, told = forked(lambda say: work(folder, seed, say))
    most, nap = dice.randint(1, 12), dice.random() ** 2 * 0.06
    with told:
        for line in told:
            take(known, line)
            most -= "begun" in line
            if most == 0:
                time.sleep(nap)
                break
        os.kill(child, signal.SIGKILL)
        for line in told:
            if line.endswith("\n"):
                take(known, line)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it ended by itself"
    return known.under_way["act"] if known.under_way else "between"


def take(known: Known, line: str) -> None:
    said = json.loads(line)
    if "done" in said:
        known.done(said["done"])
    else:
        known.under_way = said["begun"]


def kills(folder: Path, count: int, seed: int) -> Counter[str]:
    """Kill so often, looking after each; returns how often each act was hit. Raises AssertionError."""
    known, hit = Known(), Counter[str]()
    for number in range(count):
        hit[kill_once(folder, seed + number, known)] += 1
        child, told = forked(lambda say: say(look(folder, known)))
        with told:
            found = told.readline()
        assert os.waitpid(child, 0)[1] == 0, f"after kill {number} of seed {seed}: {known.under_way}"
        settle(known, json.loads(found))
    return hit


def settle(known: Known, found: Said) -> None:
    """Take what was under way as it has turned out."""
    known.texts.update(found["texts"])
    for id, asked in found["chats"].items():
        known.unanswered[id] += len(asked) - len(known.chats.get(id, []))
        known.chats[id] = asked
    known.under_way = None


def main() -> None:
    """Read the command line and kill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        hit = kills(Path(folder) / "data", asked.kills, asked.seed)
    result = {"kills": hit.total(), "under way": hit, "seconds": round(time.monotonic() - began, 1)}
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
