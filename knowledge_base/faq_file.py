"""FAQs to and from files that people edit: JSONL, CSV and XLSX.

A file is read as a whole or not at all, and an error names the row and the field. Knows nothing of the store:
whether an FAQ is new, or says the same as another one, is not decided here.
"""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from knowledge_base.faq_parse import parse
from knowledge_base.faq_row import FIELDS, cells_of, row_of, safe_cell
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
    parsed = parse(path.name, path.read_bytes())
    for problem in parsed.problems:
        if not problem.field:  # of the file, not of one row
            where = f", row {problem.row}:" if problem.row else ""
            raise KnowledgeBaseError(f"{path.name}{where} {problem.said}")
    if parsed.problems:
        listed = [f"row {one.row}, field {one.field}: {one.said}" for one in parsed.problems]
        more = f"\nand {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        raise KnowledgeBaseError(
            f"{path.name} was not read, correct these rows first:\n" + "\n".join(listed[:_SHOWN]) + more
        )
    return list(parsed.faqs.values())


def write_faqs(path: Path, faqs: Sequence[Faq]) -> None:
    """Write FAQs so that `read_faqs` gives the same ones back; an existing file is replaced in one step.

    Raises KnowledgeBaseError when a value cannot stand in this kind of file, ValueError for another kind.
    """
    _check_suffix(path)
    content = faq_bytes(path.suffix.lower(), faqs)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def faq_bytes(suffix: str, faqs: Sequence[Faq]) -> bytes:
    """The file of that kind, ".csv" for one. Raises KnowledgeBaseError when a value cannot stand in it."""
    rows = [row_of(faq) for faq in faqs]
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    cells = [cells_of(row) for row in rows]
    return _csv_bytes(cells) if suffix == ".csv" else _xlsx_bytes(cells)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name!r} is no FAQ file: its name must end in {', '.join(SUFFIXES)}")


def _csv_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, FIELDS)
    writer.writeheader()
    writer.writerows({field: safe_cell(text) for field, text in row.items()} for row in rows)
    return sheet.getvalue().encode("utf-8-sig")  # with the mark, or Excel reads UTF-8 as GBK


def _xlsx_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.utils.exceptions import IllegalCharacterError

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
                cell = sheet.cell(number, column, _marked(row[field]))
            except IllegalCharacterError as error:
                raise KnowledgeBaseError(
                    f"FAQ {row['id']}, field {field}: holds a control character, which XLSX cannot; remove it"
                ) from error
            cell.data_type = "s"  # text that opens with "=" is no formula,
            cell.quotePrefix = safe_cell(row[field]) != row[field]  # nor when somebody edits the cell
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _marked(text: str) -> str:
    """A text that would be read as one that is marked, marked once more."""
    return safe_cell(text) if text.startswith("'") else text
