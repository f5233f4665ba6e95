"""The FAQs that a file's bytes say, and every problem in it by row and field. Knows nothing of folders or the store.

Nothing is raised for what is wrong with a file: a problem has a code, so that it can be told in any language.
"""

import csv
import dataclasses
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from knowledge_base.faq_row import FIELDS, Row, WrongFieldError, faq_of, plain_cell
from knowledge_base.types import Faq

_MOST_UNPACKED = 100_000_000  # bytes in all of an XLSX file's parts
_MOST_CELLS = 2_000_000  # of an XLSX file, blank ones among them


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong. `row`: as an editor numbers it, 0 for the whole file; `field`: "" for the whole row."""

    row: int
    field: str
    code: str
    said: str  # in English, for programmers and the command line
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """The FAQs of the rows that are right, by row number in the file's order, and what is wrong with the others."""

    faqs: Mapping[int, Faq]
    problems: tuple[Problem, ...]


class _Broken(Exception):
    """The file cannot be read beyond this."""

    def __init__(self, code: str, said: str, row: int = 0, **values: object) -> None:
        super().__init__(said)
        self.problem = Problem(row, "", code, said, values)


def parse(name: str, data: bytes, most_rows: int | None = None) -> Parsed:
    """Read a .jsonl, .csv (UTF-8 or GBK) or .xlsx file; for its form see faq_file.read_faqs.

    most_rows: more are a problem. Reads on after a wrong row, so that all of them are told at once.
    """
    faqs: dict[int, Faq] = {}
    problems: list[Problem] = []
    first_row: dict[str, int] = {}
    try:
        for count, (number, row) in enumerate(_rows(name, data), start=1):
            if most_rows is not None and count > most_rows:
                raise _Broken("too_many_rows", f"has more than {most_rows} rows; split it", most=most_rows)
            try:
                faq = faq_of(row)
            except WrongFieldError as error:
                problems.append(Problem(number, error.field, error.code, str(error), error.values))
                continue
            if faq.id in first_row:
                said = f"{faq.id!r} stands in row {first_row[faq.id]} already"
                problems.append(Problem(number, "id", "repeated", said, {"id": faq.id, "first": first_row[faq.id]}))
                continue
            first_row[faq.id] = number
            faqs[number] = faq
    except _Broken as broken:
        problems.append(broken.problem)
    return Parsed(faqs, tuple(problems))


def _rows(name: str, data: bytes) -> Iterator[tuple[int, Row]]:
    """(row number as an editor shows it, row) of each row that is not blank."""
    suffix = name[name.rfind(".") :].lower()
    if suffix == ".jsonl":
        return _jsonl_rows(data)
    if suffix not in (".csv", ".xlsx"):
        raise _Broken("kind", "is no FAQ file: its name must end in .jsonl, .csv, .xlsx")
    return _table_rows(_csv_table(data) if suffix == ".csv" else _xlsx_table(data))


def _jsonl_rows(data: bytes) -> Iterator[tuple[int, Row]]:
    # Not splitlines(): U+2028 and its like may stand inside a JSON string.
    for number, line in enumerate(_text(data).replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _Broken("not_json", f"not JSON ({error}); correct it", number) from error
        if not isinstance(row, dict):
            raise _Broken("no_object", 'must be an object, {"question": …}', number)
        yield number, row


def _table_rows(table: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, Row]]:
    """Rows of a table whose first row names the fields."""
    _, first = next(table, (0, ()))
    names = [str(name or "").strip().lower() for name in first]
    for required in ("question", "answer"):
        if required not in names:
            listed = ", ".join(FIELDS)
            said = f"no column {required!r}; the first row must name the columns, of {listed}"
            raise _Broken("no_column", said, 1, column=required, listed=listed)
    for name in sorted(set(names) - {""}):
        if names.count(name) > 1:
            raise _Broken("two_columns", f"two columns {name!r}; keep one", 1, column=name)
    for number, cells in table:
        if any(str(cell if cell is not None else "").strip() for cell in cells):
            yield number, _named(names, cells)


def _named(names: Sequence[str], cells: Sequence[Any]) -> Row:
    row = {name: plain_cell(cell) for name, cell in zip(names, cells, strict=False) if name}
    beyond = [cell for cell in cells[len(names) :] if cell not in ("", None)]
    return row | ({"(no name)": beyond} if beyond else {})


def _csv_table(data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        yield from enumerate(csv.reader(io.StringIO(_text(data), newline=""), strict=True), start=1)
    except csv.Error as error:
        said = f"is no well-formed CSV ({error}); save it again from the spreadsheet"
        raise _Broken("bad_csv", said, detail=error) from error


def _xlsx_table(data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:  # the sizes stated are binding: reading never gives more
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked <= _MOST_UNPACKED:
            sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()  # what a file states about its size is often wrong
            rows = iter(sheet.iter_rows(values_only=True))
    except Exception as error:  # a broken file may raise anything in the parser
        raise _not_opened() from error
    if unpacked > _MOST_UNPACKED:
        most = _MOST_UNPACKED // 1_000_000
        raise _Broken("bomb", f"unpacks to more than {most} MB; remove pictures, or split it", most=most)
    yield from _counted(rows)


def _counted(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Any]]]:
    number = cells = 0
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise _not_opened() from error
        if row is None:
            return
        number, cells = number + 1, cells + (len(row) or 1)
        if cells > _MOST_CELLS:
            said = f"has more than {_MOST_CELLS} cells; delete its empty rows and columns"
            raise _Broken("too_many_cells", said, most=_MOST_CELLS)
        yield number, row


def _not_opened() -> _Broken:
    return _Broken("bad_xlsx", "cannot be opened as an XLSX file; save it again as .xlsx without a password")


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # GB18030 holds GBK and GB 2312
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _Broken("encoding", "is neither UTF-8 nor GBK text; save it again as UTF-8")
