"""Remembers what was used last, so that it need not be made again."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """What was made of the texts that were used last, at most `most` of them. May be called from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, text: str) -> bool:
        with self._lock:
            return text in self._made

    @property
    def full(self) -> bool:
        """Whether one has to be forgotten for a new one."""
        with self._lock:
            return len(self._made) >= self._most

    def of(self, texts: Sequence[str], make: Callable[[list[str]], Iterable[T]]) -> dict[str, T]:
        """What was made of each text; make: called once with those that are new, if any, gives as much for each."""
        with self._lock:
            known = {text: self._made[text] for text in texts if text in self._made}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known |= zip(new, make(new), strict=True)
        with self._lock:
            for text, value in known.items():
                self._made[text] = value
                self._made.move_to_end(text)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return known

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._made.clear()
