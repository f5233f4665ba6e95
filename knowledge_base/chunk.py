"""Cuts a Markdown text into passages: at headings first, then at paragraphs, rows, items and sentences.

Pure functions of text and a token counter. Knows nothing of models, stores or files.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from knowledge_base.sections import FENCE, fence_end, sections
from knowledge_base.sentences import sentence_spans

CountTokens = Callable[[Sequence[str]], list[int]]

_DELIMITER = re.compile(
    r"^[ \t]*(?:\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?|\|[ \t]*:?-+:?[ \t]*\|)[ \t]*$", re.MULTILINE
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*$")
_SOFT_END = re.compile(r"[\s，、,;；)）]")
_ONLY_RULES = re.compile(r"[-*_=\s]*")
_SMALLEST_SIZE = 16
_PARAGRAPH, _LINE, _SENTENCE, _COLON, _WORD, _HEADER = range(6)  # what a cut costs there, cheapest first


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document that stands by itself. `headings`: the path to it, outermost first."""

    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a piece repeats when it begins or ends inside: a table's header, a code fence."""

    head: str
    tail: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is cut only when it is larger than a piece; `text` has the white space up to the next unit."""

    text: str
    cost: int  # of a cut right before it
    frame: _Frame | None = None
    inner: bool = True  # false: the line that is the frame's own head or tail
    tokens: int = 0


def chunk(markdown: str, count_tokens: CountTokens, size: int = 256) -> list[Piece]:
    """Cut `markdown` into pieces of at most `size` tokens, in order; nothing but headings is left out.

    Headings become paths; neighbouring paragraphs below one heading share a piece while they fit; the rows of a
    large table get its header row repeated, a cut code fence its marks. A sentence that alone is too long is
    cut at spaces, else between characters. `count_tokens` is called a few times with many texts; tokens that it
    adds to every text do not count. Raises ValueError for a `size` below 16.
    """
    if size < _SMALLEST_SIZE:
        raise ValueError(f"size={size!r} is too small for a passage; use at least {_SMALLEST_SIZE} tokens")
    parts = sections(markdown)
    units = [_units(section.body.strip("\n"), size) for section in parts]
    counted = _Counter(count_tokens, size).fit(units)
    pieces = []
    for section, fitted in zip(parts, counted, strict=True):
        for text in _pack(fitted, size):
            if not _ONLY_RULES.fullmatch(text):
                pieces.append(Piece(section.headings, text))
    return pieces


def _units(body: str, size: int) -> list[_Unit]:
    """The whole of `body` as units; longer ones than any piece could be are cut already."""
    units: list[_Unit] = []
    position = 0
    for start, end, make in _framed(body):
        units.extend(_prose(body[position:start]))
        units.extend(make(body[start:end]))
        position = end
    units.extend(_prose(body[position:]))
    units = [part for unit in units for part in _cut(unit, 8 * size)]
    return [_priced(unit, before) for unit, before in zip(units, [None, *units[:-1]], strict=True)]


def _priced(unit: _Unit, before: _Unit | None) -> _Unit:
    if before is None or unit.cost > _COLON:
        return unit
    if before.text.rstrip().endswith((":", "：")):
        cost = _COLON
    elif _BLANK_LINE.search(before.text[-200:]) and (unit.frame is None or unit.frame is not before.frame):
        cost = _PARAGRAPH
    else:
        cost = _LINE if "\n" in before.text[len(before.text.rstrip()) :] else _SENTENCE
    return replace(unit, cost=cost)


def _framed(body: str) -> list[tuple[int, int, Callable[[str], list[_Unit]]]]:
    """(start, end, how to make units of it) of code fences and tables, in order."""
    found: list[tuple[int, int, Callable[[str], list[_Unit]]]] = []
    position = 0
    while (match := FENCE.search(body, position)) is not None:
        end = fence_end(body, match)
        found.extend(_tables(body, position, match.start()))
        if end is not None:
            found.append((match.start(), end, _code))
        position = end if end is not None else match.end()
    return found + _tables(body, position, len(body))


def _tables(body: str, start: int, end: int) -> list[tuple[int, int, Callable[[str], list[_Unit]]]]:
    found: list[tuple[int, int, Callable[[str], list[_Unit]]]] = []
    while (match := _DELIMITER.search(body, start, end)) is not None:
        header = body.rfind("\n", start, max(start, match.start() - 1)) + 1 or start
        start = match.end()
        if "|" not in body[header : match.start()]:
            continue
        while start < end:
            stop = body.find("\n", start + 1, end)
            stop = end if stop < 0 else stop
            if "|" not in body[start:stop]:
                break
            start = stop
        found.append((header, start, _table))
    return found


def _table(text: str) -> list[_Unit]:
    header, delimiter, *rows = text.splitlines(keepends=True)
    frame = _Frame((header + delimiter).rstrip() + "\n", "")
    units = [_Unit(header + delimiter, _LINE, frame, inner=False)]
    units.extend(_Unit(row, _LINE, frame) for row in rows)
    if rows:
        units[1] = replace(units[1], cost=_HEADER)
    return units


def _code(text: str) -> list[_Unit]:
    opening, *lines, closing = text.splitlines(keepends=True)
    frame = _Frame(opening, "\n" + closing)
    units = [_Unit(opening, _LINE, frame, inner=False), *(_Unit(line, _LINE, frame) for line in lines)]
    return [*units, _Unit(closing, _LINE, frame, inner=False)]


def _prose(text: str) -> list[_Unit]:
    starts = [start for start, _ in sentence_spans(text)]
    if not starts:
        return [_Unit(text, _PARAGRAPH)] if text else []
    starts[0] = 0
    return [_Unit(text[i:j], _LINE) for i, j in zip(starts, [*starts[1:], len(text)], strict=True)]


def _cut(unit: _Unit, length: int) -> list[_Unit]:
    """`unit` in parts of at most `length` characters, cut at a space or comma where one is near."""
    text = unit.text
    if len(text) <= length:
        return [unit]
    parts = []
    start = 0
    while start < len(text):
        end = min(len(text), start + length)
        if end < len(text):
            end = _soft_end(text, start, end)
        parts.append(replace(unit, text=text[start:end], cost=_WORD if start else unit.cost))
        start = end
    return parts


def _soft_end(text: str, start: int, end: int) -> int:
    for near in range(end, start + (end - start) // 2, -1):
        if _SOFT_END.match(text[near - 1]):
            return near
    near = end
    while near > start + 1 and (unicodedata.combining(text[near]) or text[near] in "\u200d\ufe0f"):
        near -= 1
    return near


class _Counter:
    """Gives units their tokens, and cuts those that are too large for a piece, in few calls."""

    def __init__(self, count_tokens: CountTokens, size: int) -> None:
        self._count_tokens = count_tokens
        self._size = size
        self._frames: dict[_Frame, int] = {}

    def fit(self, units: list[list[_Unit]]) -> list[list[_Unit]]:
        frames = list({unit.frame for row in units for unit in row if unit.frame})
        self._frames = dict(zip(frames, self._count([f.head + f.tail for f in frames]), strict=True))
        while True:
            fresh = [unit.text for row in units for unit in row if not unit.tokens]
            counts = iter(self._count(fresh))
            units = [[u if u.tokens else replace(u, tokens=max(1, next(counts))) for u in row] for row in units]
            cut = [[part for unit in row for part in self._smaller(unit)] for row in units]
            if all(len(a) == len(b) for a, b in zip(cut, units, strict=True)):
                return units
            units = cut
