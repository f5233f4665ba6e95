"""Reads what a GGUF file holds: metadata and tensors, dequantised one by one.

Knows nothing of models; strings in arrays (vocabularies) are passed over, which is what makes it quick.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: ggml type, shape with the slowest dimension first, offset in the data section."""

    kind: int
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A parsed file. Arrays in `metadata` are lists of numbers, or for strings just their count."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    data: memoryview

    def weights(self, name: str) -> NDArray[np.float32]:
        """The tensor as float32 in its shape. Raises ValueError when it is absent or the file too short."""
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
        from gguf.quants import dequantize

        if name not in self.tensors:
            raise ValueError(f"GGUF file has no tensor {name!r}; use a file of the right model")
        tensor = self.tensors[name]
        kind = GGMLQuantizationType(tensor.kind)
        block, size = GGML_QUANT_SIZES[kind]
        *rows, columns = tensor.shape
        width = columns // block * size
        length = prod(rows) * width
        raw = self.data[tensor.offset : tensor.offset + length]
        if len(raw) < length:
            raise ValueError(f"GGUF file ends inside tensor {name!r}; get the file again")
        weights = dequantize(np.frombuffer(raw, np.uint8).reshape(*rows, width), kind)
        return np.asarray(weights, np.float32).reshape(tensor.shape)


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def value(self, layout: str) -> Any:
        return self.values(layout)[0]

    def values(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize(f"<{layout}")
        self.skip(size)
        return struct.unpack_from(f"<{layout}", self.data, self.at - size)

    def skip(self, size: int) -> None:
        if self.at + size > len(self.data):
            raise ValueError(f"GGUF file of {len(self.data)} bytes ends early at {self.at}; get the file again")
        self.at += size

    def string(self) -> str:
        length = self.value("Q")
        self.skip(length)
        return str(self.data[self.at - length : self.at], "utf-8")

    def metadata(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self.value(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            raise ValueError(f"GGUF metadata of unknown type {kind} at {self.at}; get the file again")
        element, count = self.values("IQ")
        if element in _SCALARS:
            return list(self.values(f"{count}{_SCALARS[element]}"))
        if element != _STRING:
            raise ValueError(f"GGUF array of unknown type {element} at {self.at}; get the file again")
        for _ in range(count):
            self.skip(self.value("Q"))
        return count


def read_gguf(path: Path) -> GgufFile:
    """Parse a GGUF file of version 2 or 3. Raises ValueError when it is not one or is truncated."""
    return parse_gguf(np.memmap(path, np.uint8, "r").data)


def parse_gguf(data: memoryview) -> GgufFile:
    """Parse the bytes of a GGUF file; see `read_gguf`."""
    reader = _Reader(data)
    magic, version = reader.values("4sI")
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError(f"not a GGUF file of version 2 or 3: {magic!r}, version {version}; get the file again")
    tensor_count, metadata_count = reader.values("QQ")
    metadata = {}
    for _ in range(metadata_count):
        key = reader.string()
        metadata[key] = reader.metadata(reader.value("I"))
    tensors = {}
    for _ in range(tensor_count):
        name = reader.string()
        shape = reader.values(f"{reader.value('I')}Q")
        tensors[name] = Tensor(reader.value("I"), tuple(reversed(shape)), reader.value("Q"))
    alignment = metadata.get("general.alignment", 32)
    start = -(-reader.at // alignment) * alignment
    return GgufFile(metadata, tensors, data[start:])
