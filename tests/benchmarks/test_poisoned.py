"""benchmarks/poisoned.py with small fakes: which labels are wrong, and that rounds with them are refused."""

from pathlib import Path
from random import Random

import pytest

from benchmarks.loop import START
from benchmarks.month import Month, Wanted
from benchmarks.poisoned import founded, labelled, one_round, poisoned
from bot.lessons import FEWEST
from bot.releases import SHIPPED
from knowledge_base.types import Faq
from tests.benchmarks.test_loop import Workshop, regression_set
from training.gate import Limits
from training.release import describe
from training.round import Options

THINGS = "kettle lamp chair carpet mirror teapot clock basket umbrella shelf pillow towel vase frame fan".split()
COUNT = 300


def month() -> Month:
    faqs = {
        f"{one}.{language}": Faq(f"{one}.{language}", said.format(one), f"Answer: {one}.", language)
        for one in THINGS
        for language, said in (("en", "How do I return a {}?"), ("zh", "{}怎么退货？"))
    }  # fmt: skip
    asked = [Wanted(f"{THINGS[n % 15]}, can it go back, {n}", "en", f"{THINGS[n % 15]}.en") for n in range(COUNT)]
    strange = [Wanted("what is the weather", "en"), Wanted("who is not written down", "en", "gone")]
    return Month(faqs, tuple(faqs.values()), (*strange, *asked), ())  # type: ignore[arg-type]


def test_so_many_labels_are_on_another_faq_of_the_same_language() -> None:
    made = month()
    right = labelled(made, COUNT)
    assert len(right) == COUNT and all(one.source_id.split(".")[0] in one.question for one in right)
    assert len(labelled(made, 7)) == 7
    wrong = poisoned(right, made.known, 0.3, Random(1))
    changed = [(a, b) for a, b in zip(right, wrong, strict=True) if a.source_id != b.source_id]
    assert len(changed) == 90 and all(b.source_id.endswith(".en") and b.answer != a.answer for a, b in changed)
    assert poisoned(right, made.known, 0.3, Random(2)) != wrong and poisoned(right, made.known, 0.0, Random(1)) == right


def test_a_round_with_wrong_labels_is_refused_and_its_result_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEWEST, "encoder", 10_000)
    release = tmp_path / "start"
    release.mkdir()
    (release / "calibration.json").write_bytes((SHIPPED / "calibration.json").read_bytes())
    describe(release, {"encoder": {"base": "embedded", "adapter": None}})
    made, workshop = month(), Workshop()
    company = founded(tmp_path / "company", made, release, workshop.tools())
    examples = poisoned(labelled(made, COUNT), made.known, 0.9, Random(1))
    options = Options("auto", (regression_set(tmp_path),), Limits(fewest=1))
    found = one_round(company, tmp_path / "round-1", examples, workshop.tools(), options)
    assert not found["passed"] and any("doubtful labels" in reason for reason in found["reasons"])
    assert found["labels"] > 0.25 and found["trained"] == ["calibration"]
    again = one_round(company, tmp_path / "round-1", examples, workshop.tools(), options)
    assert again == found, "what is done is not done again"
    assert (company / "releases" / START).is_dir() and not (company / "rounds").exists()
