"""The E5S1 reader, on handmade bytes: what it reads, and that damaged files are refused by a ValueError."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from knowledge_base.e5s1 import FLOAT32, Q4_0, dequantise, parse

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "退", "货"]


def _file() -> bytes:
    blob = [piece.encode() for piece in PIECES]
    offsets = [0]
    for piece in blob:
        offsets.append(offsets[-1] + len(piece))
    data = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 64, len(PIECES), 16, 2, 1e-12, 32)
    data += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(b"".join(blob)))
    data += struct.pack(f"<{len(offsets)}I", *offsets)
    data += struct.pack(f"<{len(PIECES)}f", *[-float(i) for i in range(len(PIECES))]) + b"".join(blob)
    entries = struct.pack("<IBI", 0xFF21, 1, ord("A")) + struct.pack("<IB", 0x7, 0)
    data += struct.pack("<iI", 2, len(entries)) + entries
    names = {"plain": (FLOAT32, 2, 8), "packed": (Q4_0, 32, 18)}
    head = sum(2 + len(name) + 21 for name in names) + 4
    at = len(data) + head
    data += struct.pack("<i", len(names))
    for name, (kind, count, size) in names.items():
        data += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, size)
        at += size
    return data + struct.pack("<2f", 0.5, -2.0) + np.float16(0.25).tobytes() + bytes([0x8F] * 16)


def test_reads_sizes_vocabulary_and_tensors() -> None:
    file = parse(_file())
    shape = file.shape
    assert (shape.hidden, shape.layers, shape.heads, shape.inner) == (32, 1, 2, 64)
    assert (shape.vocabulary, shape.positions, shape.types) == (7, 16, 2)
    vocabulary = file.vocabulary
    assert list(vocabulary.pieces) == PIECES
    assert vocabulary.scores[:3] == (0.0, -1.0, -2.0)
    assert (vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unk) == (0, 2, 1, 3)
    assert dict(vocabulary.replaced) == {0xFF21: "A", 0x7: ""}
    kind, count, raw = file.tensors["plain"]
    assert (kind, count, np.frombuffer(raw, "<f4").tolist()) == (FLOAT32, 2, [0.5, -2.0])
    kind, count, raw = file.tensors["packed"]
    assert kind == Q4_0
    assert dequantise(raw, count).tolist() == [1.75] * 16 + [0.0] * 16


@given(st.integers(0, len(_file()) - 1))
def test_a_file_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ends early"):
        parse(_file()[:length])


@pytest.mark.parametrize("start", [b"GGUF\x01\0\0\0", b"E5S1\x02\0\0\0"])
def test_another_format_or_version_is_refused(start: bytes) -> None:
    with pytest.raises(ValueError, match="not an E5S1 file of version 1"):
        parse(start + _file()[8:])


@given(
    npst.arrays(np.float16, st.integers(1, 5), elements=st.floats(-100, 100, width=16)),
    st.randoms(use_true_random=False),
)
def test_dequantises_like_the_definition(scales: np.ndarray, random: object) -> None:
    nibbles = np.random.default_rng(random.getrandbits(32)).integers(0, 256, (len(scales), 16), np.uint8)  # type: ignore[attr-defined]
    raw = b"".join(scale.tobytes() + row.tobytes() for scale, row in zip(scales, nibbles, strict=True))
    expected = []
    for scale, row in zip(scales, nibbles, strict=True):
        expected += [(int(byte) % 16 - 8) * float(scale) for byte in row]
        expected += [(int(byte) // 16 - 8) * float(scale) for byte in row]
    weights = dequantise(raw, len(expected))
    assert weights.dtype == np.float32
    assert weights.tolist() == expected


@pytest.mark.parametrize(("size", "count"), [(17, 32), (18, 31), (36, 32)])
def test_bytes_and_count_must_agree(size: int, count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} Q4_0 weights do not fit {size} bytes"):
        dequantise(bytes(size), count)
