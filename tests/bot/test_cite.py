from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cite import cite, cite_faq, cite_quotes
from knowledge_base.types import Hit, Passage

MakePassage = Callable[..., Passage]
SHIPPING = "普通快递3天送达。偏远地区需要7天。加急快递次日送达，另收20元。"
RETURNS = "Return it within 30 days. Refunds take 5 days. We pay the return label."


@pytest.fixture
def hits(passage: MakePassage) -> tuple[Hit, Hit]:
    return Hit(passage(SHIPPING, title="物流"), 0.9), Hit(passage(RETURNS, "en", title="Returns"), 0.8)


def test_each_passage_an_answer_stands_on_is_cited_once_with_its_sentence(hits: tuple[Hit, Hit]) -> None:
    found = cite("Refunds take 5 days. 偏远地区要 7 天。", hits)
    assert [(c.number, c.title, c.quote) for c in found] == [
        (1, "物流", "偏远地区需要7天。"),
        (2, "Returns", "Refunds take 5 days."),
    ]


def test_what_stands_nowhere_is_not_cited(hits: tuple[Hit, Hit]) -> None:
    assert cite("明天会下雨吗", hits) == ()
    assert cite("", hits) == () and cite("退货", ()) == ()


def test_several_quotes_of_a_passage_become_one_span(hits: tuple[Hit, Hit]) -> None:
    (found,) = cite_quotes([(hits[0], "普通快递3天送达。"), (hits[0], "加急快递次日送达，另收20元。")])
    assert found.quote == SHIPPING


def test_a_quote_that_does_not_stand_in_its_passage_is_refused(hits: tuple[Hit, Hit]) -> None:
    with pytest.raises(ValueError, match="does not stand"):
        cite_quotes([(hits[0], "普通快递4天送达。")])


def test_a_long_faq_is_quoted_from_its_beginning(passage: MakePassage) -> None:
    text = "第一步，打开订单页面。" * 60
    (found,) = cite_faq(Hit(passage(text, phrasing="怎么退货"), 1.0))
    assert text.startswith(found.quote) and found.quote.endswith("。") and 300 < len(found.quote) <= 400


@given(st.lists(st.sampled_from(SHIPPING.split("。")[:-1] + RETURNS.split(". ")), max_size=5), st.text(max_size=40))
def test_every_quote_stands_word_for_word_and_numbers_run_from_one(said: list[str], noise: str) -> None:
    base: dict[str, Any] = {
        "headings": (),
        "version": 1,
        "updated": None,
        "kind": "document",
    }
    both = [
        Hit(Passage(id=1, source_id="a", title="甲", text=SHIPPING, language="zh", **base), 0.9),
        Hit(Passage(id=2, source_id="b", title="B", text=RETURNS, language="en", **base), 0.8),
    ]
    found = cite("。".join([*said, noise]), both)
    texts = {1: SHIPPING, 2: RETURNS}
    assert [citation.number for citation in found] == list(range(1, len(found) + 1))
    assert all(citation.quote and citation.quote in texts[citation.passage_id] for citation in found)
    assert not said or found


def test_a_heading_that_repeats_the_title_is_not_shown_twice(passage: MakePassage) -> None:
    hit = Hit(passage(SHIPPING, title="物流", headings=("物流", "快递")), 0.9)
    (found,) = cite_quotes([(hit, "普通快递3天送达。")])
    assert (found.title, found.headings) == ("物流", ("快递",))
