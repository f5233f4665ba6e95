"""The second look at the first hits: late interaction, and what it does to their order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.late_interaction import LateInteractionReranker, max_sim
from knowledge_base.rerank import READ, candidate_text, rerank
from knowledge_base.types import Hit, Passage
from tests.fakes import HashEncoder


def hit(name: str, score: float, exact: bool = False) -> Hit:
    return Hit(Passage(1, "faq", name, name, (), "", "en", 1, datetime.now(UTC)), score, exact=exact)


class Says:
    """A reranker that knows what to say of each text."""

    def __init__(self, said: dict[str, float]) -> None:
        self.said = said
        self.read: list[str] = []

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        self.read += texts
        return [self.said[text.split("\n")[0]] for text in texts]

    def prepare(self, texts: Sequence[str]) -> Iterator[None]:
        return iter(())


def test_what_is_read_closely_decides_between_hits_that_are_near() -> None:
    found = rerank("q", [hit("a", 0.80), hit("b", 0.79)], Says({"a": 0.5, "b": 0.9}), 0.5)
    assert [one.passage.source_id for one in found] == ["b", "a"]
    assert found[0].rerank == 0.9
    assert found[0].score == pytest.approx((0.79 + 0.45) / 1.5)


def test_an_exact_phrasing_needs_no_second_look() -> None:
    reader = Says({})
    hits = [hit("a", 1.0, exact=True), hit("b", 0.9)]
    assert rerank("q", hits, reader, 0.5) == hits
    assert rerank("q", [], reader, 0.5) == []
    assert reader.read == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9), st.floats(0, 3))
def test_no_hit_is_lost_and_scores_fall_within_one(drawn: list[tuple[float, float]], weight: float) -> None:
    drawn.sort(reverse=True)
    hits = [hit(str(n), score) for n, (score, _) in enumerate(drawn)]
    found = rerank("q", hits, Says({str(n): said for n, (_, said) in enumerate(drawn)}), weight)
    assert sorted(one.passage.source_id for one in found) == sorted(one.passage.source_id for one in hits)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1
    assert sum(one.rerank is not None for one in found) == min(READ, len(hits))
    unread = [one.passage.source_id for one in found if one.rerank is None]
    assert unread == sorted(unread)


def test_a_text_is_read_with_what_it_stands_under() -> None:
    faq = replace(hit("Returns?", 1.0).passage, text="Within 7 days.", phrasing="send it back")
    assert candidate_text(faq) == "Returns?\nWithin 7 days."
    passage = replace(faq, kind="document", title="Manual", headings=("Care", "Care", "Filter"), text="Rinse it.")
    assert candidate_text(passage) == "Manual\nCare\nFilter\nRinse it."


def test_each_word_of_the_query_looks_for_its_nearest() -> None:
    one, other = np.eye(2, 4, dtype=np.float32)
    assert max_sim(np.stack([one, other]), np.stack([one])) == 0.5
    assert max_sim(np.stack([one]), np.stack([other, one])) == 1.0
    assert max_sim(np.zeros((0, 4), np.float32), np.stack([one])) == 0.0


def test_a_word_without_counterpart_lowers_the_match() -> None:
    reader = LateInteractionReranker(HashEncoder())
    asked, answered = "can I pay with bitcoin", "pay with card or cash\nYou can pay with card"
    lacking, all_there = reader.rerank(asked, [answered, answered + " or bitcoin"])
    assert lacking < all_there <= 1.0
    assert reader.rerank(asked, []) == []


def test_texts_are_encoded_once_and_the_oldest_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge_base.late_interaction._REMEMBERED", 2)
    encoder = HashEncoder()
    asked: list[str] = []
    encode = encoder.encode_tokens

    def counting(texts: Sequence[str], query: bool = False, patient: bool = False) -> list[np.ndarray]:
        asked.extend([] if query else texts)
        return encode(texts, query, patient)

    encoder.encode_tokens = counting  # type: ignore[method-assign]
    reader = LateInteractionReranker(encoder)
    first = reader.rerank("red", ["red shoes", "blue shoes", "red shoes"])
    assert first[0] == first[2] > first[1]
    assert reader.rerank("red", ["red shoes", "green shoes"])[0] == first[0]
    assert asked == ["red shoes", "blue shoes", "green shoes"]
    reader.rerank("red", ["blue shoes"])
    assert asked[-1] == "blue shoes"


def test_a_text_that_was_prepared_is_not_read_again_and_none_is_forgotten_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("knowledge_base.late_interaction._REMEMBERED", 3)
    encoder = HashEncoder()
    asked: list[tuple[str, bool]] = []
    encode = encoder.encode_tokens

    def counting(texts: Sequence[str], query: bool = False, patient: bool = False) -> list[np.ndarray]:
        asked.extend([] if query else [(text, patient) for text in texts])
        return encode(texts, query, patient)

    encoder.encode_tokens = counting  # type: ignore[method-assign]
    reader = LateInteractionReranker(encoder)
    assert len(list(reader.prepare(["red shoes", "blue shoes", "red shoes"]))) == 2
    assert reader.rerank("red", ["red shoes", "green shoes"]) == LateInteractionReranker(HashEncoder()).rerank(
        "red", ["red shoes", "green shoes"]
    )
    assert asked == [("red shoes", True), ("blue shoes", True), ("green shoes", False)]
    assert list(reader.prepare(["grey shoes"])) == [] and len(asked) == 3


def test_many_threads_get_what_one_would() -> None:
    reader = LateInteractionReranker(HashEncoder())
    texts = [f"text {n} about shoes" for n in range(20)]
    alone = LateInteractionReranker(HashEncoder()).rerank("shoes 3", texts)
    got: list[list[float]] = []
    threads = [Thread(target=lambda: got.append(reader.rerank("shoes 3", texts))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [alone] * 8
