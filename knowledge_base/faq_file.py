"""FAQs to and from files that people edit: JSONL, CSV and XLSX.

A file is read as a whole or not at all, and an error names the row and the field. Knows nothing of the store:
whether an FAQ is new, or says the same as another one, is not decided here.
"""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import IllegalCharacterError

from knowledge_base.faq_row import FIELDS, Row, WrongFieldError, cells_of, faq_of, row_of
from knowledge_base.types import Faq, KnowledgeBaseError

SUFFIXES = (".jsonl", ".csv", ".xlsx")
_LONGEST_CELL = 32_767  # characters; openpyxl would cut what is longer, without a word
_SHOWN = 10  # problems listed in one error


def read_faqs(path: Path) -> list[Faq]:
    """The FAQs of a .jsonl, .csv (UTF-8 or GBK) or .xlsx file, in the order of its rows.

    Rows have the fields of `faq_row.FIELDS`; only question and answer must be there. A missing language is
    told from the question, a missing id is derived from both, so that importing the same file again changes
    nothing. In CSV and XLSX the parts of a list stand between " | ".
    Raises KnowledgeBaseError, naming row and field, when anything in the file is wrong: then nothing of it
    is returned. Raises ValueError for another kind of file.
    """
    _check_suffix(path)
    if not path.is_file():
        raise KnowledgeBaseError(f"there is no file {path}; check its name")
    faqs: list[Faq] = []
    problems: list[str] = []
    first_row: dict[str, int] = {}
    for number, row in _rows(path):
        try:
            faq = faq_of(row)
        except WrongFieldError as error:
            problems.append(f"row {number}, field {error.field}: {error}")
            continue
        if faq.id in first_row:
            problems.append(f"row {number}, field id: {faq.id!r} stands in row {first_row[faq.id]} already")
            continue
        first_row[faq.id] = number
        faqs.append(faq)
    if problems:
        more = f"\nand {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise KnowledgeBaseError(
            f"{path.name} was not read, correct these rows first:\n" + "\n".join(problems[:_SHOWN]) + more
        )
    return faqs


def write_faqs(path: Path, faqs: Sequence[Faq]) -> None:
    """Write FAQs so that `read_faqs` gives the same ones back; an existing file is replaced in one step.

    Raises KnowledgeBaseError when a value cannot stand in this kind of file, ValueError for another kind.
    """
    _check_suffix(path)
    rows = [row_of(faq) for faq in faqs]
    if path.suffix.lower() == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    elif path.suffix.lower() == ".csv":
        content = _csv_bytes([cells_of(row) for row in rows])
    else:
        content = _xlsx_bytes([cells_of(row) for row in rows])
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name!r} is no FAQ file: its name must end in {', '.join(SUFFIXES)}")


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(row number as an editor shows it, row) of each row that is not blank."""
    if path.suffix.lower() == ".jsonl":
        return _jsonl_rows(path)
    return _table_rows(path, _csv_table(path) if path.suffix.lower() == ".csv" else _xlsx_table(path))


def _jsonl_rows(path: Path) -> Iterator[tuple[int, Row]]:
    # Not splitlines(): U+2028 and its like may stand inside a JSON string.
    for number, line in enumerate(_text(path).replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise KnowledgeBaseError(f"{path.name}, row {number}: not JSON ({error}); correct it") from error
        if not isinstance(row, dict):
            raise KnowledgeBaseError(f'{path.name}, row {number}: must be an object, {{"question": …}}')
        yield number, row


def _table_rows(path: Path, table: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, Row]]:
    """Rows of a table whose first row names the fields."""
    _, first = next(table, (0, ()))
    names = [str(name or "").strip().lower() for name in first]
    for required in ("question", "answer"):
        if required not in names:
            raise KnowledgeBaseError(
                f"{path.name}, row 1: no column {required!r}; the first row must name the columns, "
                f"of {', '.join(FIELDS)}"
            )
    for name in set(names) - {""}:
        if names.count(name) > 1:
            raise KnowledgeBaseError(f"{path.name}, row 1: two columns {name!r}; keep one")
    for number, cells in table:
        if any(str(cell if cell is not None else "").strip() for cell in cells):
            yield number, _named(names, cells)


def _named(names: Sequence[str], cells: Sequence[Any]) -> Row:
    row = {name: cell for name, cell in zip(names, cells, strict=False) if name}
    beyond = [cell for cell in cells[len(names) :] if cell not in ("", None)]
    return row | ({"(no name)": beyond} if beyond else {})


def _csv_table(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        yield from enumerate(csv.reader(io.StringIO(_text(path), newline=""), strict=True), start=1)
    except csv.Error as error:
        raise KnowledgeBaseError(
            f"{path.name} is no well-formed CSV ({error}); save it again from the spreadsheet"
        ) from error


def _xlsx_table(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        sheet = load_workbook(path, data_only=True).worksheets[0]
    except Exception as error:  # a broken file may raise anything in the parser
        raise KnowledgeBaseError(
            f"{path.name} cannot be opened as an XLSX file; save it again as .xlsx without a password"
        ) from error
    yield from enumerate(sheet.iter_rows(values_only=True), start=1)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):  # GB18030 holds GBK and GB 2312
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise KnowledgeBaseError(f"{path.name} is neither UTF-8 nor GBK text; save it again as UTF-8")


def _csv_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, FIELDS)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue().encode("utf-8-sig")  # with the mark, or Excel reads UTF-8 as GBK


def _xlsx_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(FIELDS))
    for number, row in enumerate(rows, start=2):
        for column, field in enumerate(FIELDS, start=1):
            if len(row[field]) > _LONGEST_CELL:
                raise KnowledgeBaseError(
                    f"FAQ {row['id']}, field {field}: has {len(row[field])} characters, more than the "
                    f"{_LONGEST_CELL} of an XLSX cell; write a .jsonl file, or shorten it"
                )
            try:
                cell = sheet.cell(number, column, row[field])
            except IllegalCharacterError as error:
                raise KnowledgeBaseError(
                    f"FAQ {row['id']}, field {field}: holds a control character, which XLSX cannot; remove it"
                ) from error
            cell.data_type = "s"  # text that opens with "=" is no formula
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
