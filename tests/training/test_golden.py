import json
from pathlib import Path

import pytest

from training.golden import GoldenSetError, read_golden_set


def change(path: Path, line: int, **fields: object) -> None:
    rows = [json.loads(row) for row in path.read_text("utf8").splitlines()]
    rows[line - 1] |= fields
    kept = [{k: v for k, v in row.items() if v is not ...} for row in rows]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), "utf8")


def test_a_golden_set_is_read_whole(folder: Path) -> None:
    golden = read_golden_set(folder)
    assert (golden.name, len(golden.faqs), len(golden.documents), len(golden.questions)) == ("shop", 2, 2, 3)
    assert golden.faqs[0].similar == ("我要退货",)
    assert golden.questions[1].answers == ("900 grams",)


@pytest.mark.parametrize(
    ("file", "line", "fields", "message"),
    [
        ("questions.jsonl", 2, {"relevant": ...}, r"questions.jsonl, line 2: the field 'relevant' is missing"),
        ("questions.jsonl", 1, {"relevant": ["nowhere"]}, r"line 1: relevant id 'nowhere' is not in"),
        ("questions.jsonl", 2, {"id": "q1"}, r"question id 'q1' is used twice"),
        ("questions.jsonl", 3, {"answerable": True}, r"line 3: answerable, but no relevant id"),
        ("faq.jsonl", 2, {"id": "f1"}, r"id 'f1' is used twice"),
        ("faq.jsonl", 1, {"language": "fr"}, r"faq.jsonl, line 1: language 'fr'"),
        ("passages.jsonl", 2, {"text": 5}, r"passages.jsonl, line 2: the field 'text' must be of type str"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, file: str, line: int, fields: dict[str, object], message: str) -> None:
    change(folder / file, line, **fields)
    with pytest.raises(GoldenSetError, match=message):
        read_golden_set(folder)


def test_a_line_that_is_not_json_is_named(folder: Path) -> None:
    with (folder / "faq.jsonl").open("a") as file:
        file.write("{oops\n")
    with pytest.raises(GoldenSetError, match=r"faq.jsonl, line 3 is not JSON"):
        read_golden_set(folder)


def test_a_set_without_answerable_questions_is_refused(folder: Path) -> None:
    for line in (1, 2):
        change(folder / "questions.jsonl", line, answerable=False)
    with pytest.raises(GoldenSetError, match="no answerable question"):
        read_golden_set(folder)


def test_a_folder_without_a_knowledge_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldenSetError, match="nothing to search in"):
        read_golden_set(tmp_path)
