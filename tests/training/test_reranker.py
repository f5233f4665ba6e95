"""The lists that a reranker learns from: what is near and wrong beside what is right."""

import random

import pytest

from tests.fakes import HashEncoder
from training.examples import Group
from training.train_reranker import Judged, RerankerSettings, first, lists

SETTINGS = RerankerSettings(steps=40, questions=4, wrong=3, absent=0.25)
FAQS = [Group("faq_shop", str(n), (f"question {n}", f"asked {n} otherwise"), (f"answer {n}",)) for n in range(40)]
PARAGRAPHS = [
    Group("qa_text", str(n), (f"who {n}", f"when {n}"), (f"title\nparagraph {n}",), paraphrases=False)
    for n in range(40)
]


@pytest.fixture(scope="module")
def made() -> tuple[list[list[Judged]], list[list[Judged]]]:
    return lists([*FAQS, *PARAGRAPHS], HashEncoder(), SETTINGS, random.Random(1))


def test_a_list_has_at_most_one_right_candidate_and_it_is_the_questions_own(made) -> None:
    for judged in (one for batch in (*made[0], *made[1]) for one in batch):
        assert len(judged.candidates) == len(judged.labels) in (3, 4)
        number = judged.question.split()[1] if len(judged.question.split()) > 1 else ""
        for candidate, label in zip(judged.candidates, judged.labels, strict=True):
            if label and number.isdigit():
                assert number in candidate.split()


def test_some_questions_have_no_right_candidate_but_all_that_are_measured_have(made) -> None:
    train, measured = ([one for batch in batches for one in batch] for batches in made)
    absent = sum(not any(one.labels) for one in train) / len(train)
    assert 0.1 < absent < 0.4
    assert measured and all(sum(one.labels) == 1 for one in measured)


def test_nothing_measured_is_trained_on(made) -> None:
    kept = {query for group in (*FAQS, *PARAGRAPHS) if group.held_out for query in group.queries}
    assert kept and not kept & {one.question for batch in made[0] for one in batch}


def test_an_faq_is_read_as_search_finds_it_and_a_paragraph_by_itself(made) -> None:
    candidates = {candidate for batch in made[0] for one in batch for candidate in one.candidates}
    assert any(c.startswith("question") and "\nanswer" in c for c in candidates)
    assert any(c.startswith("title\nparagraph") for c in candidates)


def test_the_right_candidate_comes_first_when_its_logit_is_highest() -> None:
    batch = [Judged("q", ("a", "b"), (0.0, 1.0)), Judged("q", ("a", "b"), (1.0, 0.0))]
    assert first([0.1, 0.9, 0.2, 0.3], [batch]) == 0.5
