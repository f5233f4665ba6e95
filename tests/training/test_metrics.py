"""Scores of single answers against values computed by hand."""

import math

import pytest
from sklearn.metrics import ndcg_score

from training.golden import Question
from training.metrics import (
    Judged,
    exact_match,
    hit_at,
    is_correct,
    ndcg,
    normalised,
    reciprocal_rank,
    tally,
    token_f1,
    unsupported_facts,
    would_be_correct,
)

ABLE = Question("q", "?", "zh", frozenset({"a"}), ("三天",), True)
UNABLE = Question("u", "?", "zh", frozenset(), (), False)


def answer(
    kind: str = "faq", text: str = "需要三天。", hits: tuple[str, ...] = ("a",), cited: tuple[str, ...] = ("a",)
) -> Judged:
    return Judged(kind, text, 0.9, hits, cited, ("发货\n需要三天。",))


def test_correct_needs_an_answer_a_relevant_citation_and_the_reference() -> None:
    assert is_correct(ABLE, answer())
    assert not is_correct(ABLE, answer(kind="abstain"))
    assert not is_correct(ABLE, answer(cited=("b",)))
    assert not is_correct(ABLE, answer(text="需要四天。"))
    assert not is_correct(UNABLE, answer())


def test_what_was_not_answered_would_be_right_where_the_first_hit_is_relevant() -> None:
    assert would_be_correct(ABLE, answer(kind="abstain"))
    assert not would_be_correct(ABLE, answer(kind="abstain", hits=("b", "a")))
    assert not would_be_correct(ABLE, answer(text="四天"))


def test_width_case_spaces_and_punctuation_do_not_count() -> None:
    assert normalised("Ａｐ－500, 约 ¥3!") == normalised("ap500约3")


def test_ranks() -> None:
    assert [hit_at(k, {"c"}, ("a", "b", "c")) for k in (1, 2, 3)] == [False, False, True]
    assert reciprocal_rank({"c"}, ("a", "b", "c")) == 1 / 3
    assert reciprocal_rank({"z"}, ("a", "b", "c")) == 0


def test_ndcg_by_hand_and_as_scikit_learn_has_it() -> None:
    assert ndcg({"a"}, ("a", "b")) == 1
    assert ndcg({"b"}, ("a", "b")) == pytest.approx(1 / math.log2(3))
    assert ndcg({"a", "z"}, ("a", "b")) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert ndcg(set(), ("a",)) == 0
    ranking = tuple("abcdefghijkl")
    theirs = ndcg_score([[i in {"b", "e", "l"} for i in ranking]], [[-n for n in range(12)]], k=10)
    assert ndcg({"b", "e", "l"}, ranking) == pytest.approx(theirs)


def test_overlap_counts_characters_in_chinese_and_words_in_english() -> None:
    assert token_f1("需要三天", ("三天",), "zh") == pytest.approx(2 * 2 / (4 + 2))
    assert token_f1("It takes three days.", ("Three days", "no"), "en") == pytest.approx(2 * 2 / (4 + 2))
    assert token_f1("nothing", ("else",), "en") == token_f1("text", (), "en") == 0
    assert exact_match("三 天。", ("两天", "三天")) and not exact_match("需要三天", ("三天",))


def test_numbers_and_names_must_stand_in_the_cited_passage() -> None:
    assert unsupported_facts(answer()) == ()
    assert unsupported_facts(answer(text="需要 5 天。")) == ("5 天",)
    lead_in = "This comes from our Chinese documents.\n\n需要三天。"
    assert unsupported_facts(answer(text=lead_in)) == ()


def test_what_a_question_adds_to_each_rate() -> None:
    pairs = [
        (ABLE, answer()),  # right
        (ABLE, answer(text="四天", hits=("b", "a"))),  # wrong answer
        (ABLE, answer(kind="abstain", hits=("b",))),  # not answered
        (UNABLE, answer()),  # answered without an answer to be had
        (UNABLE, answer(kind="abstain")),  # rightly refused
    ]
    rows = [tally(*pair) for pair in pairs]
    assert all(0 <= part <= whole for row in rows for part, whole in row.values())
    totals = {name: tuple(sum(row[name][n] for row in rows) for n in (0, 1)) for name in rows[0]}
    assert totals["hit@1"] == (1, 3)
    assert totals["hit@5"] == (2, 3)
    assert totals["mrr@10"] == (1.5, 3)
    assert totals["coverage"] == (2, 3)
    assert totals["correct_of_answered"] == (1, 3)
    assert totals["resolved"] == (1, 3)
    assert totals["false_answer_rate"] == (2, 5)
    assert totals["refused_unanswerable"] == (1, 2)
    assert totals["abstain_precision"] == (1, 2)
    assert totals["abstain_f1"] == (2, 4)  # precision 1/2, recall 1/2
    assert totals["exact_match"] == (0, 2)
    assert totals["supported"] == (2, 3)
