"""benchmarks/loop.py with small fakes: how wordings are shared out, a whole month, a kill in it, the figures."""

import json
import random
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarks import covered, month
from benchmarks.covered import Scored
from benchmarks.loop import START, FirstMonth
from benchmarks.loop_plot import svg
from benchmarks.month import Month, Wanted, one_each, read_month, shared_out
from bot.lessons import FEWEST, Part
from bot.releases import SHIPPED, Release, Releases
from bot.search_log import Wanted as Searched
from bot.search_log import ids_of
from knowledge_base.database import open_database
from knowledge_base.language import normalise
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from training.gate import Limits
from training.journal import Journal, Watch
from training.release import describe
from training.round import Options, Tools

EN = ("return", "repair", "order", "insure", "clean", "charge")
ZH = ("退货", "维修", "下单", "投保", "清洗", "充电")
SAID = {
    "en": ("how do I {}", "{} please", "I need {} now", "can you {} it", "tell me about {}", "{} is what I want"),
    "zh": ("怎么{}", "我要{}", "请问{}怎么办", "可以{}吗", "{}流程是什么", "想问一下{}的事"),
}
STRANGERS = [
    *(Wanted(f"what is the weather on planet {n}", "en") for n in range(6)),
    *(Wanted(f"第{n}颗星星的天气如何", "zh") for n in range(6)),
]


def faqs() -> dict[str, Faq]:
    made = {}
    for language, things in (("en", EN), ("zh", ZH)):
        for thing in things:
            words = [text.format(thing) for text in SAID[language]]
            made[thing] = Faq(thing, words[0], f"Answer: {thing}.", language, tuple(words[1:]))
    return made


def small() -> Month:
    return shared_out(faqs(), STRANGERS, random.Random(1))


class Workshop:
    """Fakes of models and trainers: what has learned shares more of its words."""

    def __init__(self) -> None:
        self.trained = 0

    def tools(self) -> Tools:
        described: Mapping[str, Any] = {"base": "embedded", "base_sha256": "0" * 64}
        return Tools("embedded", self._open, lambda release: None, self._train, lambda part: described)

    def _open(self, release: Release) -> Retrieval:
        return Retrieval(HashEncoder(f"hash-{release.files.get('encoder/adapter_model.safetensors', '')[:8]}"))

    def _train(self, part: Part, data: Sequence[Path], out: Path, current: Release, watch: Watch) -> None:
        self.trained += 1
        (out / "adapter").mkdir(parents=True, exist_ok=True)
        (out / "run.json").write_text("{}")
        (out / "adapter" / "adapter_config.json").write_text('{"lora_alpha": 2}')
        weights = {"w": np.full((2, 2), self.trained, np.float32)}
        save_file(weights, str(out / "adapter" / "adapter_model.safetensors"))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FirstMonth:
    monkeypatch.setitem(FEWEST, "calibration", 4)
    monkeypatch.setitem(FEWEST, "encoder", 20)
    return company(tmp_path)


def regression_set(folder: Path) -> Path:
    """A golden set of one question in a folder of its own."""
    regression = folder / "regression"
    regression.mkdir(parents=True)
    rows = [{"id": "f", "question": "营业时间", "answer": "九点。", "language": "zh", "similar": []}]
    asked = {"id": "q", "question": "几点营业", "language": "zh", "relevant": ["f"], "answers": [], "answerable": True}
    (regression / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")
    (regression / "questions.jsonl").write_text(json.dumps(asked) + "\n", "utf8")
    return regression


def company(folder: Path) -> FirstMonth:
    start = folder / "company" / "data" / "releases" / START
    start.mkdir(parents=True)
    (start / "calibration.json").write_bytes((SHIPPED / "calibration.json").read_bytes())
    describe(start, {"encoder": {"base": "embedded", "adapter": None}})
    options = Options("auto", (regression_set(folder),), Limits(false_answers=1.0, gap=1.0, fewest=1))
    return FirstMonth(folder / "company", small(), Workshop().tools(), options)


class Killed(BaseException):
    """As kill -9 would end the process."""


@contextmanager
def killing(*after: int) -> Iterator[list[int]]:
    """Let the month be killed whenever so many steps more are done as the list that is given says."""
    done, left = Journal.done, [*after]

    def do(self: Journal, step: str, result: Mapping[str, Any]) -> None:
        done(self, step, result)
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "done", do)
        yield left


def run(one: FirstMonth, unused: Sequence[Path] = ()) -> dict[str, Any]:
    return one.run(HashEncoder(), unused, lambda what, done, total: None)


def test_half_of_the_wordings_are_written_down_and_none_is_in_two_places() -> None:
    made = small()
    written = [text for faq in made.known for text in (faq.question, *faq.similar)]
    spoken = [one.text for one in (*made.asked, *made.held_out) if one.faq]
    assert len(written) == len(spoken) == 36 and not set(written) & set(spoken)
    assert {faq.id for faq in made.known} <= set(made.truth) and all(
        one.faq in made.truth for one in made.asked if one.faq
    )
    strange = [one for one in made.held_out if one.faq is None]
    assert len(strange) == 6 and {one.language for one in strange} == {"zh", "en"}
    assert small() == made and shared_out(faqs(), STRANGERS, random.Random(2)) != made


def test_an_faq_of_one_wording_is_written_down() -> None:
    lonely = {f"f{n}": Faq(f"f{n}", f"question {n}", "A", "en") for n in range(9)}
    made = shared_out(lonely, (), random.Random(1))
    assert len(made.known) == 9 and made.asked == made.held_out == ()


def test_faqs_that_share_a_wording_are_one() -> None:
    found = one_each(
        [
            Faq("b", "你是谁？", "B", "zh", ("你叫什么",)),
            Faq("c", "退货", "C", "zh"),
            Faq("a", "贵姓", "A", "zh", ("你叫什么？",)),
            Faq("d", "尊姓大名", "D", "zh", ("你是谁",)),
        ]
    )
    assert {faq.id: faq.answer for faq in found} == {"a": "A", "c": "C"}
    whole = next(faq for faq in found if faq.id == "a")
    assert {normalise(t) for t in (whole.question, *whole.similar)} == {"你是谁", "你叫什么", "贵姓", "尊姓大名"}


def test_the_files_of_the_data_folder_become_one_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month, "SETS", ("faq-banking77-en",))
    golden, train = tmp_path / "golden" / "faq-banking77-en", tmp_path / "train"
    golden.mkdir(parents=True)
    train.mkdir()
    faq = {"id": "banking77-top_up", "question": "Top up?", "answer": "By card.", "language": "en"}
    shared = {"language": "en", "answers": []}
    asked = [
        {"id": "1", "question": "add money", "relevant": ["banking77-top_up"], "answerable": True, **shared},
        {"id": "2", "question": "what is ESP32", "relevant": [], "answerable": False, **shared},
        {"id": "3", "question": "充值？", "relevant": [], "answerable": False, **shared},
    ]
    (golden / "faq.jsonl").write_text(json.dumps(faq) + "\n", "utf8")
    (golden / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), "utf8")
    (train / "pairs_banking77_en.jsonl").write_text(
        '{"a": "Top up?", "b": "topping up", "label": 1}\n{"a": "Top up?", "b": "no", "label": 0}\n', "utf8"
    )
    (train / "intents_banking77_en.jsonl").write_text('{"text": "put money in", "intent": "top_up"}\n', "utf8")
    asks = [{"query": "充值", "faq_id": faq["id"]}, {"query": "what is esp32?", "faq_id": "left-out"}]
    (train / "faq_queries_banking77_en.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asks), "utf8")
    made = read_month(tmp_path, 1)
    (whole,) = made.truth.values()
    assert {whole.question, *whole.similar} == {"Top up?", "add money", "topping up", "put money in"}
    assert [one.text for one in (*made.asked, *made.held_out) if one.faq is None] == ["what is ESP32"]


def test_a_seed_gives_the_same_conversations_again(tmp_path: Path) -> None:
    lived = []
    for name in ("a", "b"):
        with killing(4), pytest.raises(Killed):  # the first day's end
            run(company(tmp_path / name))
        engine = open_database(f"sqlite:///{tmp_path / name / 'company' / 'data' / 'kefu.sqlite'}")
        lived.append(sorted(ids_of(engine, Searched(), 99)))
        engine.dispose()
    assert lived[0] == lived[1] and lived[0]


def test_a_month_goes_on_where_it_was_killed_and_learns(tmp_path: Path, opened: FirstMonth) -> None:
    with killing(0) as left:
        for left[0] in (3, 17, 12):
            with pytest.raises(Killed):
                run(opened)
    result = run(opened)
    assert run(opened) == result, "what is done is not done again"
    lived = [week["days"] for week in result["weeks"]]
    assert sum(day["asked"] for day in lived) == len(small().asked)
    assert all(day["right"] + day["replied"] + day["gone"] == day["asked"] for day in lived)
    assert any(week["round"]["passed"] for week in result["weeks"])
    served = [week["round"] for week in result["weeks"] if week["round"]["passed"]]
    assert any("encoder" in one["trained"] for one in served)
    releases = Releases(tmp_path / "company" / "data" / "releases")
    assert [chapter.release for chapter in releases.story() if chapter.act == "promote"][0] == START
    for language in ("zh", "en"):
        assert result["weeks"][-1]["before"][language]["hit@1"] >= result["still"][language]["hit@1"]
        assert result["month"][language]["held_out_answerable"] < result["month"][language]["held_out"]
    assert {one.text for one in opened.answers("still")} == {one.text for one in small().held_out}
    for one, answers in (("still", result["still"]), ("week-4-after", result["weeks"][-1]["after"])):
        for language, sets in result["by_set"][one].items():
            answered, able = (sum(counts[name] for counts in sets.values()) for name in ("answered", "answerable"))
            assert round(answered / able, 4) == answers[language]["coverage"]
    drawing = ET.fromstring(svg([result, result]))
    words = " ".join(drawing.itertext())
    assert "不学习" in words and "nearest neighbour" in words and "week 4" in words


def scored(*rows: tuple[float, bool, bool]) -> list[Scored]:
    """(confidence, answerable, right)"""
    return [Scored(str(n), "en", able, "f", sure, right, True) for n, (sure, able, right) in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        ([(0.9, True, True), (0.8, False, False), (0.7, True, True)], 0.0, 0.5),
        ([(0.9, True, True), (0.8, False, False), (0.7, True, True)], 0.34, 1.0),
        ([(0.9, True, True), (0.9, True, False), (0.7, True, True)], 0.0, 0.0),  # no threshold parts the first two
        ([(0.9, False, False), (0.8, True, True)], 0.0, 0.0),
        ([(0.0, True, True), (0.0, True, True)], 0.05, 1.0),
        ([], 0.05, 0.0),
    ],
)
def test_coverage_is_the_most_that_a_threshold_answers_within_the_limit(
    rows: list[tuple[float, bool, bool]], limit: float, expected: float
) -> None:
    assert covered.coverage(scored(*rows), limit) == expected


def test_the_sets_share_what_is_answered_within_the_limit() -> None:
    rows = scored((0.9, True, True), (0.8, True, True), (0.7, False, False), (0.6, True, False), (0.5, True, True))
    sets = {"0": "bank", "1": "shop", "2": "", "3": "shop", "4": "bank"}
    both = {"bank": {"answerable": 2, "answered": 1}, "shop": {"answerable": 2, "answered": 1}}
    assert covered.by_set(rows, sets, 0.2) == {"zh": {}, "en": both}
    assert covered.by_set(rows, sets, 0.0)["en"] == both
    assert covered.by_set(rows, sets, 0.4)["en"]["bank"] == {"answerable": 2, "answered": 2}
    assert covered.coverage(rows, 0.4) == 1.0


def test_a_rise_has_an_interval_over_the_same_questions() -> None:
    before = scored(*[(0.9, True, n % 2 == 0) for n in range(60)])
    after = [replace_right(one) for one in before]
    value, low, high = covered.rise(before, after)
    assert value == 1.0 and low == high == 1.0
    assert covered.rise(before, before) == (0.0, 0.0, 0.0)


def replace_right(one: Scored) -> Scored:
    return one._replace(right=True)


def test_neighbours_answer_by_the_nearest_wording() -> None:
    known = [Faq("a", "return a lamp", "A", "en", ("send it back",)), replace(faqs()["退货"], similar=())]
    asked = [Wanted("send it back", "en", "a"), Wanted("怎么退货", "zh", "退货"), Wanted("return a lamp", "en")]
    found = covered.of_neighbours(HashEncoder(), known, asked)
    assert [(one.found, one.right, one.answerable) for one in found] == [
        ("a", True, True), ("退货", True, True), ("a", False, False),
    ]  # fmt: skip
    assert found[0].confidence == pytest.approx(1.0)
