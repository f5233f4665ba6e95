"""A company's first month, simulated on real questions: does Kefu's loop raise what it can answer, and by how much?

Usage: python -m benchmarks.loop DEV --work DIR [--seed N]
Goes on where it was killed. Writes benchmarks/out/loop-N.json, one lot a file, and draws docs/learning.svg of all.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bars
from sqlalchemy import Engine

from benchmarks import covered, days
from benchmarks.covered import Scored
from benchmarks.loop_plot import draw
from benchmarks.month import UNUSED, Month, read_month
from benchmarks.newcomer import make_newcomer
from bot.bot import Bot
from bot.calibration import load
from bot.examples import Examples
from bot.lessons import FEWEST
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.releases import Release, Releases
from bot.settings import Settings
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Encoder
from training.evaluate import Run, evaluate, judged
from training.golden import read_golden_set
from training.journal import Journal
from training.round import Options, Round, Tools
from training.round_tools import tools
from training.rows import read_rows
from training.workspace import lend, with_calibration

WEEKS, DAYS = 4, 7
START = "start"  # the release of the first day
OUT, PLOT = Path(__file__).with_name("out"), Path(__file__).parents[1] / "docs" / "learning.svg"
_LIMIT = 150  # questions of each set that the loop has not used
Say = Callable[[str, int, int], None]
"""Called with (what is done, done, total)."""


class FirstMonth:
    """One company in `folder`: its data, its log, its releases, and what was measured, step by step."""

    def __init__(self, folder: Path, month: Month, tools: Tools, options: Options, seed: int = 1) -> None:
        """folder: with the release of the first day in data/releases/start."""
        self._folder, self._data = folder, folder / "data"
        self._month, self._tools, self._options, self._seed = month, tools, options, seed
        self._journal = Journal(folder / "journal", {"seed": seed})
        self._releases = Releases(self._data / "releases")
        self._opened: dict[str, Retrieval] = {}

    def run(self, plain: Encoder, unused: Sequence[Path], say: Say) -> dict[str, Any]:
        """The whole month and its figures. plain: the encoder of the neighbours; unused: sets to hold it to."""
        self._step("opened", lambda: self._open(say))
        self._step("neighbour", lambda: self._neighbours(plain, self._month.known, "neighbour"))
        self._step("unused-start", lambda: self._unused(unused, "start", say))
        weeks = [self._week(number, say) for number in range(1, WEEKS + 1)]
        with self._engine() as engine, self._serving(engine) as (_, knowledge):
            grown = knowledge.faqs()
        return {
            "seed": self._seed,
            "month": self._counts(),
            "still": self._found("opened"),
            "neighbour": self._found("neighbour"),
            "weeks": weeks,
            "by_set": {name: self._by_set(name) for name in ("still", f"week-{WEEKS}-after")},
            "neighbour_grown": self._step("grown", lambda: self._neighbours(plain, grown, "neighbour-grown")),
            "start_grown": self._step("start-grown", lambda: self._measured("start-grown", say, START)),
            "unused": {
                "start": self._found("unused-start"),
                "end": self._step("unused-end", lambda: self._unused(unused, "end", say)),
            },
        }

    def answers(self, name: str) -> list[Scored]:
        """The questions that are held out as they were answered in one measurement."""
        return [Scored(*row) for row in json.loads((self._folder / "answers" / f"{name}.json").read_text("utf8"))]

    def _open(self, say: Say) -> dict[str, Any]:
        """The first day: what is written down, and how far it goes without any learning."""
        self._releases.promote(START)
        with self._engine() as engine, self._serving(engine) as (_, knowledge):
            knowledge.put_faqs(self._month.known)
        return self._measured("still", say)

    def _week(self, number: int, say: Say) -> dict[str, Any]:
        week = f"week-{number}"
        lived = [self._step(f"{week}-day-{n}", partial(self._day, number, n, say)) for n in range(1, DAYS + 1)]
        examples = self._step(f"{week}-examples", lambda: self._review(say, week))
        before = self._step(f"{week}-before", lambda: self._measured(f"{week}-before", say))
        learned = self._step(f"{week}-round", lambda: self._learn(week, say))
        after = self._step(f"{week}-after", lambda: self._after(week, learned["passed"], say))
        return {
            "week": number,
            "days": {name: sum(day[name] for day in lived) for name in lived[0]},
            "examples": examples,
            "round": learned,
            "before": before,
            "after": after,
            "change": self._change(f"{week}-before", f"{week}-after"),
        }

    def _after(self, week: str, changed: bool, say: Say) -> dict[str, Any]:
        """The measurement after a round; the one before it where nothing was promoted."""
        if changed:
            return self._measured(f"{week}-after", say)
        return self._kept(f"{week}-after", self.answers(f"{week}-before"))

    def _day(self, week: int, day: int, say: Say) -> dict[str, Any]:
        all_, number = self._month.asked, (week - 1) * DAYS + day - 1
        say(f"week {week}: customers ask", day, DAYS)
        own = all_[len(all_) * number // (WEEKS * DAYS) : len(all_) * (number + 1) // (WEEKS * DAYS)]
        with self._engine() as engine, self._serving(engine) as (bot, knowledge):
            return asdict(days.live(bot, knowledge, self._month, own, Random(f"{self._seed} {number}")))

    def _review(self, say: Say, week: str) -> dict[str, Any]:
        say(f"{week}: examples", 0, 1)
        with self._engine() as engine, self._serving(engine) as (_, knowledge):
            found = days.review(engine, knowledge)
            return {"found": found.found, "added": found.added, **Examples(engine).counts()}

    def _learn(self, week: str, say: Say) -> dict[str, Any]:
        """A round, and its release promoted if the gate lets it pass."""
        say(f"{week}: a round of learning", 0, 1)
        with self._engine() as engine:
            if Examples(engine).counts()["approved"] < FEWEST["calibration"]:
                return {"passed": False, "reasons": ["too few examples"]}
            passed = Round(self._data, week, engine, self._tools, self._options).run()
        if passed:
            self._releases.promote(week)
        told = self._releases.judgement(week)
        assert told is not None
        trained = [one["part"] for one in told["lessons"] if one["train"]]
        reasons = [reason["en"] for reason in told["reasons"]]
        return {"passed": passed, "trained": trained, "reasons": reasons, "changed": told["changed"]}

    def _measured(self, name: str, say: Say, release: str = "") -> dict[str, Any]:
        """The questions that are held out, put to the bot as it is now; `release` instead of the one that serves."""
        with self._engine() as engine, self._serving(engine, release) as (bot, _):
            tell = lambda done, total: say(f"{name}: questions that are held out", done, total)  # noqa: E731
            return self._kept(name, covered.of_bot(bot, self._month.held_out, tell))

    def _neighbours(self, plain: Encoder, faqs: Sequence[Any], name: str) -> dict[str, Any]:
        return self._kept(name, covered.of_neighbours(plain, faqs, self._month.held_out))

    def _unused(self, folders: Sequence[Path], name: str, say: Say) -> dict[str, Any]:
        """Sets that the loop has never seen."""
        if not folders:
            return {}
        release = self._releases.current()
        run = Run(
            self._folder / "unused" / name, self._retrieval(release),
            with_calibration(load(release.calibration), None, release.name), release.name, _LIMIT, release.name,
        )  # fmt: skip
        evaluate(folders, run, lambda done, total: say(f"sets that were not used, {name}", done, total))
        answers = {(row.content["set"], row.id()): judged(row.content) for row in read_rows(run.out / "answers.jsonl")}
        asked = [(one, answers[golden.name, one.id]) for golden in map(read_golden_set, folders) for one in
                 golden.questions if (golden.name, one.id) in answers]  # fmt: skip
        return self._kept(f"unused-{name}", covered.of_golden(asked))

    def _kept(self, name: str, scored: Sequence[Scored]) -> dict[str, Any]:
        path = self._folder / "answers" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(scored, ensure_ascii=False, indent=0), "utf8")
        return covered.figures(scored)

    def _change(self, before: str, after: str) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for language in covered.LANGUAGES:
            own = [[one for one in self.answers(name) if one.language == language] for name in (before, after)]
            found[language] = [round(value, 4) for value in covered.rise(own[0], own[1])]
        return found

    def _by_set(self, name: str) -> dict[str, Any]:
        sets = {one.text: one.faq.split("-")[0] if one.faq else "" for one in self._month.held_out}
        return covered.by_set(self.answers(name), sets)

    def _counts(self) -> dict[str, Any]:
        month = self._month
        wordings = [(faq.language, 1 + len(faq.similar)) for faq in month.known]
        return {
            language: {
                "faqs": sum(faq.language == language for faq in month.truth.values()),
                "written": sum(faq.language == language for faq in month.known),
                "wordings_written": sum(count for own, count in wordings if own == language),
                "asked": sum(one.language == language for one in month.asked),
                "held_out": sum(one.language == language for one in month.held_out),
                "held_out_answerable": sum(one.language == language and one.faq is not None for one in month.held_out),
            }
            for language in covered.LANGUAGES
        }

    def _step(self, name: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What came of a step, which is done only once."""
        if (known := self._journal.result(name)) is None:
            self._journal.done(name, known := do())
        return known

    def _found(self, name: str) -> dict[str, Any]:
        found = self._journal.result(name)
        assert found is not None, f"{name} comes first"
        return found

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = open_database(f"sqlite:///{self._data / 'kefu.sqlite'}")
        migrate(engine, MIGRATIONS, VERSION_TABLE)
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def _serving(self, engine: Engine, name: str = "") -> Iterator[tuple[Bot, KnowledgeBase]]:
        release = self._releases.get(name) if name else self._releases.current()
        knowledge = open_in(self._data, self._retrieval(release))
        try:
            knowledge.encode_missing()
            yield Bot(knowledge, ConversationLog(engine), load(release.calibration), None, release.name), knowledge
        finally:
            knowledge.close()

    def _retrieval(self, release: Release) -> Retrieval:
        """What a release searches with; releases of one encoder share it."""
        weights = release.files.get("encoder/adapter_model.safetensors", "")
        if weights not in self._opened:
            self._opened[weights] = self._tools.open(release)
        return self._opened[weights]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="the folder with golden/ and train/")
    parser.add_argument("--work", type=Path, required=True, help="keeps everything, so that it can go on")
    parser.add_argument("--seed", type=int, default=1, help="by which lot wordings are shared out")
    parser.add_argument("--steps", type=int, default=60, help="batches that an encoder is trained with in a round")
    given = parser.parse_args()
    with _bars() as say:
        result = simulated(given.dev, given.work, given.seed, given.steps, say)
    OUT.mkdir(exist_ok=True)
    path = OUT / f"loop-{given.seed}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", "utf8")
    draw([json.loads(one.read_text("utf8")) for one in sorted(OUT.glob("loop-*.json"))], PLOT)
    Console(stderr=True).print(f"{path} and {PLOT} are written")


def simulated(dev: Path, work: Path, seed: int, steps: int, say: Say) -> dict[str, Any]:
    """The month of one lot with real models."""
    unused, folder = [dev / "golden" / name for name in UNUSED], work / f"lot-{seed}"
    settings = Settings(data=work, encoder="embedded")
    lend(make_newcomer(work, unused, say), folder / "data" / "releases" / START)
    plain = SentenceTransformerEncoder(str(embedded_encoder(work / "models")))
    month = FirstMonth(folder, read_month(dev, seed), tools(settings, steps), Options(), seed)
    return month.run(plain, unused, say) | {"steps": steps}


@contextmanager
def _bars() -> Iterator[Say]:
    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task("the first month", total=None)
        yield lambda what, done, total: bars.update(task, description=what, completed=done, total=total)


if __name__ == "__main__":
    main()
