"""Cuts a Markdown text into passages: at headings first, then at paragraphs, rows, items and sentences.

Pure functions of text and a token counter. Knows nothing of models, stores or files.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge_base.sections import sections
from knowledge_base.units import Frame, Unit, cut, units

CountTokens = Callable[[Sequence[str]], list[int]]

_ONLY_RULES = re.compile(r"[-*_=\s]*")
_SMALLEST_SIZE = 16
_SURELY_LONG = 8  # characters per token that no running text has: longer units are cut before they are counted


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document that stands by itself. `headings`: the path to it, outermost first."""

    headings: tuple[str, ...]
    text: str


def chunk(markdown: str, count_tokens: CountTokens, size: int = 256) -> list[Piece]:
    """Cut `markdown` into pieces of at most `size` tokens, in order; nothing but headings is left out.

    Headings become paths; neighbouring paragraphs below one heading share a piece while they fit; the rows of a
    cut table get its header repeated, a cut code fence its marks. A sentence that alone is too long is cut at
    spaces, else between characters. `count_tokens` is called a few times with many texts; tokens that it adds
    to every text do not count. Raises ValueError for a `size` below 16.
    """
    if size < _SMALLEST_SIZE:
        raise ValueError(f"size={size!r} is too small for a passage; use at least {_SMALLEST_SIZE} tokens")
    parts = sections(markdown)
    packer = _Packer(count_tokens, size)
    rows = packer.fit([units(section.body) for section in parts])
    return [
        Piece(section.headings, text)
        for section, row in zip(parts, rows, strict=True)
        for text in packer.pack(row)
        if not _ONLY_RULES.fullmatch(text)
    ]


class _Packer:
    """Units into texts of at most `size` tokens."""

    def __init__(self, count_tokens: CountTokens, size: int) -> None:
        self._count_tokens = count_tokens
        self._size = size
        self._repeated: dict[Frame, int] = {}  # tokens of head and tail

    def fit(self, rows: list[list[Unit]]) -> list[list[Unit]]:
        """The same units with their tokens, none larger than a piece; a few calls of the counter in all."""
        longest = _SURELY_LONG * self._size
        rows = [[part for unit in row for part in cut(unit, longest)] for row in rows]  # a bound on each count
        frames = list({unit.frame: None for row in rows for unit in row if unit.frame})
        texts = [unit.text for row in rows for unit in row]
        added, *counts = self._count_tokens(["", *(f.head + f.tail for f in frames), *texts])
        self._repeated = {f: n - added for f, n in zip(frames, counts, strict=False)}
        tokens = iter(counts[len(frames) :])
        rows = [[self._counted(unit, next(tokens) - added) for unit in row] for row in rows]
        while True:
            large = [unit for row in rows for unit in row if self._too_large(unit)]
            if not large:
                return rows
            parts = {id(unit): cut(unit, self._length(unit)) for unit in large}
            texts = [part.text for some in parts.values() for part in some]
            tokens = iter(self._count_tokens(texts))
            fitted = {k: [self._counted(p, next(tokens) - added) for p in some] for k, some in parts.items()}
            rows = [[part for unit in row for part in fitted.get(id(unit), [unit])] for row in rows]

    def _counted(self, unit: Unit, tokens: int) -> Unit:
        frame = unit.frame
        if frame and self._repeated[frame] > self._size // 2:
            frame = None  # a header as long as its rows is worth one mention
        return Unit(unit.text, unit.cost, frame, unit.opens, unit.ends, max(1, tokens))

    def _room(self, unit: Unit) -> int:
        return self._size - self._repeats(unit, unit)

    def _too_large(self, unit: Unit) -> bool:
        return unit.tokens > self._room(unit) and len(unit.text) > 1

    def _length(self, unit: Unit) -> int:
        """Characters of `unit` that should just fit."""
        share = 0.9 * self._room(unit) / unit.tokens
        return max(1, int(len(unit.text) * share))

    def pack(self, row: list[Unit]) -> list[str]:
        """The texts of the pieces that one section's units make."""
        texts = []
        left = sum(unit.tokens for unit in row)
        start = 0
        while start < len(row):
            end = self._end(row, start, left)
            texts.append(_joined(row[start:end]))
            left -= sum(unit.tokens for unit in row[start:end])
            start = end
        return texts

    def _end(self, row: list[Unit], start: int, left: int) -> int:
        """Where the piece that begins at `start` ends: at the cheapest cut in its later part."""
        ends: list[tuple[int, int]] = []  # (tokens, end) of each piece that fits
        inside = 0
        for end in range(start, len(row)):
            inside += row[end].tokens
            whole = inside + self._repeats(row[start], row[end])
            if inside + self._repeats(row[start], row[start]) > self._size and ends:
                break
            if whole <= self._size or not ends:
                ends.append((whole, end + 1))
        if ends[-1][1] == len(row):
            return len(row)
        room, scrap = self._size, self._size // 4
        aim = left // 2 if left < 2 * room else room
        window = [
            (tokens, end)
            for tokens, end in ends
            if scrap <= left - tokens and tokens >= (scrap if left - tokens <= room else room // 2)
        ]
        return min(window or ends[-1:], key=lambda e: (row[e[1]].cost, abs(e[0] - aim)))[1]

    def _repeats(self, first: Unit, last: Unit) -> int:
        """Tokens that a piece from `first` to `last` has besides its units."""
        heads = {first.frame} if first.frame and not first.opens else set()
        tails = {last.frame} if last.frame and last.frame.tail and not last.ends else set()
        return sum(self._repeated[frame] for frame in heads | tails)


def _joined(row: list[Unit]) -> str:
    first, last = row[0], row[-1]
    head = first.frame.head if first.frame and not first.opens else ""
    tail = last.frame.tail if last.frame and not last.ends else ""
    return (head + "".join(unit.text for unit in row).strip("\n")).rstrip() + tail
