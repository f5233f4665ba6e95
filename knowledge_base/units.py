"""Markdown text as the units that a passage is put together from: sentences, list lines, table rows, code lines.

Pure functions of text. Knows nothing of tokens, headings or how units are packed.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from knowledge_base.sections import FENCE, fence_end
from knowledge_base.sentences import sentence_spans

_DELIMITER = re.compile(
    r"^[ \t]*(?:\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?|\|[ \t]*:?-+:?[ \t]*\|)[ \t]*$", re.MULTILINE
)
_SPACE = re.compile(r"\s*")
_SOFT_END = re.compile(r"[\s，、,;；)）|]")
_JOINERS = "\u200d\ufe0f"

PARAGRAPH, LINE, SENTENCE, COLON, WORD, HEADER = range(6)
"""What a cut right before a unit costs, cheapest first."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a piece repeats when it begins or ends inside: a table's header, the marks of a code fence."""

    head: str
    tail: str


@dataclass(frozen=True, slots=True)
class Unit:
    """What is cut only when it is larger than a piece; `text` goes on to where the next unit begins."""

    text: str
    cost: int  # of a cut right before it
    frame: Frame | None = None
    opens: bool = False  # has the frame's head in itself
    ends: bool = False  # has the frame's tail in itself
    tokens: int = 0


def units(body: str) -> list[Unit]:
    """All of `body` as units, none of them only white space; their texts joined are `body` stripped."""
    body = body.strip()
    found: list[Unit] = []
    position = 0
    for start, end, make in _framed(body):
        found.extend(_prose(body[position:start]))
        framed = make(body[start:end])
        position = _SPACE.match(body, end).end()  # type: ignore[union-attr]  # matches the empty text too
        found.extend(framed[:-1])
        found.append(replace(framed[-1], text=framed[-1].text + body[end:position]))
    found.extend(_prose(body[position:]))
    return [_priced(unit, before) for unit, before in zip(found, [None, *found[:-1]], strict=True)]


def cut(unit: Unit, length: int) -> list[Unit]:
    """`unit` in parts of at most `length` characters, cut after a space or comma where one is near."""
    text = unit.text
    if len(text) <= length:
        return [unit]
    parts = []
    start = 0
    while start < len(text):
        end = min(len(text), start + length)
        if end < len(text):
            end = _soft_end(text, start, end)
        first, last = start == 0, end == len(text)
        cost = unit.cost if first else WORD
        part = Unit(text[start:end], cost, unit.frame, unit.opens and first, unit.ends and last)
        parts.append(part)
        start = end
    return parts


def _soft_end(text: str, start: int, end: int) -> int:
    for near in range(end, start + (end - start) // 2, -1):
        if _SOFT_END.match(text[near - 1]):
            return near
    near = end
    while near > start + 1 and (unicodedata.combining(text[near]) or text[near] in _JOINERS):
        near -= 1
    return near


def _priced(unit: Unit, before: Unit | None) -> Unit:
    if before is None or unit.cost == HEADER:
        return unit
    bare = before.text.rstrip()
    newlines = before.text.count("\n", len(bare))
    if bare.endswith((":", "：")):
        cost = COLON
    elif newlines > 1 and (unit.frame is None or unit.frame is not before.frame):
        cost = PARAGRAPH
    else:
        cost = LINE if newlines else SENTENCE
    return unit if cost == unit.cost else replace(unit, cost=cost)


_Region = tuple[int, int, Callable[[str], list[Unit]]]


def _framed(body: str) -> list[_Region]:
    """(start, end, what makes units of it) of each code fence and table, in order."""
    found: list[_Region] = []
    position = search = 0
    while (match := FENCE.search(body, search)) is not None:
        end = fence_end(body, match)
        if end is None:
            search = match.end()
            continue
        found.extend(_tables(body, position, match.start()))
        found.append((match.start(), end, _code))
        position = search = end
    return found + _tables(body, position, len(body))


def _tables(body: str, start: int, end: int) -> list[_Region]:
    found: list[_Region] = []
    search = start
    while (match := _DELIMITER.search(body, search, end)) is not None:
        header = max(start, body.rfind("\n", start, max(start, match.start() - 1)) + 1)
        search = match.end()
        if "|" not in body[header : match.start()]:
            continue
        while search < end:
            stop = body.find("\n", search + 1, end)
            stop = end if stop < 0 else stop
            if "|" not in body[search:stop]:
                break
            search = stop
        found.append((header, search, _table))
        start = search
    return found


def _table(text: str) -> list[Unit]:
    header, delimiter, *rows = text.split("\n")
    head = f"{header}\n{delimiter}\n"
    frame = Frame(head, "")
    found = [Unit(head, LINE, frame, opens=True)]
    found.extend(Unit(row + "\n", LINE, frame) for row in rows[:-1])
    if rows:
        found.append(Unit(rows[-1], LINE, frame))
        found[1] = replace(found[1], cost=HEADER)
    return found


def _code(text: str) -> list[Unit]:
    opening, *lines, closing = text.split("\n")
    if not lines:
        return [Unit(text, LINE)]
    frame = Frame(opening + "\n", "\n" + closing)
    found = [Unit(line + "\n", LINE, frame) for line in lines]
    found[0] = replace(found[0], text=frame.head + found[0].text, opens=True)
    found[-1] = replace(found[-1], text=found[-1].text + closing, ends=True)
    return found


def _prose(text: str) -> list[Unit]:
    starts = [start for start, _ in sentence_spans(text)]
    if not starts:
        return []
    starts[0] = 0
    return [Unit(text[i:j], LINE) for i, j in zip(starts, [*starts[1:], len(text)], strict=True)]
