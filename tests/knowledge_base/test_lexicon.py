"""The lexicon gives a query's words the weights that tantivy gives them, and a text the share that it gives it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.keywords import KeywordIndex
from knowledge_base.lexicon import Counted, Lexicon, numbered

TEXTS = {
    1: "怎么申请退货，退货要多久",
    2: "配送要多久",
    3: "How do I return an item? Return it within 30 days.",
    4: "Return the watch",
    5: "Wash the kettle with vinegar, then rinse it and boil fresh water in it once " * 3,
}
QUERIES = ["退货", "退货多久", "return the kettle", "how do I return an item", "XC-200 watch", "return return watch"]


def lexicon() -> Lexicon:
    made = Lexicon()
    made.add({row: Counted.of(text) for row, text in TEXTS.items()})
    return made


@pytest.mark.parametrize("query", QUERIES)
def test_shares_are_those_of_the_keyword_index(query: str, tmp_path: Path) -> None:
    index, own = KeywordIndex(tmp_path / "keywords"), lexicon()
    with index.lock:
        index.apply(list(TEXTS.items()), [], 1)
    found = index.search(query, 10)
    shares = own.shares(own.weights(numbered(query)), [row for row, _ in found])
    assert shares == pytest.approx([share for _, share in found], abs=0.01)  # tantivy rounds lengths


def test_what_came_and_went_leaves_no_trace() -> None:
    own = lexicon()
    own.add({9: Counted.of("退货 kettle"), 1: Counted.of("another text")})
    own.add({1: Counted.of(TEXTS[1])})
    own.remove([9, 1000])
    for query in QUERIES:
        weights = own.weights(numbered(query))
        assert weights == lexicon().weights(numbered(query))
        assert own.shares(weights, [*TEXTS, 9]) == [*lexicon().shares(weights, list(TEXTS)), 0.0]


def test_an_empty_one_gives_no_weights() -> None:
    assert Lexicon().weights(numbered("return")) == {}


@given(st.lists(st.sampled_from(["退货", "kettle", "a", "😀"]), max_size=400), st.integers(0, 3))
def test_a_text_is_read_from_its_weights_as_it_was(drawn: list[str], more: int) -> None:
    text = Counted.of(" ".join(drawn + ["long"] * 10**more))
    again = Counted.weighed({number: float(f"{weight:.7g}") for number, weight in text.weights().items()}, text.length)
    assert (again.numbers.tolist(), again.counts.tolist()) == (text.numbers.tolist(), text.counts.tolist())
