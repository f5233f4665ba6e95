"""Remembers what was used last, so that it need not be made again."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def remember(recent: OrderedDict[str, T], used: Mapping[str, T], most: int) -> None:
    """Make `used` the newest of `recent`, and forget the oldest beyond `most`. The caller holds the lock."""
    for text, value in used.items():
        recent[text] = value
        recent.move_to_end(text)
    while len(recent) > most:
        recent.popitem(last=False)
