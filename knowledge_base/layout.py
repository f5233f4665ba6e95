"""Puts the lines of printed pages together again: whole paragraphs, headings, lists and tables as Markdown.

Pure functions of lines with positions. Knows nothing of PDF files.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from knowledge_base.sentences import width
from knowledge_base.source import is_wide
from knowledge_base.table import table

_BULLET = re.compile(r"[•●▪■◆○◦·‣∙➢✓\-–]\s+|[•●▪■◆○◦‣∙➢✓\ue000-\uf8ff\x7f]\s*")
_NUMBERED = re.compile(
    r"[(（]?(?:[a-z][.)](?=\s)|(?:\d{1,3}|[一二三四五六七八九十]{1,3})[.)）、．](?!\d))|[①-⑳]|第[一二三四五六七八九十\d]+[章节条款]"
)
_SECTION_NUMBER = re.compile(r"\d+(?:\.\d+)*[.、]?\s*\D|第[一二三四五六七八九十\d]+[章节]|[一二三四五六七八九十]+、")
_PAGE_NUMBER = re.compile(r"\W*(?:第\s*\d+\s*页.*|page\s+\d+.*|\d+(?:\s*(?:/|of)\s*\d+)?)\W*", re.IGNORECASE)
_NOT_AT_END = "。；，、,;."  # of a heading
_BIGGER = 1.12  # times the body's size: a heading
_BAND = 0.12  # share of the page's height where running headers and footers stand
_WORD = re.compile(r"[A-Za-z]+")
_SPACED = re.compile(r"[A-Za-z0-9] [一-鿿]|[一-鿿] [A-Za-z0-9]")
_UNSPACED = re.compile(r"[A-Za-z0-9][一-鿿]|[一-鿿][A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line. Lengths in points from the page's top left; `right`: where its column ends."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool = False
    page: int = 0
    right: float = 0.0


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the first row is its header."""

    rows: tuple[tuple[str, ...], ...]
    top: float
    page: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on one page, from top to bottom."""

    width: float
    height: float
    parts: tuple[Line | Grid, ...]


@dataclass(frozen=True, slots=True)
class _Habits:
    """How this document is written: its words, and whether Chinese and Latin have a space between them."""

    vocabulary: frozenset[str]
    spaced: bool


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    first: Line
    lines: int


def markdown_of(pages: Sequence[Page]) -> str:
    """The pages as Markdown, without running headers, footers and page numbers. Raises nothing."""
    body = _body_size(pages)
    pages = _with_bold_as_exception(pages)
    parts = [part for page in _without_running_lines(pages, body) for part in page]
    return _render(_paragraphs(_merged(parts), pages), body)


def _lines(pages: Iterable[Page]) -> list[Line]:
    return [part for page in pages for part in page.parts if isinstance(part, Line)]


def _body_size(pages: Sequence[Page]) -> float:
    sizes: Counter[float] = Counter()
    for line in _lines(pages):
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _with_bold_as_exception(pages: Sequence[Page]) -> Sequence[Page]:
    """Where most of the text is bold, as in a font that has one weight only, bold means nothing."""
    lines = _lines(pages)
    if 2 * sum(len(line.text) for line in lines if line.bold) < sum(len(line.text) for line in lines):
        return pages
    return [
        replace(page, parts=tuple(replace(p, bold=False) if isinstance(p, Line) else p for p in page.parts))
        for page in pages
    ]


def _without_running_lines(pages: Sequence[Page], body: float) -> list[list[Line | Grid]]:
    def key(line: Line, page: Page) -> str:
        if line.size > body * _BIGGER or _BAND * page.height < line.top < (1 - _BAND) * page.height:
            return ""
        return ("top " if line.top < page.height / 2 else "bottom ") + re.sub(r"\d+", "0", line.text)

    seen = Counter(k for page in pages for k in {key(line, page) for line in _lines([page])})
    often = {k for k, n in seen.items() if n >= max(2, 0.4 * len(pages))}

    def runs(part: Line | Grid, page: Page) -> bool:
        if isinstance(part, Grid):
            return False
        place = key(part, page)
        return bool(place) and (place in often or _PAGE_NUMBER.fullmatch(part.text) is not None)

    return [[part for part in page.parts if not runs(part, page)] for page in pages]


def _merged(parts: Iterable[Line | Grid]) -> list[Line | Grid]:
    """Tables that go on over a page break are one; the header that the second page repeats goes."""
    found: list[Line | Grid] = []
    for part in parts:
        last = found[-1] if found else None
        if (
            isinstance(part, Grid)
            and isinstance(last, Grid)
            and part.page == last.page + 1
            and len(part.rows[0]) == len(last.rows[0])
        ):
            rows = part.rows[1:] if part.rows[0] == last.rows[0] else part.rows
            found[-1] = replace(last, rows=last.rows + rows, page=part.page)
        else:
            found.append(part)
    return found


def _paragraphs(parts: Sequence[Line | Grid], pages: Sequence[Page]) -> list[_Paragraph | Grid]:
    habits = _habits(_lines(pages))
    leading = _leading([part for part in parts if isinstance(part, Line)])
    found: list[_Paragraph | Grid] = []
    last: Line | None = None
    for part in parts:
        if isinstance(part, Grid):
            found.append(part)
            last = None
            continue
        before = found[-1] if found else None
        if last is not None and isinstance(before, _Paragraph) and _goes_on(last, part, before, leading):
            joined = _joined(before.text, part.text, habits)
            found[-1] = _Paragraph(joined, before.first, before.lines + 1)
        else:
            found.append(_Paragraph(part.text, part, 1))
        last = part
    return found


def _leading(lines: Sequence[Line]) -> float:
    """From one line's top to the next one's within a paragraph, in sizes of the type."""
    steps = [
        (b.top - a.top) / a.size
        for a, b in zip(lines, lines[1:], strict=False)
        if a.page == b.page and abs(a.size - b.size) < 0.6 and 0 < b.top - a.top < 2.5 * a.size
    ]
    return median(steps) if steps else 1.5


def _goes_on(a: Line, b: Line, paragraph: _Paragraph, leading: float) -> bool:
    """Whether line `b` is the same paragraph's next line: `a` is so full that b's first word had no room."""
    if abs(a.size - b.size) > 0.6 or a.bold != b.bold or _BULLET.match(b.text) or _NUMBERED.match(b.text):
        return False
    if a.page == b.page and not 0 < b.top - a.top <= 1.35 * leading * a.size:
        return False
    item = _BULLET.match(paragraph.first.text) or _NUMBERED.match(paragraph.first.text)
    if b.x0 > a.x0 + 1.2 * a.size and not item:
        return False
    if a.page != b.page and a.text[-1] in "。！？.!?":
        return False
    word = b.text.split(maxsplit=1)[0]
    needed = 2.2 if is_wide(word[0]) else 1 + 0.55 * len(word)
    return a.right - a.x1 < needed * a.size


def _habits(lines: Sequence[Line]) -> _Habits:
    vocabulary = frozenset(word.lower() for line in lines for word in _WORD.findall(line.text))
    spaced = sum(len(_SPACED.findall(line.text)) - len(_UNSPACED.findall(line.text)) for line in lines)
    return _Habits(vocabulary, spaced > 0)


def _joined(before: str, after: str, habits: _Habits) -> str:
    if is_wide(before[-1]) or is_wide(after[0]):
        space = " " if habits.spaced and _UNSPACED.fullmatch(before[-1] + after[0]) else ""
        return before + space + after
    if before.endswith("-") and before[-2:-1].isalpha() and after[0].islower():
        halves = _WORD.findall(before)[-1] + _WORD.findall(after)[0]
        return (before[:-1] if halves.lower() in habits.vocabulary else before) + after
    return f"{before} {after}"


def _render(parts: Sequence[_Paragraph | Grid], body: float) -> str:
    sizes = sorted({round(p.first.size) for p in parts if isinstance(p, _Paragraph) and _is_big(p, body)}, reverse=True)
    blocks: list[str] = []
    in_list = False
    for i, part in enumerate(parts):
        if isinstance(part, Grid):
            block, item = table(part.rows), False
        else:
            block, item = _block(part, parts[i + 1] if i + 1 < len(parts) else None, body, sizes)
        if item and in_list:
            blocks[-1] += "\n" + block
        else:
            blocks.append(block)
        in_list = item
    return "\n\n".join(blocks)


def _block(part: _Paragraph, following: _Paragraph | Grid | None, body: float, sizes: list[int]) -> tuple[str, bool]:
    """Its Markdown, and whether it is a list item."""
    bullet = _BULLET.match(part.text)
    if bullet and bullet.end() < len(part.text):
        return "- " + part.text[bullet.end() :], True
    if _is_big(part, body):
        return f"{'#' * min(4, sizes.index(round(part.first.size)) + 1)} {part.text}", False
    if _is_bold_title(part, following):
        return f"{'#' * (min(4, len(sizes)) + 1)} {part.text}", False
    return part.text, _NUMBERED.match(part.text) is not None


def _is_big(part: _Paragraph, body: float) -> bool:
    return part.first.size >= body * _BIGGER and part.lines <= 3 and _may_be_title(part.text, 80)


def _is_bold_title(part: _Paragraph, following: _Paragraph | Grid | None) -> bool:
    if not part.first.bold or part.lines > 1 or following is None or not _may_be_title(part.text, 60):
        return False
    return isinstance(following, Grid) or not following.first.bold or _SECTION_NUMBER.match(part.text) is not None


def _may_be_title(text: str, columns: int) -> bool:
    letters = sum(c.isalpha() for c in text)
    return letters >= 2 and width(text) <= columns and text[-1] not in _NOT_AT_END
