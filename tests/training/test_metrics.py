"""Scores against values computed by hand."""

from training.golden import Question
from training.metrics import Judged, hit_at, is_correct, normalised, reciprocal_rank, summary

ABLE = Question("q", "?", "zh", frozenset({"a"}), ("三天",), True)
UNABLE = Question("u", "?", "zh", frozenset(), (), False)


def answer(
    kind: str = "faq", text: str = "需要三天。", hits: tuple[str, ...] = ("a",), cited: tuple[str, ...] = ("a",)
) -> Judged:
    return Judged(kind, text, 0.9, hits, cited)


def test_correct_needs_an_answer_a_relevant_citation_and_the_reference() -> None:
    assert is_correct(ABLE, answer())
    assert not is_correct(ABLE, answer(kind="abstain"))
    assert not is_correct(ABLE, answer(cited=("b",)))
    assert not is_correct(ABLE, answer(text="需要四天。"))
    assert not is_correct(UNABLE, answer())


def test_width_case_spaces_and_punctuation_do_not_count() -> None:
    assert normalised("Ａｐ－500, 约 ¥3!") == normalised("ap500约3")


def test_ranks() -> None:
    assert [hit_at(k, {"c"}, ("a", "b", "c")) for k in (1, 2, 3)] == [False, False, True]
    assert reciprocal_rank({"c"}, ("a", "b", "c")) == 1 / 3
    assert reciprocal_rank({"z"}, ("a", "b", "c")) == 0


def test_summary_by_hand() -> None:
    questions = [ABLE, ABLE, ABLE, UNABLE, UNABLE]
    answers = [
        answer(),  # right
        answer(text="四天", hits=("b", "a")),  # wrong answer
        answer(kind="abstain", hits=("b",)),  # not answered
        answer(),  # answered without an answer to be had
        answer(kind="abstain"),  # rightly refused
    ]
    got = summary(questions, answers)
    assert got["questions"] == 5
    assert got["hit@1"] == round(1 / 3, 4)
    assert got["hit@5"] == round(2 / 3, 4)
    assert got["mrr@10"] == round((1 + 1 / 2) / 3, 4)
    assert got["coverage"] == round(2 / 3, 4)
    assert got["correct_of_answered"] == round(1 / 3, 4)
    assert got["resolved"] == round(1 / 3, 4)
    assert got["false_answer_rate"] == 0.4
    assert got["refused_unanswerable"] == 0.5
