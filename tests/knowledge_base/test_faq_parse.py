"""Hostile and broken FAQ files: every problem is told by row, nothing is a formula, and no bomb is unpacked."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from knowledge_base.faq_file import faq_bytes, read_faqs
from knowledge_base.faq_parse import parse
from knowledge_base.types import Faq

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "'=1", "''@x", "'plain", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_no_cell_is_a_formula_and_all_come_back(suffix: str) -> None:
    faqs = [Faq(f"{text}{n}", text, text, "en", (text, "b"), (text,), category=text) for n, text in enumerate(FORMULAS)]
    data = faq_bytes(suffix, faqs)
    parsed = parse(f"faqs{suffix}", data)
    assert list(parsed.faqs.values()) == faqs and not parsed.problems
    if suffix == ".csv":
        cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
    else:
        rows = list(load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(min_row=2))
        assert all(cell.data_type != "f" for row in rows for cell in row)
        assert rows[0][1].quotePrefix and rows[0][1].value == "=1+1"


def test_all_wrong_rows_are_told_with_codes_and_the_right_ones_kept() -> None:
    rows = ["question,answer,status,id", "q,a,,1", ",a,,2", "q,a,live,3", "q,a,,1", "w,a,,5"] + ["q,,,"] * 200
    parsed = parse("a.csv", "\n".join(rows).encode("gbk"))
    assert list(parsed.faqs) == [2, 6] and len(parsed.problems) == 203
    assert [(one.row, one.field, one.code) for one in parsed.problems[:3]] == [
        (3, "question", "empty"),
        (4, "status", "choice"),
        (5, "id", "repeated"),
    ]


def test_too_many_rows_are_refused() -> None:
    data = ("question,answer\n" + "q,a\n" * 4).encode()
    assert [one.code for one in parse("a.csv", data, most_rows=3).problems if not one.field] == ["too_many_rows"]
    assert parse("a.csv", data, most_rows=4).problems[0].code == "repeated"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    Workbook().save(bomb)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"\0" * 101_000_000)
    assert len(bomb.getvalue()) < 200_000
    (problem,) = parse("a.xlsx", bomb.getvalue()).problems
    assert problem.code == "bomb"


def test_a_sheet_of_blank_cells_is_refused() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["question", "answer"])
    for row in range(2, 140):
        sheet.cell(row, 16_384, "")
    data = io.BytesIO()
    book.save(data)
    assert [one.code for one in parse("a.xlsx", data.getvalue()).problems] == ["too_many_cells"]


def test_another_kind_is_named() -> None:
    assert parse("faqs.xls", b"").problems[0].code == "kind"


def test_a_marked_cell_of_a_hand_written_file_loses_its_mark(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,answer\n'=1?,'s avonds\n", encoding="utf-8")
    (faq,) = read_faqs(tmp_path / "a.csv")
    assert (faq.question, faq.answer) == ("=1?", "'s avonds")
