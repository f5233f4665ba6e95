import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import training
from training.examples import Group, TrainingDataError, read_groups, read_topics, training_files

TOPICS = Path(training.__file__).parent / "topics"
TOPIC = {
    "id": "t1",
    "cluster": "returns",
    "title": {"zh": "退货", "en": "Returns"},
    "zh": ["几天内可以退货？", "退货期限"],
    "en": ["How long may I return it?"],
    "passage": {"zh": "七天内可退。", "en": "Within 7 days."},
    "answer": {"zh": "七天内。", "en": "Within 7 days."},
}


def write(folder: Path, name: str, *rows: Any) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf8")
    return path


def count(texts: Any) -> list[int]:
    return [len(text) for text in texts]


def test_a_topic_is_a_group_of_both_languages_with_its_passages(tmp_path: Path) -> None:
    (group,) = read_groups([write(tmp_path, "topics_a.jsonl", TOPIC)], count, 100)
    assert group.queries == ("几天内可以退货？", "退货期限", "How long may I return it?")
    assert group.passages == ("退货\n七天内可退。", "Returns\nWithin 7 days.")
    assert (group.id, group.family, group.paraphrases) == ("t1", "returns", True)


def test_intents_and_pairs_become_groups_and_out_of_scope_is_left_out(tmp_path: Path) -> None:
    intents = write(
        tmp_path,
        "intents_a.jsonl",
        {"text": "where is my card", "intent": "card"},
        {"text": "card not here", "intent": "card"},
        {"text": "tell me a joke", "intent": "oos", "out_of_scope": True},
        {"text": "sing", "intent": "oos", "out_of_scope": True},
        {"text": "alone", "intent": "single"},
    )
    pairs = write(tmp_path, "pairs_a.jsonl", {"a": "one", "b": "uno", "label": 1}, {"a": "one", "b": "two", "label": 0})
    assert [group.queries for group in read_groups([intents, pairs], count, 100)] == [
        ("where is my card", "card not here"),
        ("one", "uno"),
    ]


def test_queries_of_an_faq_stand_in_the_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "faq_a.jsonl", {"id": "1", "question": "q", "answer": "a"})
    write(tmp_path, "faq_queries_a.jsonl", {"query": "问", "faq_id": "1"})
    assert read_groups([tmp_path], count, 100) == [Group("faq_a", "1", ("q", "问"), ("a",))]


def test_a_question_of_a_paragraph_goes_with_the_piece_that_holds_its_answer(tmp_path: Path) -> None:
    long = "The first part tells of cats. " * 3 + "\n\n" + "The second part tells of dogs. " * 3
    write(tmp_path, "passages_a.jsonl", {"id": "p", "title": "Pets", "text": long})
    write(
        tmp_path,
        "qa_a.jsonl",
        {"question": "who barks", "context_id": "p", "answers": ["dogs"]},
        {"question": "who meows", "context_id": "p", "answers": ["cats"]},
        {"question": "who swims", "context_id": "p", "answers": ["fish"]},
    )
    groups = {group.queries: group for group in read_groups([tmp_path], count, 100)}
    assert set(groups) == {("who barks",), ("who meows",)}
    assert "dogs" in groups[("who barks",)].passages[0] and "cats" not in groups[("who barks",)].passages[0]
    assert not groups[("who barks",)].paraphrases


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("topics_a.jsonl", "{", "line 1 is not JSON"),
        ("topics_a.jsonl", "[]", "line 1 is not a JSON object"),
        ("topics_a.jsonl", '{"id": "x"}', "line 1: the field 'cluster' is missing"),
        ("intents_a.jsonl", '{"text": 3, "intent": "a"}', "line 1: the field 'text' must be of type str"),
        ("qa_a.jsonl", "{}", "needs passages_a.jsonl beside it"),
        ("other.jsonl", "{}", "its name does not tell"),
    ],
)
def test_what_cannot_be_used_is_said_with_file_and_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(TrainingDataError, match=message):
        read_groups([tmp_path], count, 100)


def test_no_file_at_all_and_other_encodings_are_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no .jsonl file in"):
        training_files([tmp_path])
    (tmp_path / "pairs_a.jsonl").write_bytes("问".encode("gbk"))
    with pytest.raises(TrainingDataError, match="line 1 is not UTF-8"):
        read_groups([tmp_path], count, 100)


def test_empty_and_over_long_rows_are_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write(
        tmp_path,
        "pairs_a.jsonl",
        {"a": "", "b": "x", "label": 1},
        {"a": "x" * 70_000, "b": "x", "label": 1},
        {"a": "one", "b": "uno", "label": 1},
    )
    with caplog.at_level(logging.WARNING):
        (group,) = read_groups([file], count, 100)
    assert group.queries == ("one", "uno")
    assert "line 1 is left out: its field 'a' is empty" in caplog.text
    assert "line 2 is left out: its field 'a' has more than 64000" in caplog.text


@given(st.text(min_size=1), st.text())
def test_groups_of_a_family_are_held_out_together(source: str, family: str) -> None:
    one, other = Group(source, "1", ("a",), (), family), Group(source, "2", ("b",), (), family)
    assert not family or one.held_out == other.held_out


def test_the_topics_that_ship_are_whole_and_balanced() -> None:
    topics = [topic for file in sorted(TOPICS.glob("*.jsonl")) for topic in read_topics(file)]
    assert len(topics) > 700
    assert len({topic.id for topic in topics}) == len(topics)
    for topic in topics:
        assert len(topic.questions["zh"]) >= 5 and len(topic.questions["en"]) >= 5, topic.id
    kept = [Group("topics", t.id, (), (), t.cluster).held_out for t in topics]
    assert 0.05 < sum(kept) / len(kept) < 0.15
