import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.keywords import KeywordIndex, KeywordsDamaged
from knowledge_base.types import KnowledgeBaseError

TEXTS = [(1, "怎么申请退货"), (2, "配送要多久"), (3, "How do I return an item?"), (4, "Return the watch")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keywords"


def filled(folder: Path) -> KeywordIndex:
    index = KeywordIndex(folder)
    with index.lock:
        index.apply(TEXTS, [], 4)
    return index


def test_a_text_that_is_the_query_matches_nearly_whole(folder: Path) -> None:
    (first, share), *_ = filled(folder).search("How do I return an item?", 3)
    assert first == 3
    assert 0.8 < share <= 1


def test_unknown_words_lower_the_share(folder: Path) -> None:
    index = filled(folder)
    assert index.search("退货 蓝牙 耳机", 1)[0][1] < index.search("退货", 1)[0][1]


def test_removed_rows_are_gone_for_other_readers_too(folder: Path) -> None:
    index, other = filled(folder), KeywordIndex(folder)
    with index.lock:
        index.apply([], [3], 5)
    other.reload()
    assert other.ids() == {1, 2, 4}
    assert [i for i, _ in other.search("return an item", 5)] == [4]
    assert other.revision() == 5


def test_applying_twice_changes_nothing(folder: Path) -> None:
    index = filled(folder)
    with index.lock:
        index.apply(TEXTS, [], 4)
    assert index.ids() == {1, 2, 3, 4}
    assert len(index.search("return", 10)) == 2


@pytest.mark.parametrize("query", ["", "   ", "\x00", "AND OR NOT", '"id:3" +words:*', "退货" * 500])
def test_any_query_is_only_words(folder: Path, query: str) -> None:
    assert 3 not in [i for i, _ in filled(folder).search(query, 10)]


def test_a_damaged_index_starts_anew_from_revision_zero(folder: Path) -> None:
    filled(folder)
    (folder / "meta.json").write_text("{damaged")
    index = KeywordIndex(folder)
    assert index.revision() == 0
    assert index.ids() == set()


@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_whichever_file_is_damaged_or_gone_nothing_is_quietly_missing(folder: Path, damage: bytes | None) -> None:
    """Either it answers as before, or it starts anew and is filled from the store."""
    whole = filled(folder)
    query, expected = "退货", whole.ids()
    names = [path.name for path in folder.iterdir() if path.is_file() and path.stat().st_size]
    assert len(names) >= 8
    for name in names:
        copy = folder.with_name(f"without-{name}")
        shutil.copytree(folder, copy)
        if damage is None:
            (copy / name).unlink()
        else:
            (copy / name).write_bytes(damage)
        index = KeywordIndex(copy)
        index.search(query, 10)
        assert index.revision() == 0 or index.ids() == expected, name


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_byte(content: bytes) -> bytes:
    at = len(content) // 3
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def middle(content: bytes) -> bytes:
    at = len(content) // 4
    return content[:at] + b"\xa5" * (2 * at) + content[3 * at :]


@pytest.mark.parametrize("damage", [half, one_byte, middle])
def test_a_part_that_is_not_as_it_was_written_is_noticed_at_the_start(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Garbage of the same length would make tantivy panic, or find something else."""
    index = filled(folder)
    with index.lock:
        index.apply([(n, f"word{n % 7} return {n}") for n in range(10, 300)], [2], 5)
    parts = [path.name for path in folder.iterdir() if len(path.stem) >= 32]
    assert {Path(name).suffix for name in parts} >= {".term", ".idx", ".fast", ".fieldnorm", ".del"}
    for name in parts:
        copy = folder.with_name(f"with-{name}")
        shutil.copytree(folder, copy)
        (copy / name).write_bytes(damage((folder / name).read_bytes()))
        assert (KeywordIndex(copy).revision(), name) == (0, name)
    assert KeywordIndex(folder).revision() == 5


def test_damage_while_it_is_open_is_named_and_can_be_begun_anew(folder: Path) -> None:
    index = filled(folder)
    for path in folder.glob("*.idx"):
        with path.open("r+b") as file:  # in place: it is mapped into memory
            file.write(b"\xa5" * (path.stat().st_size - 120))
    with pytest.raises(KeywordsDamaged, match=r"is damaged\. Stop Kefu, then run: kefu rebuild"):
        index.search("return", 5)
    with index.lock:
        index.renew()
        assert (index.revision(), index.search("return", 5)) == (0, [])
        index.apply(TEXTS, [], 4)
    assert index.search("return", 5)


def test_what_a_killed_writer_has_left_does_not_stop_the_next(folder: Path) -> None:
    filled(folder)
    copy = folder.with_name("killed")
    shutil.copytree(folder, copy)
    index = KeywordIndex(copy)
    with index.lock:
        index.apply([], [1], 9)
    (left,) = copy.glob("*.del")  # written, and then the process was killed before its commit
    shutil.copy(left, folder / left.name)
    shutil.copy(copy / ".managed.json", folder / ".managed.json")
    again = KeywordIndex(folder)
    with again.lock:
        again.apply([], [1], 9)
    assert 1 not in again.ids()


def test_an_index_of_other_words_starts_anew(folder: Path) -> None:
    filled(folder)
    (folder / "kefu.json").write_text('{"format": "older", "revision": 4}')
    assert KeywordIndex(folder).revision() == 0


def test_an_index_that_cannot_be_written_names_the_remedy_and_is_filled_at_the_next_start(folder: Path) -> None:
    index = filled(folder)
    shutil.rmtree(folder)
    folder.write_text("a file where the folder was")
    with pytest.raises(KnowledgeBaseError, match="cannot be written .* Free some disk space"), index.lock:
        index.apply([(9, "late")], [], 5)
    folder.unlink()
    assert KeywordIndex(folder).revision() == 0  # so all is indexed anew
