"""Datasets of approved examples: no conversation on both sides, nothing twice, the same content the same hash."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.examples import Example
from knowledge_base.types import Faq
from training.dataset import build
from training.examples import read_groups
from training.golden import read_golden_set

RETURNS = Faq("returns.en", "How do I return it?", "Within seven days.", "en", similar=("sending things back",))
DRAFT = Faq("draft.en", "Unfinished?", "Not yet.", "en", status="draft")


def example(number: int, **changes: Any) -> Example:
    made = Example(
        f"{number:064}", f"c{number // 2}", "staff", "en", f"question {number}", f"answer {number}", status="approved"
    )
    return replace(made, **changes)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


def test_of_one_conversation_nothing_stands_on_both_sides(tmp_path: Path) -> None:
    examples = [example(number, source_id="returns.en") for number in range(200)]
    made = build(examples, [RETURNS, DRAFT], tmp_path)
    trained = {row["query"] for row in rows(tmp_path / "train" / "faq_queries_company.jsonl")}
    held = {row["question"] for row in rows(tmp_path / "golden" / "questions.jsonl")}
    of = {one.question: one.conversation_id for one in examples}
    assert not {of[query] for query in trained if query in of} & {of[question] for question in held}
    assert (made.train, made.held_out) == (200 - len(held), len(held)) and 20 <= len(held) <= 60
    assert made.supports() == {"calibration": True, "encoder": True, "reranker": False, "generator": False}


def test_the_trainers_and_the_evaluation_read_what_is_written(tmp_path: Path) -> None:
    build([example(number, source_id="returns.en") for number in range(60)], [RETURNS, DRAFT], tmp_path)
    groups = read_groups([tmp_path / "train"], lambda texts: [len(text) for text in texts], 200)
    assert {group.id for group in groups} == {"returns.en"}
    assert "sending things back" in groups[0].queries and groups[0].passages == ("Within seven days.",)
    golden = read_golden_set(tmp_path / "golden")
    assert [faq.id for faq in golden.faqs] == ["returns.en"] and all(one.answerable for one in golden.questions)


def test_what_only_a_person_answered_is_trained_on_as_an_answer_of_its_own(tmp_path: Path) -> None:
    same = [example(2, answer="Yes, we do."), example(4, answer="yes we do")]
    build(same, [], tmp_path)
    assert len(rows(tmp_path / "train" / "faq_company.jsonl")) == 1
    assert len({row["faq_id"] for row in rows(tmp_path / "train" / "faq_queries_company.jsonl")}) == 1


def test_only_approved_examples_count_and_none_twice(tmp_path: Path) -> None:
    doubled = [example(2), replace(example(2), id="f" * 64, label="confirmed"), example(4, status="rejected")]
    assert build(doubled, [], tmp_path).labels == {"staff": 1}
    with pytest.raises(ValueError, match="no approved example"):
        build([example(4, status="new")], [], tmp_path)


def test_the_same_content_has_the_same_hash_wherever_it_stands(tmp_path: Path) -> None:
    examples = [example(number) for number in range(20)]
    one, two = build(examples, [RETURNS], tmp_path / "a"), build(examples[::-1], [RETURNS], tmp_path / "b")
    assert one.hash == two.hash == json.loads((tmp_path / "a" / "dataset.json").read_text())["hash"]
    assert build(examples[:-1], [RETURNS], tmp_path / "a").hash != two.hash
