"""Passes on text as it is written, in pieces that may be shown. Knows nothing of who writes or reads."""

import re
from collections.abc import Generator, Iterable, Iterator

from bot.prompt import ABSTAIN

_PIECE = 12  # characters at once; frames cost more than characters
_SHOWN = re.compile(  # one character as a reader sees it: marks, joiners, selectors, skin tones, flags stay with it
    r"\r\n|[\U0001F1E6-\U0001F1FF]{2}|"
    r"(?s:.)(?:[\u0300-\u036f\u200d\ufe0e\ufe0f\u20e3\U0001F3FB-\U0001F3FF]|(?<=\u200d)(?s:.))*"
)


def pieces(text: str) -> Iterator[str]:
    """A fixed text in pieces to stream, none of which cuts a character as a reader sees it."""
    piece = ""
    for match in _SHOWN.finditer(text):
        piece += match[0]
        if len(piece) >= _PIECE:
            yield piece
            piece = ""
    if piece:
        yield piece


def unless_abstained(written: Iterable[str]) -> Generator[str, None, bool]:
    """A generator's pieces, held back while they may still become ABSTAIN. Returns whether they did."""
    held = ""
    for piece in written:
        held += piece
        begun = held.strip()
        if begun.startswith(ABSTAIN):
            return True
        if not ABSTAIN.startswith(begun):
            yield held
            held = ""
    if held:
        yield held
    return False
