"""Passes on text as it is written, in pieces that may be shown. Knows nothing of who writes or reads."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from bot.prompt import ABSTAIN
from bot.verify import plain
from knowledge_base.sentences import sentences

_PIECE = 24  # characters at once, which come at once anyway: a frame costs more than its characters
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


class Standing:
    """Lets whole sentences through, once all that is written up to their end stands. `wrong`: what did not."""

    def __init__(self, wrong_in: Callable[[str], tuple[str, ...]]) -> None:
        self.wrong: tuple[str, ...] = ()
        self._wrong_in = wrong_in
        self._shown = ""

    def pass_on(self, written: Generator[str, None, bool]) -> Generator[str, None, bool]:
        """What of `written` stands, without markup; breaks off at the first that does not. Returns its value."""
        text = ""
        with closing(written):
            while not self.wrong:
                try:
                    text += next(written)
                except StopIteration as end:
                    yield from self._let_through(text)
                    return bool(end.value)
                yield from self._let_through(text[: _whole(text)])
        return False

    def _let_through(self, text: str) -> Iterator[str]:
        said = plain(text)
        if len(said) <= len(self._shown):
            return
        self.wrong = self._wrong_in(said) if said.startswith(self._shown) else (said,)
        if not self.wrong:
            fresh, self._shown = said[len(self._shown) :], said
            yield fresh


def _whole(text: str) -> int:
    """Where the last sentence begins, which may still go on."""
    end = 0
    for sentence in sentences(text)[:-1]:
        end = text.index(sentence, end) + len(sentence)
    return end
