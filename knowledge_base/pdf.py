"""PDF files as Markdown: reads characters and rules with pdfplumber, page by page.

Not markitdown's own PDF converter, which tears unruled price lists apart and drops headings: here a row stays a
row. Knows nothing of chunks or the store.
"""

import io
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from knowledge_base.layout import Grid, Line, Page, markdown_of
from knowledge_base.source import MOST_CHARACTERS, Markdown, Source, Unreadable, is_wide, one_line, too_long

_log = logging.getLogger(__name__)
_MOST_EDGES = 4_000  # rules on one page beyond which it is a drawing
_COLUMN_GAP = 0.9  # times the type's size between two columns
_TABLE_SIDES = 5  # rows and columns together that make a table without rules
_PROSE_ROWS = 6  # lines in two wide columns that make a page in columns
_PROSE_WIDTH = 15  # characters, on average, in a column of prose
_GENERIC_TITLES = ("", "untitled", "(anonymous)", "anonymous", "无标题", "microsoft word", "powerpoint", "幻灯片")
_FOLDED = {
    code: unicodedata.normalize("NFKC", chr(code))
    for block in (range(0x2E80, 0x2FE0), range(0xF900, 0xFB07), range(0x00A0, 0x00A1))
    for code in block
}  # radicals, ligatures and the like that fonts give for ordinary characters
_MARKER = re.compile(r"[•●▪■◆○◦·‣∙➢✓–-]|[(（]?\w{1,3}[.)）、．]|[①-⑳]")  # of a list item, set apart from its text

_Char = dict[str, Any]


def read_pdf(source: Source) -> Markdown:
    """The text of a PDF with its headings, lists and tables.

    Raises Unreadable for a file that is encrypted, broken, scanned without text, or without usable fonts.
    """
    import pdfplumber
    from pdfminer.pdfdocument import PDFPasswordIncorrect

    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    try:
        with pdfplumber.open(io.BytesIO(source.data)) as pdf:
            pages = list(_pages(pdf, source.name))
            title = str((pdf.metadata or {}).get("Title") or "")
    except Unreadable:
        raise
    except Exception as error:  # a broken file may raise anything in the parser
        causes = (error, error.__cause__, *error.args)
        if any(isinstance(cause, PDFPasswordIncorrect) for cause in causes):
            raise Unreadable(
                f"{source.name} is protected by a password. Save a copy without the password and add that."
            ) from error
        raise _broken(source.name) from error
    if not pages:
        raise _broken(source.name)
    text = markdown_of(pages)
    if not text:
        raise Unreadable(
            f"{source.name} has no text, only pictures of pages. Run text recognition (OCR) on it and add the result."
        )
    return Markdown(text, title if _is_title(title) else "")


def _broken(name: str) -> Unreadable:
    return Unreadable(f"{name} is a broken PDF. Open it in a PDF viewer, save it again and add the new file.")


def _is_title(title: str) -> bool:
    lowered = title.strip().lower()
    return lowered not in _GENERIC_TITLES and not lowered.startswith(("microsoft ", "untitled"))


def _pages(pdf: Any, name: str) -> Iterator[Page]:
    size = kept = dropped = 0
    blank = []
    for number, page in enumerate(pdf.pages):
        chars = [c for c in page.chars if c["upright"]]
        nameless = sum(_is_nameless(c) for c in chars)
        kept += len(chars) - nameless
        dropped += nameless
        parts = _parts(page, chars, number)
        size += sum(len(p.text) if isinstance(p, Line) else sum(map(len, sum(p.rows, ()))) for p in parts)
        if size > MOST_CHARACTERS:
            raise too_long(name)
        if not parts:
            blank.append(number + 1)
        yield Page(float(page.width), float(page.height), tuple(parts))
        page.close()
    if dropped > max(20, kept):
        raise Unreadable(
            f"{name} uses fonts that do not say which characters they show. Export it again from its original,"
            " or run text recognition (OCR) on it, and add the result."
        )
    if blank and kept:
        _log.warning("%s: no text on pages %s", name, ", ".join(map(str, blank[:20])))


def _is_nameless(char: _Char) -> bool:
    """Whether its font does not say which character it is."""
    return str(char["text"]).startswith("(cid:") or char["text"] in ("\x00", "\ufffd")


def _parts(page: Any, chars: list[_Char], number: int) -> list[Line | Grid]:
    grids: list[Grid] = []
    if 4 <= len(page.edges) <= _MOST_EDGES:
        for found in page.find_tables():
            rows = [[_clean(one_line(cell or "")) for cell in row] for row in found.extract()]
            if _is_table(rows):
                grids.append(Grid(tuple(map(tuple, rows)), found.bbox[1], number))
                chars = [c for c in chars if not _inside(c, found.bbox)]
    rows_of_lines = [_segments(row, number) for row in _rows(chars)]
    lines = _in_reading_order([row for row in rows_of_lines if row], float(page.width))
    return _placed(lines, sorted(grids, key=lambda g: g.top))


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    filled = [sum(map(bool, row)) for row in rows]
    return len(rows) > 1 and max(filled, default=0) > 1


def _inside(char: _Char, box: tuple[float, float, float, float]) -> bool:
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _placed(lines: list[Line | Grid], grids: Sequence[Grid]) -> list[Line | Grid]:
    """`lines` in their order, each grid before the first line below it."""
    for grid in grids:
        below = (i for i, part in enumerate(lines) if part.top >= grid.top)
        lines.insert(next(below, len(lines)), grid)
    return lines


def _rows(chars: Sequence[_Char]) -> list[list[_Char]]:
    """Characters on one baseline, rows from top to bottom, each from left to right."""
    rows: list[list[_Char]] = []
    for char in sorted(chars, key=lambda c: -c["matrix"][5]):
        if rows and rows[-1][0]["matrix"][5] - char["matrix"][5] < 0.3 * char["size"]:
            rows[-1].append(char)
        else:
            rows.append([char])
    return [sorted(row, key=lambda c: float(c["x0"])) for row in rows]


def _segments(row: Sequence[_Char], number: int) -> list[Line]:
    """A row cut at the gaps that are as wide as between columns."""
    lines: list[list[_Char]] = []
    text: list[str] = []
    spaced = False
    for char in row:
        if char["text"].isspace():
            spaced = True
            continue
        last = lines[-1][-1] if lines else None
        gap = char["x0"] - last["x1"] if last else 0.0
        if last is None or (gap > _COLUMN_GAP * char["size"] and not _MARKER.fullmatch(text[-1])):
            lines.append([char])
            text.append("•" if _is_nameless(char) else char["text"])
        elif _is_nameless(char):
            lines[-1].append(char)
        elif char["text"] != last["text"] or char["x0"] - last["x0"] > 0.15 * char["size"]:  # else bold by overprint
            wide = is_wide(char["text"][0]) and is_wide(last["text"][0])
            if gap > (0.6 if wide else 0.17) * char["size"] or (spaced and not wide):
                text[-1] += " "
            lines[-1].append(char)
            text[-1] += char["text"]
        spaced = False
    return [_line(chars, _clean(t), number) for chars, t in zip(lines, text, strict=True) if _clean(t).strip("•")]


def _clean(text: str) -> str:
    return text.translate(_FOLDED).strip()


def _line(chars: Sequence[_Char], text: str, number: int) -> Line:
    bold = sum("bold" in c["fontname"].lower() or "hei" in c["fontname"].lower() for c in chars)
    size = sorted(float(c["size"]) for c in chars)[len(chars) // 2]
    top, bottom = min(c["top"] for c in chars), max(c["bottom"] for c in chars)
    return Line(text, chars[0]["x0"], chars[-1]["x1"], top, bottom, size or 1.0, bold == len(chars), number)


def _in_reading_order(rows: list[list[Line]], page_width: float) -> list[Line | Grid]:
    """Rows as lines; runs of rows in the same columns as a table, or column by column where they are prose."""
    right = max([0.8 * page_width, *(row[-1].x1 for row in rows)])
    found: list[Line | Grid] = []
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and _same_columns(rows[start:end], rows[end]):
            end += 1
        found.extend(_run(rows[start:end], right))
        start = end
    return found


def _same_columns(above: Sequence[Sequence[Line]], row: Sequence[Line]) -> bool:
    last, first = above[-1], above[0]
    if len(row) < 2 or len(row) != len(first) or row[0].top - last[0].top > 4 * row[0].size:
        return False
    return all(min(a.x1, b.x1) > max(a.x0, b.x0) for a, b in zip(last, row, strict=True))


def _run(rows: Sequence[Sequence[Line]], right: float) -> list[Line | Grid]:
    columns = len(rows[0])
    if columns == 2 and len(rows) >= _PROSE_ROWS and _mean_length(rows) > _PROSE_WIDTH:
        ends = [max(row[i].x1 for row in rows) for i in range(2)]
        return [_with_right(row[i], ends[i]) for i in range(2) for row in rows]
    if columns >= 2 and len(rows) + columns >= _TABLE_SIDES:
        return [Grid(tuple(tuple(line.text for line in row) for row in rows), rows[0][0].top, rows[0][0].page)]
    return [_whole(row, right) for row in rows]


def _mean_length(rows: Sequence[Sequence[Line]]) -> float:
    lengths = [len(line.text) * (2 if is_wide(line.text[0]) else 1) for row in rows for line in row]
    return sum(lengths) / len(lengths) / 2


def _with_right(line: Line, right: float) -> Line:
    return Line(line.text, line.x0, line.x1, line.top, line.bottom, line.size, line.bold, line.page, right)


def _whole(row: Sequence[Line], right: float) -> Line:
    first = row[0]
    gaps = [b.x0 - a.x1 for a, b in pairwise(row)]
    text = first.text
    for line, gap in zip(row[1:], gaps, strict=True):
        text += ("  " if gap > 0 else " ") + line.text
    return Line(
        text, first.x0, row[-1].x1, first.top, first.bottom, first.size, all(s.bold for s in row), first.page, right
    )
