"""One round of learning: examples → dataset → training → thresholds → comparison → gate → a release, or a refusal.

Each step is written down when it is done, so that a round that was killed goes on where it stood. Promotes nothing.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.calibration import load
from bot.examples import Examples
from bot.lessons import FEWEST, Lesson, Part, Wanted, lessons, used_by
from bot.releases import SHIPPED, Release, Releases
from bot.types import BotError, TextGenerator
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Language, Progress
from training import judgement
from training.calibrate import TOPICS, try_all
from training.company_sets import (
    Company,
    company,
    judged_questions,
    parted,
    without_some,
    without_wordings,
    write_set,
)
from training.dataset import build, held_out, question_rows
from training.evaluate import Run, evaluate
from training.examples import TrainingDataError
from training.gate import Limits, gate, labels_check
from training.golden import read_golden_set
from training.harvest import Masking, harvest
from training.journal import Journal, Watch
from training.labels import doubtful, write_labels
from training.recalibrate import read, recalibrated
from training.release import Part as Trained
from training.release import describe, make_release
from training.workspace import lend, with_calibration

REGRESSION = Path(__file__).parents[1] / "web" / "demo"  # a frozen golden set that every round is judged by as well
_DATASET = ("hash", "train", "fit", "held_out", "languages", "labels", "judging")
_MODELS: tuple[Part, ...] = ("encoder", "reranker", "generator")
Train = Callable[[Part, Sequence[Path], Path, Release, Watch], None]
"""Trains a part: (part, data, the run's folder, the current release, watch); goes on from its last checkpoint."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a round works with beside files and the database. `described`: what release.json says of a part's base."""

    encoder: str  # that the operator serves
    open: Callable[[Release], Retrieval]
    generator: Callable[[Release], TextGenerator | None]
    train: Train
    described: Callable[[Part], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Options:
    """wanted: what to train; regression: golden sets that every round is judged by; limits: what the gate lets pass."""

    wanted: Wanted = "auto"
    regression: tuple[Path, ...] = (REGRESSION,)
    limits: Limits = Limits()
    masking: Masking = Masking()


class Round:
    """One round in `<data>/rounds/<name>`; what it makes becomes `<data>/releases/<name>`."""

    def __init__(self, data: Path, name: str, engine: Engine, tools: Tools, options: Options) -> None:
        self._folder = data / "rounds" / name
        self._name = name
        self._engine = engine
        self._tools = tools
        self._options = options
        self._releases = Releases(data / "releases")
        self._journal = Journal(self._folder, {"wanted": options.wanted})
        self._opened: dict[str, Retrieval] = {}

    def run(self) -> bool:
        """Do what is not done yet; whether the candidate has passed. Raises TrainingDataError, BotError and others."""
        steps: dict[str, Callable[[], Mapping[str, Any]]] = {
            "collect": self._collect,
            "dataset": self._dataset,
            "labels": self._labels,
            "train": self._train,
            "calibrate": self._calibrate,
            "current": lambda: self._compare("current", self._current()),
            "candidate": lambda: self._compare("candidate", self._candidate()),
            "judge": self._judge,
        }
        self._journal.tell("running")
        try:
            for name, step in steps.items():
                if self._journal.result(name) is None:
                    self._journal.done(name, step())
        except Exception as error:
            self._journal.tell("failed", str(error) or type(error).__name__)
            raise
        passed = bool(self._found("judge")["passed"])
        self._journal.tell("passed" if passed else "refused")
        return passed

    def _collect(self) -> Mapping[str, Any]:
        if self._name in self._releases.names():
            raise BotError(f"there is a release {self._name!r} already; choose another name for the round")
        found = harvest(self._engine, list(self._known().faqs), self._options.masking, self._progress("collect"))
        counts = {"conversations": found.conversations, "added": found.added}
        return counts | {"found": found.found, "masked": found.masked}

    def _dataset(self) -> Mapping[str, Any]:
        """The dataset, what to train with it, and the golden sets of the company."""
        watch = self._progress("dataset")
        approved, known = Examples(self._engine).approved(), self._known()
        try:
            made = build(approved, known.faqs, self._folder / "dataset")
        except ValueError as error:
            raise TrainingDataError(str(error)) from error
        current = self._releases.current()
        chosen = self._choose(made.train + made.held_out, current)
        train, fit = parted(approved, any(one.train and one.part in _MODELS for one in chosen))
        fits, kept = [one.question for one in fit], [one.question for one in approved if held_out(one)]
        if train:
            build(train, without_wordings(known, [*fits, *kept]).faqs, self._folder / "training")
        fitted = without_some(without_wordings(known, fits), question_rows(fit, known.ids))
        fitting = write_set(self._folder / "fit" / "company", *fitted)
        asked = judged_questions(approved, self._engine, known)
        judging = write_set(self._folder / "judge" / "company", without_wordings(known, kept), asked)
        watch(1, 1)
        return {
            "hash": made.hash, "train": len(train), "fit": len(fit), "held_out": made.held_out,
            "languages": dict(made.languages), "labels": dict(made.labels), "fitting": fitting, "judging": judging,
            "current": current.name, "lessons": [_told(one) for one in chosen],
        }  # fmt: skip

    def _choose(self, have: int, current: Release) -> tuple[Lesson, ...]:
        wanted = self._journal.options["wanted"]
        chosen = lessons(have, used_by(current, self._tools.encoder), wanted)
        if not any(one.train for one in chosen):
            raise TrainingDataError(
                f"{have} approved examples are too few to learn from, it takes {FEWEST['calibration']}; "
                "approve more in the console, under Learning, then go on with this round"
            )
        return chosen

    def _labels(self) -> Mapping[str, Any]:
        """Ask the current release what the examples ask, as if they were not known: labels not found are doubtful."""
        folder, approved = self._folder / "labels" / "company", Examples(self._engine).approved()
        if write_labels(folder, approved, self._known()):
            self._evaluate("labels", [folder], self._current(), None)
        return doubtful(folder, self._folder / "answers" / "labels" / "answers.jsonl", approved)

    def _train(self) -> Mapping[str, Any]:
        trained = [part for part in _MODELS if self._trains(part)]
        for part in trained:
            self._tools.train(
                part, [self._folder / "training" / "train", TOPICS], self._folder / "runs" / part,
                self._current(), self._journal.watch(part),
            )  # fmt: skip
        return {"trained": trained}

    def _calibrate(self) -> Mapping[str, Any]:
        """The candidate: what was trained, all else as it is in the current release, thresholds fitted for it."""
        self._assemble()
        candidate, folder = self._candidate(), self._folder / "candidate"
        base, trials = read(self._current().calibration), []
        fit = self._folder / "fit" / "company"
        if fit.exists():
            golden, work = read_golden_set(fit), self._folder / "knowledge"
            if not self._trained():
                lend(self._folder / "answers" / "labels" / golden.name / "knowledge", work / golden.name)
            trials = try_all(
                golden, work, self._retrieval(candidate), load(candidate.calibration), self._progress("calibrate")
            )
        content = recalibrated(base, trials, self._retrieval(candidate).encoder.files_sha256)
        (folder / "calibration.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
        describe(folder)
        return {"trials": len(trials)}

    def _assemble(self) -> None:
        current, folder = self._current(), self._folder / "candidate"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        source = SHIPPED if current.name == "default" else current.calibration.parent
        content = json.loads((source / "release.json").read_text("utf8"))
        trained = self._trained()
        kept = {part: content[part] for part in _MODELS if part in content and part not in trained}
        for described in kept.values():
            if described.get("adapter"):
                shutil.copytree(source / described["adapter"], folder / described["adapter"])
        if current.fusion:
            shutil.copyfile(current.fusion, folder / "fusion.json")
        parts: dict[str, Trained] = {
            part: Trained(self._folder / "runs" / part, self._tools.described(part)) for part in trained
        }
        make_release(folder, parts, current.calibration)
        describe(folder, {str(part): told for part, told in kept.items()})

    def _compare(self, which: str, release: Release) -> Mapping[str, Any]:
        self._lend(which)
        return self._evaluate(which, self._sets(), release, self._tools.generator(release))

    def _evaluate(
        self, which: str, sets: Sequence[Path], release: Release, generator: TextGenerator | None
    ) -> Mapping[str, Any]:
        files = hashlib.sha256(json.dumps(dict(release.files), sort_keys=True).encode()).hexdigest()
        open_bot = with_calibration(load(release.calibration), generator, release.name)
        identity = f"{release.name} {files} {getattr(generator, 'name', '')}"
        out, name = self._folder / "answers" / which, release.name
        run = Run(out, self._retrieval(release), open_bot, identity, release=name, known=self._engine)
        content = evaluate(sets, run, self._progress(which))
        return {"questions": content["all"]["questions"]}

    def _lend(self, which: str) -> None:
        """What the same encoder has read already in this round need not be read again."""
        answers = self._folder / "answers"
        before = "labels" if which == "current" else "current"
        for name in (one.resolve().name for one in self._sets()):
            new = which == "candidate" and self._trained()
            read = self._folder / "knowledge" / name if new else answers / before / name / "knowledge"
            lend(read, answers / which / name / "knowledge")

    def _judge(self) -> Mapping[str, Any]:
        folder, made = self._folder / "candidate", self._releases.folder / self._name
        if not made.exists():  # else killed between the move and its note
            # an adapter does the same arithmetic: what differs then is only what else the machine was doing
            same = not {"reranker", "generator"} & set(self._trained())
            limits = replace(self._options.limits, slower=math.inf) if same else self._options.limits
            dataset, labels = self._found("dataset"), self._found("labels")
            answers = (self._folder / "answers" / which for which in ("current", "candidate"))
            pairs = judgement.compared(self._sets(), *answers)
            verdict = gate(pairs, limits, labels_check(labels["doubtful"], labels["looked"], limits))
            about = {"candidate": self._name, "current": dataset["current"], "round": self._name}
            about |= {"lessons": dataset["lessons"], "dataset": {name: dataset[name] for name in _DATASET}}
            about["doubtful"] = labels["shown"]
            judgement.write(judgement.judgement(verdict, limits, about), folder)
            describe(folder)
            made.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(made)
        found = self._releases.judgement(self._name)
        assert found is not None
        if not found["passed"] and not any(
            one.act == "refuse" and one.release == self._name for one in self._releases.story()
        ):
            reasons = "; ".join(reason["en"] for reason in found["reasons"])
            self._releases.tell("refuse", self._name, found["current"], reasons)
        return {"passed": found["passed"], "changed": found["changed"], "reasons": found["reasons"]}

    def _sets(self) -> list[Path]:
        own = self._folder / "judge" / "company"
        return [*([own] if own.exists() else []), *self._options.regression]

    def _retrieval(self, release: Release) -> Retrieval:
        """What a release searches with, opened once; a candidate that has learned no model shares the current's."""
        own = release.name != self._found("dataset")["current"] and self._trained()
        name = release.name if own else "current"
        if name not in self._opened:
            self._opened[name] = self._tools.open(release)
        return self._opened[name]

    def _current(self) -> Release:
        """The release that served when the round began; another may have been promoted since."""
        return self._releases.get(self._found("dataset")["current"])

    def _candidate(self) -> Release:
        return Releases(self._folder).get("candidate")

    def _known(self) -> Company:
        return company(self._engine)

    def _trained(self) -> list[Part]:
        return list(self._found("train")["trained"])

    def _trains(self, part: Part) -> bool:
        return any(one["part"] == part and one["train"] for one in self._found("dataset")["lessons"])

    def _found(self, step: str) -> dict[str, Any]:
        found = self._journal.result(step)
        assert found is not None, f"{step} comes first"
        return found

    def _progress(self, step: str) -> Progress:
        watch = self._journal.watch(step)
        return lambda done, total: watch(done, total, None)


def _told(lesson: Lesson) -> dict[str, Any]:
    both: tuple[Language, ...] = ("zh", "en")
    names, reasons = ({language: say(language) for language in both} for say in (lesson.name, lesson.sentence))
    return {"part": lesson.part, "train": lesson.train, "name": names, "why": reasons}
