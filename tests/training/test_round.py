"""A round of learning with small fakes: the order of its steps, going on after a kill at each, refusal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from sqlalchemy import Engine, insert, select

from bot.examples import Example, Examples
from bot.golden import GoldenQuestion, GoldenQuestions
from bot.lessons import FEWEST, Part
from bot.log import MIGRATIONS, VERSION_TABLE
from bot.releases import Release, Releases
from bot.tables import conversation
from bot.types import BotError
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from training.company_sets import Company, without_some, without_wordings
from training.examples import TrainingDataError
from training.gate import Limits
from training.journal import Journal, Watch
from training.round import Options, Round, Tools

STEPS = ("collect", "dataset", "labels", "train", "calibrate", "current", "candidate", "judge")
THINGS = ("kettle", "lamp", "chair", "carpet", "mirror", "teapot")
FAQS = [
    *(Faq(f"{one}.en", f"How do I return a {one}?", f"Send the {one} back in seven days.", "en") for one in THINGS),
    Faq("refund.zh", "退款多久到账？", "三天内原路退回。", "zh"),
]
LENIENT = Limits(false_answers=1.0, fewest=1)


class Killed(BaseException):
    """As kill -9 would end the process."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    knowledge = open_in(tmp_path, Retrieval(HashEncoder()))
    knowledge.put_faqs(FAQS)
    knowledge.close()
    made = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    migrate(made, MIGRATIONS, VERSION_TABLE)
    yield made
    made.dispose()


def approve(engine: Engine, count: int, wrong: int = 0) -> None:
    """So many examples, the first `wrong` of them with the label of something else."""
    asked = [
        Example(
            f"{n:064}", f"c{n}", "staff", "en", f"please tell me how the {THINGS[n % 6]} goes back, case {n}",
            f"Send the {THINGS[n % 6]} back.", f"{n % 40}.en" if n < wrong else f"{THINGS[n % 6]}.en",
            status="approved",
        )
        for n in range(count)
    ]  # fmt: skip
    with engine.begin() as connection:
        for one in asked:
            values = {"id": one.conversation_id, "opened": datetime.now(UTC)}
            if (
                connection.execute(select(conversation.c.id).where(conversation.c.id == one.conversation_id)).first()
                is None
            ):
                connection.execute(insert(conversation).values(values))
    Examples(engine).add(asked)


class Workshop:
    """Fakes of models and trainers; notes what was asked of them."""

    def __init__(self, encoder: str = "other") -> None:
        self.encoder = encoder
        self.opened: list[str] = []
        self.encoders: list[HashEncoder] = []
        self.trained: list[tuple[Part, list[str]]] = []

    def tools(self) -> Tools:
        return Tools(self.encoder, self._open, lambda release: None, self._train, self._described)

    def _open(self, release: Release) -> Retrieval:
        self.opened.append(release.name)
        self.encoders.append(HashEncoder("learnt" if release.name == "candidate" and self.trained else "hash-1"))
        return Retrieval(self.encoders[-1])

    def _described(self, part: Part) -> Mapping[str, Any]:
        return {"base": "embedded", "base_sha256": "0" * 64}

    def _train(self, part: Part, data: Sequence[Path], out: Path, current: Release, watch: Watch) -> None:
        (out / "adapter").mkdir(parents=True, exist_ok=True)
        (out / "run.json").write_text("{}")
        (out / "adapter" / "adapter_config.json").write_text('{"lora_alpha": 2}')
        save_file({"w": np.ones((2, 2), np.float32)}, str(out / "adapter" / "adapter_model.safetensors"))
        watch(1, 2, 0.7)
        watch(2, 2, 0.5)
        rows = (data[0] / "faq_queries_company.jsonl").read_text("utf8").splitlines()
        self.trained.append((part, [json.loads(row)["query"] for row in rows]))


def opened(data: Path, engine: Engine, workshop: Workshop, regression: Path, limits: Limits = LENIENT) -> Round:
    return Round(data, "first", engine, workshop.tools(), Options("auto", (regression,), limits))


def test_a_calibration_only_round_makes_a_release_and_trains_nothing(
    tmp_path: Path, engine: Engine, folder: Path
) -> None:
    approve(engine, 60)
    GoldenQuestions(engine).add(GoldenQuestion("can a lamp go back", "en", ("lamp.en",)))
    GoldenQuestions(engine).add(GoldenQuestion("what is gone", "en", ("deleted.en",)))
    workshop = Workshop()
    assert opened(tmp_path, engine, workshop, folder).run()
    assert workshop.trained == [] and workshop.opened == ["default"], "both share what they search with"
    encoded = workshop.encoders[0].encoded
    assert len(encoded) == len(set(encoded)) > 0, "no text is read twice"
    assert not {faq.question for faq in FAQS} & set(encoded), "nor what the company's database holds already"
    releases = Releases(tmp_path / "releases")
    assert releases.get("first").files.keys() >= {"README.md", "judgement.json", "calibration.json"}
    found = releases.judgement("first")
    assert found is not None and found["passed"] and found["current"] == "default"
    assert {one["part"]: one["train"] for one in found["lessons"]}["calibration"]
    assert all(one["why"]["zh"] != one["why"]["en"] for one in found["lessons"])
    state = json.loads((tmp_path / "rounds" / "first" / "state.json").read_text())
    assert tuple(state["steps"]) == STEPS and state["state"] == "passed"
    asked = (tmp_path / "rounds" / "first" / "judge" / "company" / "questions.jsonl").read_text("utf8")
    assert "can a lamp go back" in asked and "what is gone" not in asked
    assert releases.promote("first").name == "first"


def test_no_conversation_is_in_two_of_training_fitting_and_judging(
    tmp_path: Path, engine: Engine, folder: Path
) -> None:
    approve(engine, 250)
    workshop = Workshop("embedded")
    assert opened(tmp_path, engine, workshop, folder).run()
    ((part, trained),) = workshop.trained
    assert part == "encoder"
    kept = tmp_path / "rounds" / "first"
    files = [kept / of / "company" / "questions.jsonl" for of in ("fit", "judge")]
    sets = [{json.loads(line)["question"] for line in file.read_text("utf8").splitlines()} for file in files]
    sets.append(set(trained))
    assert all(len(one) > 20 for one in sets) and sum(map(len, sets)) == len(set().union(*sets)) == 250
    progress = [json.loads(line) for line in (kept / "progress.jsonl").read_text("utf8").splitlines()]
    assert [one["loss"] for one in progress if one["step"] == "encoder"] == [None, 0.7, 0.5]
    assert Releases(tmp_path / "releases").get("first").encoder.adapter is not None


def test_thresholds_are_fitted_to_questions_that_nothing_answers_as_well() -> None:
    faqs = [Faq(f"f{n}.{language}", f"q{n}", "a", language) for n in range(60) for language in ("zh", "en")]
    rows = [{"question": faq.question, "relevant": [faq.id], "answerable": True} for faq in faqs]
    known, asked = without_some(Company(tuple(faqs), ()), rows)
    gone = {faq.id for faq in faqs} - known.ids
    assert 20 <= len(gone) <= 60 and {id[:-3] + ".zh" for id in gone} <= gone, "translations go together"
    assert [row["answerable"] for row in asked] == [faq.id in known.ids for faq in faqs]


def test_what_measures_is_not_looked_up(tmp_path: Path, engine: Engine, folder: Path) -> None:
    """Staff add what they have answered to the FAQs: with it there, every question would be known word for word."""
    approve(engine, 250)
    asked = {one.question: one.source_id for one in Examples(engine).approved()}
    knowledge = open_in(tmp_path, Retrieval(HashEncoder()))
    for faq in FAQS:
        mine = tuple(text for text, source in asked.items() if source == faq.id)
        knowledge.put_faqs([replace(faq, similar=mine)])
    knowledge.close()
    workshop = Workshop("embedded")
    opened(tmp_path, engine, workshop, folder).run()
    kept = tmp_path / "rounds" / "first"
    ((_, trained),) = workshop.trained
    for of in ("fit", "judge"):
        written = [(kept / of / "company" / name).read_text("utf8") for name in ("faq.jsonl", "questions.jsonl")]
        questions = [json.loads(line)["question"] for line in written[1].splitlines()]
        known = {text for line in written[0].splitlines() for text in json.loads(line)["similar"]}
        assert questions and known and not known & set(questions) and not set(trained) & set(questions)


def test_an_faq_of_no_other_wording_keeps_its_own() -> None:
    faqs = (Faq("a", "one", "A", "en", ("two", "three")), Faq("b", "four", "B", "en", ("five",)))
    left = without_wordings(Company(faqs, ()), ["One!", "three", "four", "five"])
    assert [(faq.question, faq.similar) for faq in left.faqs] == [("two", ()), ("four", ())]


@pytest.mark.parametrize("noted", [False, True])
@pytest.mark.parametrize("at", STEPS)
def test_a_killed_round_goes_on_where_it_stood(
    tmp_path: Path, engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, at: str, noted: bool
) -> None:
    monkeypatch.setitem(FEWEST, "calibration", 10)
    monkeypatch.setitem(FEWEST, "encoder", 20)
    approve(engine, 24)
    done = Journal.done

    def killing(self: Journal, step: str, result: Mapping[str, Any]) -> None:
        if step == at and not noted:
            raise Killed
        done(self, step, result)
        if step == at:
            raise Killed

    workshop = Workshop("embedded")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Journal, "done", killing)
        opened(tmp_path, engine, workshop, folder).run()
    assert Releases(tmp_path / "releases").serving() == "default"
    before = len(workshop.trained)
    assert opened(tmp_path, engine, workshop, folder).run()
    assert len(workshop.trained) == (2 if at == "train" and not noted else 1)
    assert before == 0 or at not in ("collect", "dataset")
    releases = Releases(tmp_path / "releases")
    assert releases.names() == ["default", "first"] and releases.get("first").name == "first"


def test_a_refused_candidate_stays_marked_and_is_promoted_only_when_insisted_on(
    tmp_path: Path, engine: Engine, folder: Path
) -> None:
    approve(engine, 60)
    for _ in range(2):  # a second time tells nothing twice
        assert not opened(tmp_path, engine, Workshop(), folder, Limits(fewest=10_000)).run()
    releases = Releases(tmp_path / "releases")
    (chapter,) = releases.story()
    assert (chapter.act, chapter.release) == ("refuse", "first") and "10000" in chapter.why
    assert "未通过" in (tmp_path / "releases" / "first" / "README.md").read_text("utf8")
    with pytest.raises(BotError, match="was refused"):
        releases.promote("first")
    assert releases.promote("first", anyway=True).name == "first"


def test_many_labels_that_name_something_else_are_refused_and_shown(
    tmp_path: Path, engine: Engine, folder: Path
) -> None:
    others = [Faq(f"{n}.en", f"Where do I find item number {n + 1000}?", "On its shelf.", "en") for n in range(40)]
    knowledge = open_in(tmp_path, Retrieval(HashEncoder()))
    knowledge.put_faqs(others)
    knowledge.close()
    approve(engine, 200, wrong=80)
    assert not opened(tmp_path, engine, Workshop(), folder).run()
    found = Releases(tmp_path / "releases").judgement("first")
    assert found is not None
    (reason,) = found["reasons"]
    count = len(found["doubtful"])
    assert 60 < count <= 80, "of the wrong ones hardly any is found, of the right ones none is not"
    share = f"{count / 200:.3f}"
    assert f"可疑标注 {share}" in reason["zh"] and "0.250" in reason["zh"]
    assert f"doubtful labels: {share}" in reason["en"] and "0.250" in reason["en"]
    shown = found["doubtful"][0]
    assert shown["label"].startswith("Where do I find item") and shown["found"].startswith("How do I return a")
    assert "goes back, case" in shown["question"] and shown["id"] in {one.id for one in Examples(engine).approved()}
    assert "doubtful labels" in (tmp_path / "releases" / "first" / "README.md").read_text("utf8")
    for one in found["doubtful"]:  # staff say that they are right
        Examples(engine).decide(one["id"], "approved", "An", sure=True)
    Round(tmp_path, "second", engine, Workshop().tools(), Options("auto", (folder,), LENIENT)).run()
    found = Releases(tmp_path / "releases").judgement("second")
    assert found is not None and found["doubtful"] == [] and "doubtful" not in str(found["reasons"])


def test_too_few_examples_end_the_round_with_what_it_takes_and_it_can_go_on_later(
    tmp_path: Path, engine: Engine, folder: Path
) -> None:
    with pytest.raises(TrainingDataError, match="no approved example"):
        opened(tmp_path, engine, Workshop(), folder).run()
    approve(engine, 20)
    with pytest.raises(TrainingDataError, match="20 approved examples are too few .* it takes 50"):
        opened(tmp_path, engine, Workshop(), folder).run()
    assert json.loads((tmp_path / "rounds" / "first" / "state.json").read_text())["state"] == "failed"
    approve(engine, 60)
    assert opened(tmp_path, engine, Workshop(), folder).run()
