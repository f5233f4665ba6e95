"""Rows of cells as a Markdown table, the titles above it as paragraphs.

Pure functions of text. Knows nothing of spreadsheets or pages.
"""

import re
from collections.abc import Sequence

_PIPE = re.compile(r"(?<!\\)\|")


def table(rows: Sequence[Sequence[str]]) -> str:
    """`rows` as a Markdown table with the first row as its header.

    Empty rows and columns are left out. Rows at the top with a single cell are titles: they become paragraphs,
    unless no wider row follows. Cells lose their line breaks. No rows give "". Raises nothing.
    """
    filled = [[_cell(cell) for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if not filled:
        return ""
    columns = max(len(row) for row in filled)
    filled = [row + [""] * (columns - len(row)) for row in filled]
    used = [i for i in range(columns) if any(row[i] for row in filled)]
    filled = [[row[i] for i in used] for row in filled]
    first = next((i for i, row in enumerate(filled) if sum(map(bool, row)) > 1), 0)
    titles = ["".join(row) for row in filled[:first]]
    header, *rest = filled[first:]
    lines = [_line(header), _line(["---"] * len(used)), *(_line(row) for row in rest)]
    return "\n\n".join([*titles, "\n".join(lines)])


def _cell(text: str) -> str:
    return _PIPE.sub(r"\\|", " ".join(text.split()))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
