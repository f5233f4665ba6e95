"""Carries text from the thread that makes it to the one that reads it, in whole characters.

Knows nothing of models or servers: whoever makes the text puts it in, whoever reads it may stop or leave.
"""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from bot.types import Stop

_UNKNOWN = "\ufffd"  # what decoders write for bytes that are not, or not yet, a character
_POLL = 0.03  # seconds between two looks at stop()


class Stream:
    """A queue of pieces between one writer and one reader.

    The writer never waits for the reader; `cancelled` tells it that nobody reads any more.
    """

    def __init__(self) -> None:
        self._pieces: SimpleQueue[str | Exception | None] = SimpleQueue()
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the reader stopped or left."""
        return self._cancelled.is_set()

    def put(self, piece: str) -> None:
        """Hand a piece to the reader; empty ones are dropped."""
        if piece:
            self._pieces.put(piece)

    def end(self, error: Exception | None = None) -> None:
        """No more pieces; an error is raised at the reader."""
        self._pieces.put(error)

    def read(self, stop: Stop) -> Iterator[str]:
        """Yield pieces until the end, or until stop() is true; closing the iterator cancels the writer."""
        try:
            while not stop():
                try:
                    piece = self._pieces.get(timeout=_POLL)
                except Empty:
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self._cancelled.set()


class WholeCharacters:
    """Holds back the end of a growing text while it may be half a character."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, piece: str) -> str:
        """Append a piece; returns what is sure to be whole, with joined surrogate pairs."""
        text = _join_surrogates(self._held + piece)
        whole = text.rstrip(_UNKNOWN)
        if whole and "\ud800" <= whole[-1] <= "\udbff":
            whole = whole[:-1]
        self._held = text[len(whole) :]
        return _drop_broken(whole)


class Decoded:
    """Turns a growing list of token ids into pieces of text that never split a character."""

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._given = 0

    def add(self, ids: list[int]) -> str:
        """Append token ids; returns the text that they complete, perhaps none."""
        self._ids += ids
        whole = self._decode(self._ids).rstrip(_UNKNOWN)
        piece = whole[self._given :]
        self._given = max(self._given, len(whole))
        return _drop_broken(piece)


def _join_surrogates(text: str) -> str:
    """Halves of one character that came in two pieces, as one character; a lone half stays as it is."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _drop_broken(text: str) -> str:
    """The text without what never became a character."""
    return text.encode("utf-8", "ignore").decode("utf-8").replace(_UNKNOWN, "")
