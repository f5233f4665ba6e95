"""Deals out the blocks of a key/value cache, and knows which beginning of a prompt already lies in them.

Knows token ids and block numbers, nothing of models. A full block is never written again, so that prompts that begin
alike may share it; what nobody holds stays known until its place is needed.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np


class Blocks:
    """`number` blocks of `size` tokens each."""

    def __init__(self, number: int, size: int) -> None:
        self.number, self.size = number, size
        self._holders = [0] * number
        self._free = dict.fromkeys(range(number))  # longest unused first
        self._known: dict[bytes, int] = {}
        self._beginning: dict[int, bytes] = {}  # of a known block: what it and those before it hold

    def needed(self, length: int) -> int:
        """Blocks for so many tokens."""
        return -(-length // self.size)

    def take(self, prompt: Sequence[int], length: int) -> tuple[list[int], int] | None:
        """Blocks for `length` tokens that begin with the prompt, and how many of its tokens lie in them already.

        At least the prompt's last token never does: it has to be computed for what follows it. None: not enough free.
        """
        held: list[int] = []
        for beginning in self._beginnings(prompt[:-1]):
            if beginning not in self._known:
                break
            held.append(self._known[beginning])
        fresh = self.needed(length) - len(held)
        if fresh > len(self._free) - sum(block in self._free for block in held):
            return None
        for block in held:
            self._hold(block)
        blocks = [*held, *(self._fresh() for _ in range(fresh))]
        return blocks, len(held) * self.size

    def fill(self, blocks: Sequence[int], tokens: Sequence[int]) -> None:
        """These blocks hold these tokens from now on; the last of them may be half full."""
        for block, beginning in zip(blocks, self._beginnings(tokens), strict=False):
            if beginning not in self._known and block not in self._beginning:
                self._known[beginning] = block
                self._beginning[block] = beginning

    def give_back(self, blocks: Sequence[int]) -> None:
        """Whoever took them no longer needs them."""
        for block in reversed(blocks):  # so that a common beginning outlives what follows it
            self._holders[block] -= 1
            if not self._holders[block]:
                self._free[block] = None

    def _hold(self, block: int) -> None:
        self._free.pop(block, None)
        self._holders[block] += 1

    def _fresh(self) -> int:
        block: int = next(iter(self._free))
        beginning = self._beginning.pop(block, None)
        if beginning is not None:
            del self._known[beginning]
        self._hold(block)
        return block

    def _beginnings(self, tokens: Sequence[int]) -> Iterator[bytes]:
        """For each full block a digest of all tokens up to its end."""
        so_far = hashlib.sha256()
        for start in range(0, len(tokens) - self.size + 1, self.size):
            so_far.update(np.array(tokens[start : start + self.size], np.int64).tobytes())
            yield so_far.digest()
