"""Reading and writing FAQ files: what goes out comes back, and what is wrong is named by row and field."""

import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from knowledge_base.faq_file import read_faqs, write_faqs
from knowledge_base.types import Faq, KnowledgeBaseError

RETURN = Faq(
    id="return.zh",
    question="怎么退货？",
    answer="在订单页申请，15 天内有效。\n运费 12 元，见 https://shop.example/退货。",
    language="zh",
    similar=("退货流程", "想退东西, 怎么办"),
    never=("怎么换货",),
    category="退货",
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
    status="review",
)
PLAIN = Faq(id="hours.en", question='=When are you "open"?', answer="9:00–18:00, daily.", language="en")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx", ".XLSX"])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"faqs{suffix}"
    write_faqs(path, [RETURN, PLAIN])
    assert read_faqs(path) == [RETURN, PLAIN]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


_text = (
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="|｜"), min_size=1)
    .map(str.strip)
    .filter(bool)
)
_faq = st.builds(
    Faq,
    id=_text,
    question=_text,
    answer=_text,
    language=st.sampled_from(["zh", "en"]),
    similar=st.lists(_text, max_size=3).map(tuple),
    never=st.lists(_text, max_size=2).map(tuple),
    category=st.one_of(st.just(""), _text),
    valid_from=st.one_of(st.none(), st.dates()),
    valid_until=st.none(),
    status=st.sampled_from(["draft", "review", "published"]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(faqs=st.lists(_faq, max_size=4, unique_by=lambda faq: faq.id))
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx"])
def test_any_faqs_come_back(tmp_path: Path, suffix: str, faqs: list[Faq]) -> None:
    path = tmp_path / f"faqs{suffix}"
    write_faqs(path, faqs)
    assert read_faqs(path) == faqs


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_csv_as_excel_saves_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "faqs.csv"
    path.write_bytes("Question,Answer,similar\r\n怎么退货？,申请即可,退货流程 | 想退货\r\n".encode(encoding))
    (faq,) = read_faqs(path)
    assert (faq.question, faq.similar, faq.language, faq.status) == (
        "怎么退货？",
        ("退货流程", "想退货"),
        "zh",
        "published",
    )


def test_spreadsheet_numbers_and_dates(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["id", "question", "answer", "valid_from", "language", None])
    sheet.append([12.0, "How long?", 24, datetime(2026, 1, 31), "EN"])
    sheet.append([None, None, None, None, None])
    path = tmp_path / "faqs.xlsx"
    book.save(path)
    assert read_faqs(path) == [
        Faq(id="12", question="How long?", answer="24", language="en", valid_from=date(2026, 1, 31))
    ]


def test_a_question_with_an_equals_sign_is_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "faqs.xlsx"
    write_faqs(path, [PLAIN])
    cell = load_workbook(path).worksheets[0].cell(2, 2)
    assert (cell.value, cell.data_type) == (PLAIN.question, "s")


def test_a_missing_id_is_stable_and_differs_by_language(tmp_path: Path) -> None:
    def ids(*rows: dict[str, str]) -> list[str]:
        path = tmp_path / "faqs.jsonl"
        path.write_text("\n".join(json.dumps(row | {"answer": "a"}) for row in rows), encoding="utf-8")
        return [faq.id for faq in read_faqs(path)]

    (first,) = ids({"question": "VIP 是什么？"})
    assert ids({"question": "vip是什么", "language": "zh"}) == [first]
    assert ids({"question": "VIP 是什么？", "language": "en"}) != [first]
    assert first != ids({"question": "VIP 有什么？"})[0]


GOOD = {"question": "q", "answer": "a"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": " ", "answer": "a"}, "row 2, field question: is empty"),
        ({"question": "q"}, "row 2, field answer: is empty"),
        (GOOD | {"language": "fr"}, "row 2, field language: 'fr' must be one of zh, en"),
        (GOOD | {"id": "a\nb"}, "row 2, field id: 'a\\nb' has several lines"),
        (GOOD | {"status": "live"}, "row 2, field status: 'live'"),
        (GOOD | {"similiar": ["x"]}, "row 2, field similiar: unknown"),
        (GOOD | {"similar": [["x"]]}, "row 2, field similar: ['x'] must be text"),
        (GOOD | {"valid_from": "31.1.2026"}, "row 2, field valid_from: '31.1.2026' is no date"),
        (GOOD | {"valid_from": "2026-02-01", "valid_until": "2026-01-31"}, "row 2, field valid_until"),
        (GOOD | {"question": True}, "row 2, field question: True must be text"),
        (GOOD | {"answer": "\ud83d"}, "row 2, field answer: '\\ud83d' holds half a character"),
        (GOOD | {"id": "x" * 513}, "row 2, field id: has 513 characters"),
        (GOOD | {"id": "first"}, "row 2, field id: 'first' stands in row 1 already"),
    ],
)
def test_an_error_names_row_and_field(tmp_path: Path, row: dict[str, object], said: str) -> None:
    path = tmp_path / "faqs.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in (GOOD | {"id": "first"}, row)), encoding="utf-8")
    with pytest.raises(KnowledgeBaseError) as error:
        read_faqs(path)
    assert said in str(error.value)


def test_all_wrong_rows_are_named_up_to_ten(tmp_path: Path) -> None:
    path = tmp_path / "faqs.csv"
    path.write_text("question,answer\n" + "q,\n" * 12, encoding="utf-8")
    with pytest.raises(KnowledgeBaseError) as error:
        read_faqs(path)
    lines = str(error.value).splitlines()
    assert lines[1].startswith("row 2, field answer") and lines[10].startswith("row 11, field answer")
    assert lines[11:] == ["and 2 more"]


def _xlsx_with(workbook: bytes) -> bytes:
    """An XLSX file whose workbook part is replaced."""
    whole, changed = io.BytesIO(), io.BytesIO()
    Workbook().save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
        for part in source.namelist():
            target.writestr(part, workbook if part == "xl/workbook.xml" else source.read(part))
    return changed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"question": "q", "answer": "a"}\n{oops', "row 2: not JSON"),
        ("a.jsonl", b"[1]", "row 1: must be an object"),
        ("a.csv", b"", "row 1: no column 'question'"),
        ("a.csv", b"question,reply\nq,a\n", "row 1: no column 'answer'"),
        ("a.csv", b"question,answer,Answer\nq,a,b\n", "two columns 'answer'"),
        ("a.csv", b"question,answer\nq,a,beyond\n", "row 2, field (no name)"),
        ("a.csv", b'question,answer\n"q,a\n', "no well-formed CSV"),
        ("a.csv", b"\xff\xff\x00", "neither UTF-8 nor GBK"),
        ("a.jsonl", b'{"question": ' + b"1" * 5000 + b"}", "row 1: not JSON"),
        ("a.xlsx", b"PK no zip", "cannot be opened as an XLSX file"),
        ("a.xlsx", b"", "cannot be opened as an XLSX file"),
        ("a.xlsx", _xlsx_with(b"<workbook"), "cannot be opened as an XLSX file"),
    ],
)
def test_a_broken_file_says_what_to_do(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(KnowledgeBaseError, match=name) as error:
        read_faqs(path)
    assert said in str(error.value)


def test_missing_files_and_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match="there is no file"):
        read_faqs(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="must end in .jsonl, .csv, .xlsx"):
        read_faqs(tmp_path / "faqs.txt")
    with pytest.raises(ValueError, match="must end in"):
        write_faqs(tmp_path / "faqs.txt", [])


def test_what_a_table_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    with_mark = Faq(id="x", question="q", answer="a", language="en", similar=("this | that",))
    control = Faq(id="y", question="q", answer="a\x07", language="en")
    path = tmp_path / "faqs.xlsx"
    write_faqs(path, [PLAIN])
    with pytest.raises(KnowledgeBaseError, match="FAQ x, field similar"):
        write_faqs(path, [with_mark])
    with pytest.raises(KnowledgeBaseError, match="FAQ y, field answer"):
        write_faqs(path, [control])
    assert read_faqs(path) == [PLAIN]
    write_faqs(tmp_path / "faqs.jsonl", [with_mark, control])
    assert read_faqs(tmp_path / "faqs.jsonl") == [with_mark, control]


def test_an_answer_longer_than_a_cell_is_not_cut_in_silence(tmp_path: Path) -> None:
    long = Faq("long", "q", "x" * 32_768, "en")
    with pytest.raises(KnowledgeBaseError, match=r"FAQ long, field answer: has 32768 .*write a \.jsonl file"):
        write_faqs(tmp_path / "faqs.xlsx", [long])
    assert list(tmp_path.iterdir()) == []
    write_faqs(tmp_path / "faqs.jsonl", [long])
    assert read_faqs(tmp_path / "faqs.jsonl") == [long]
