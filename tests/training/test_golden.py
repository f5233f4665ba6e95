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
        (
            "questions.jsonl",
            2,
            {"id": "q1"},
            r"questions.jsonl, line 2: the id 'q1' is used twice; it stands in .*line 1",
        ),
        ("questions.jsonl", 3, {"answerable": True}, r"line 3: answerable, but no relevant id"),
        ("faq.jsonl", 2, {"id": "f1"}, r"faq.jsonl, line 2: the id 'f1' is used twice"),
        ("passages.jsonl", 1, {"id": "f1"}, r"passages.jsonl, line 1: the id 'f1' is used twice; .*faq.jsonl, line 1"),
        ("faq.jsonl", 1, {"similar": "x"}, r"faq.jsonl, line 1: the field 'similar' must be of type list"),
        ("faq.jsonl", 1, {"similar": ["x", 5]}, r"line 1: the field 'similar' must be a list of texts, but holds 5"),
        ("faq.jsonl", 1, {"answer": " "}, r"faq.jsonl, line 1: the field 'answer' is blank"),
        ("faq.jsonl", 1, {"id": "x" * 600}, r"line 1: the field 'id' has 600 characters; shorten it to 512"),
        ("questions.jsonl", 1, {"answers": [1]}, r"line 1: the field 'answers' must be a list of texts"),
        ("questions.jsonl", 1, {"relevant": "f1"}, r"line 1: the field 'relevant' must be of type list"),
        ("questions.jsonl", 1, {"answerable": "yes"}, r"line 1: the field 'answerable' must be of type bool"),
        ("questions.jsonl", 1, {"history": [{"role": "bot"}]}, r"line 1, in 'history': the field 'text' is missing"),
        ("questions.jsonl", 1, {"history": ["hello"]}, r"line 1, in 'history': the field 'role' is missing"),
        ("questions.jsonl", 1, {"history": [{"role": 1, "text": ""}]}, r"'role' must be of type str"),
        ("questions.jsonl", 2, {"question": "x" * 5000}, r"line 2: the field 'question' has 5000 characters"),
        ("passages.jsonl", 1, {"text": "x" * 1_000_001}, r"passages.jsonl, line 1 has 1\d+ characters; shorten"),
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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("退货".encode("gbk"), r"faq.jsonl, line 3 is not UTF-8 \(.* at byte 1\); save the file as UTF-8"),
        (b"[1]", r"faq.jsonl, line 3 is not a JSON object"),
        (b'{"id": "\\ud800"}', r"faq.jsonl, line 3 holds half a character"),
        (b"[" * 200_000, r"faq.jsonl, line 3 is not JSON"),
    ],
)
def test_a_line_of_bad_bytes_is_named(folder: Path, line: bytes, message: str) -> None:
    with (folder / "faq.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(GoldenSetError, match=message):
        read_golden_set(folder)


def test_a_byte_order_mark_and_blank_lines_are_passed_over(folder: Path) -> None:
    path = folder / "faq.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(read_golden_set(folder).faqs) == 2


def test_a_set_without_questions_is_refused(folder: Path) -> None:
    (folder / "questions.jsonl").unlink()
    with pytest.raises(GoldenSetError, match=r"questions.jsonl is missing: nothing to ask"):
        read_golden_set(folder)
