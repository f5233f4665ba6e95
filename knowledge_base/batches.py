"""Cuts what goes to a database or an index into parts of a bounded size. Knows nothing of what they hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

_MOST = 500  # well under every database's limit on one IN (…)


def batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Parts of `items` that are small enough for one IN (…), or for one request."""
    iterator = iter(items)
    while batch := list(islice(iterator, _MOST)):
        yield batch
