"""The GGUF reader, on handmade bytes: what it reads, and that damaged files are refused by a ValueError."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gguf_file import parse_gguf


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _file() -> bytes:
    keys = [
        (_string("general.architecture"), struct.pack("<I", 8) + _string("gemma3")),
        (_string("gemma3.block_count"), struct.pack("<II", 4, 18)),
        (_string("gemma3.eps"), struct.pack("<If", 6, 0.5)),
        (_string("add_bos"), struct.pack("<I?", 7, True)),
        (_string("tokens"), struct.pack("<IIQ", 9, 8, 2) + _string("退") + _string("a")),
        (_string("scores"), struct.pack("<IIQ2f", 9, 6, 2, -1.0, -2.0)),
    ]
    tensors = [
        (_string("plain"), struct.pack("<I2QIQ", 2, 3, 2, 0, 0)),
        (_string("packed"), struct.pack("<IQIQ", 1, 32, 8, 32)),
    ]
    data = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    data += b"".join(name + rest for name, rest in keys + tensors)
    data += bytes(-len(data) % 32)
    plain = np.arange(6, dtype="<f4").tobytes()
    return data + plain + bytes(8) + np.float16(0.5).tobytes() + np.arange(-16, 16, dtype=np.int8).tobytes()


def test_reads_metadata_and_tensors() -> None:
    file = parse_gguf(memoryview(_file()))
    assert file.metadata == {
        "general.architecture": "gemma3",
        "gemma3.block_count": 18,
        "gemma3.eps": 0.5,
        "add_bos": True,
        "tokens": 2,
        "scores": [-1.0, -2.0],
    }
    assert file.weights("plain").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert file.weights("packed").tolist() == [i / 2 for i in range(-16, 16)]


@given(st.integers(0, len(_file()) - 1))
def test_a_file_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ends early|ends inside"):
        file = parse_gguf(memoryview(_file()[:length]))
        for name in file.tensors:
            file.weights(name)


@pytest.mark.parametrize("start", [b"E5S1\x03\0\0\0", b"GGUF\x01\0\0\0"])
def test_another_format_or_version_is_refused(start: bytes) -> None:
    with pytest.raises(ValueError, match="not a GGUF file of version 2 or 3"):
        parse_gguf(memoryview(start + _file()[8:]))


def test_unknown_tensor_is_named() -> None:
    with pytest.raises(ValueError, match="no tensor 'none'"):
        parse_gguf(memoryview(_file())).weights("none")
