"""Pieces of text from writer to reader: whole characters only, and a reader that may stop or leave."""

import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stream import Decoded, Stream, WholeCharacters

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=40)


def _never() -> bool:
    return False


def _decode(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", "replace")


@given(TEXT, st.lists(st.integers(1, 5), max_size=60))
def test_decoded_bytes_make_the_text_and_never_half_a_character(text: str, sizes: list[int]) -> None:
    decoded, rest, pieces = Decoded(_decode), list(text.encode()), []
    for size in [*sizes, len(rest)]:
        pieces.append(decoded.add(rest[:size]))
        rest = rest[size:]
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


@given(st.lists(st.integers(0, 255), max_size=60))
def test_decoded_survives_bytes_that_are_no_text(ids: list[int]) -> None:
    decoded = Decoded(_decode)
    given = "".join(decoded.add([i]) for i in ids)
    assert "\ufffd" not in given
    assert given == _decode(ids).rstrip("\ufffd").replace("\ufffd", "")


@given(TEXT, st.data())
def test_split_surrogate_pairs_are_joined(text: str, data: st.DataObject) -> None:
    units = json.loads(json.dumps([chr(unit) for unit in _utf16(text)]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(units)), max_size=5)))
    whole, pieces = WholeCharacters(), []
    for start, end in zip([0, *cuts], [*cuts, len(units)], strict=True):
        pieces.append(whole.add("".join(units[start:end])))
    assert "".join(pieces) == text
    for piece in pieces:
        piece.encode("utf-8")


def _utf16(text: str) -> list[int]:
    data = text.encode("utf-16-le")
    return [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]


def test_broken_characters_are_held_back_and_dropped() -> None:
    whole = WholeCharacters()
    assert [whole.add(piece) for piece in ["好\ufffd", "\ufffd", "的", "\ud83d", "x"]] == ["好", "", "的", "", "x"]


def test_reader_gets_pieces_then_the_end() -> None:
    stream = Stream()
    for piece in ["a", "", "b"]:
        stream.put(piece)
    stream.end()
    assert list(stream.read(_never)) == ["a", "b"]
    assert stream.cancelled


def test_an_error_is_raised_at_the_reader_after_the_pieces() -> None:
    stream, read = Stream(), []
    stream.put("a")
    stream.end(RuntimeError("gone"))
    with pytest.raises(RuntimeError, match="gone"):
        for piece in stream.read(_never):
            read.append(piece)
    assert read == ["a"]


def test_closing_the_reader_cancels_the_writer() -> None:
    stream = Stream()
    stream.put("a")
    reader = stream.read(_never)
    assert next(reader) == "a"
    assert not stream.cancelled
    reader.close()  # type: ignore[attr-defined]
    assert stream.cancelled


def test_stop_ends_a_reader_that_waits_for_nothing() -> None:
    stream, stopped = Stream(), threading.Event()
    threading.Timer(0.1, stopped.set).start()
    began = time.monotonic()
    assert list(stream.read(stopped.is_set)) == []
    assert time.monotonic() - began < 5
    assert stream.cancelled
