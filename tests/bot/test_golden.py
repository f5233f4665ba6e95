"""Golden questions are kept, listed, taken out, and exported as a golden set has them."""

import json

import pytest

from bot.golden import GoldenQuestion, GoldenQuestions
from bot.log import MIGRATIONS, VERSION_TABLE
from knowledge_base.database import migrate, open_database


@pytest.fixture
def questions(database_url: str) -> GoldenQuestions:
    engine = open_database(database_url)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    return GoldenQuestions(engine)


def test_what_is_added_comes_back_and_goes(questions: GoldenQuestions) -> None:
    history = ({"role": "customer", "text": "金卡会员包邮吗？"}, {"role": "bot", "text": "包邮。"})
    one = GoldenQuestion("那普通会员呢？", "zh", ("members.zh",), ("99",), history=history, staff_name="An")
    none = GoldenQuestion("Do you sell spaceships?", "en", answerable=False, staff_name="Bo")
    questions.add(one)
    questions.add(none)
    shown, total = questions.page(1)
    assert total == 2 and len(shown) == 1
    assert {q.id: q for q in questions.page(10)[0]} == {one.id: one, none.id: none}
    assert questions.delete(one.id) == one
    assert questions.delete(one.id) is None
    assert questions.page(10) == ([none], 1)


def test_the_export_is_a_golden_set(questions: GoldenQuestions) -> None:
    questions.add(GoldenQuestion("怎么退货？", "zh", ("returns.zh", "terms.pdf"), staff_name="An", id="g1"))
    line = next(questions.export())
    assert json.loads(line) == {
        "id": "g1",
        "question": "怎么退货？",
        "language": "zh",
        "relevant": ["returns.zh", "terms.pdf"],
        "answers": [],
        "answerable": True,
        "history": [],
    }
    assert line.endswith("\n") and "怎么退货" in line


@pytest.mark.parametrize(("relevant", "answerable"), [((), True), (("a",), False)])
def test_sources_and_answerability_must_agree(
    questions: GoldenQuestions, relevant: tuple[str, ...], answerable: bool
) -> None:
    with pytest.raises(ValueError, match="name the sources"):
        questions.add(GoldenQuestion("q", "en", relevant, answerable=answerable))
