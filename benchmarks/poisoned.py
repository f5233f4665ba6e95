"""Is a round refused when three labels in ten are wrong? Whole rounds with real models, each with other wrong labels.

Usage: python -m benchmarks.poisoned DEV --work DIR [--runs N] [--right N] [--steps N] [--jobs N]

The company of the first month on its first day; its customers' questions are the examples, labelled by staff. Some
rounds have right labels, each of other examples: what does the gate say of those? Goes on where it was killed; writes
benchmarks/out/poisoned.json. Two rounds at a time with a core each are done sooner than one by one with two cores.
"""

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import Engine, insert

from benchmarks.loop import OUT, START
from benchmarks.month import SETS, UNUSED, Month, read_month
from benchmarks.newcomer import make_newcomer
from bot.examples import Example, Examples
from bot.log import MIGRATIONS, VERSION_TABLE
from bot.releases import Releases
from bot.settings import Settings
from bot.tables import conversation
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.types import Faq
from training.round import Options, Round, Tools
from training.round_tools import tools
from training.workspace import lend

EXAMPLES = 500
WRONG = 0.3
RUNS, RIGHT = 20, 3
STEPS = 20  # batches: enough to learn the wrong from, and twenty rounds take an hour
_NAME = "spring"


def labelled(month: Month, count: int) -> list[Example]:
    """What customers ask in the month, the first of it, with the FAQ that answers it; approved."""
    known = {faq.id for faq in month.known}
    asked = [one for one in month.asked if one.faq in known][:count]
    made = []
    for one in asked:
        assert one.faq is not None
        id = sha256(one.text.encode()).hexdigest()
        answer = month.truth[one.faq].answer
        made.append(Example(id, f"c{id[:16]}", "staff", one.language, one.text, answer, one.faq, status="approved"))
    return made


def poisoned(examples: Sequence[Example], faqs: Sequence[Faq], share: float, dice: Random) -> list[Example]:
    """The examples with so many of their labels on another FAQ of the same language."""
    wrong = {one.id for one in dice.sample(examples, round(share * len(examples)))}

    def mislabelled(one: Example) -> Example:
        rest = [faq for faq in faqs if faq.language == one.language and faq.id != one.source_id]
        faq = dice.choice(rest)
        return replace(one, source_id=faq.id, answer=faq.answer)

    return [mislabelled(one) if one.id in wrong else one for one in examples]


def founded(folder: Path, month: Month, release: Path, made: Tools) -> Path:
    """The data folder of the company on its first day, made once."""
    if not folder.exists():
        draft = folder.with_name(f".{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        lend(release, draft / "releases" / START)
        releases = Releases(draft / "releases")
        releases.promote(START)
        knowledge = open_in(draft, made.open(releases.current()))
        knowledge.put_faqs(month.known)
        knowledge.close()
        draft.rename(folder)
    return folder


def one_round(
    company: Path, folder: Path, examples: Sequence[Example], made: Tools, options: Options
) -> dict[str, Any]:
    """What came of a round of a copy of the company; goes on with one that was killed."""
    lend(company, folder)
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    _keep(engine, examples)
    passed = Round(folder, _NAME, engine, made, options).run()
    engine.dispose()
    found = Releases(folder / "releases").judgement(_NAME)
    assert found is not None
    figures = {f"{one['figure']} {one['language'] or ''}".strip(): one["candidate"] for one in found["checks"]}
    trained = [one["part"] for one in found["lessons"] if one["train"]]
    return {"passed": passed, "reasons": [one["en"] for one in found["reasons"]], "trained": trained} | figures


def _keep(engine: Engine, examples: Sequence[Example]) -> None:
    kept = Examples(engine)
    if not kept.counts()["approved"]:
        with engine.begin() as connection:
            opened = [{"id": one.conversation_id, "opened": datetime.now(UTC)} for one in examples]
            connection.execute(insert(conversation), opened)
        kept.add(examples)


def _run(dev: Path, work: Path, steps: int, task: tuple[bool, int]) -> dict[str, Any]:
    """A round of a company that has been founded. task: whether its labels are wrong, and its number."""
    wrong, number = task
    made, month = tools(Settings(data=work, encoder="embedded"), steps), read_month(dev, 1, SETS[:3])
    share, before = (WRONG, 0) if wrong else (0.0, number * EXAMPLES)
    examples = poisoned(labelled(month, before + EXAMPLES)[before:], month.known, share, Random(number))
    folder = work / f"{'wrong' if wrong else 'right'}-{number}"
    return {"wrong": share} | one_round(work / "company", folder, examples, made, Options())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="the folder with golden/ and train/")
    parser.add_argument("--work", type=Path, required=True, help="keeps everything, so that it can go on")
    parser.add_argument("--runs", type=int, default=RUNS, help="rounds with wrong labels")
    parser.add_argument("--right", type=int, default=RIGHT, help="rounds with right labels")
    parser.add_argument("--steps", type=int, default=STEPS, help="batches that an encoder is trained with in a round")
    parser.add_argument("--jobs", type=int, default=1, help="rounds at a time, which share the cores")
    given = parser.parse_args()
    made, month = tools(Settings(data=given.work, encoder="embedded"), given.steps), read_month(given.dev, 1, SETS[:3])
    release = make_newcomer(given.work, [given.dev / "golden" / one for one in UNUSED], lambda what, done, total: None)
    founded(given.work / "company", month, release, made)
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // given.jobs))  # of the processes below
    screen, found = Console(stderr=True), []
    tasks = [(False, number) for number in range(given.right)] + [(True, number + 1) for number in range(given.runs)]
    one = partial(_run, given.dev, given.work, given.steps)
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for result in track(pool.map(one, tasks), "rounds", total=len(tasks), console=screen):
            found.append(result)
            OUT.mkdir(exist_ok=True)
            (OUT / "poisoned.json").write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf8")
            labels = "three in ten wrong" if result["wrong"] else "right labels"
            screen.print(labels, "passed" if result["passed"] else "refused", *result["reasons"], sep="\n  ")


if __name__ == "__main__":
    main()
