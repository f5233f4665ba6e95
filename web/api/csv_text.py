"""Tables as CSV that a spreadsheet opens safely, in both languages. Pure functions."""

import csv
import io
from collections.abc import Iterable, Sequence

from knowledge_base.faq_row import safe_cell

_MARK = "\ufeff"  # by which spreadsheets know UTF-8


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as CSV; text that a spreadsheet would compute gets an apostrophe before it."""
    written = io.StringIO(_MARK, newline="")
    written.seek(0, io.SEEK_END)
    writer = csv.writer(written)
    writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return written.getvalue()


def _safe(cell: object) -> object:
    if isinstance(cell, str):
        begins = cell.lstrip(" ")
        return cell if safe_cell(begins) == begins else f"'{cell}"
    return "" if cell is None else cell
