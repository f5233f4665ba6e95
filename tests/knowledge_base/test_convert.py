"""Files are read in a process of their own, which time, memory or a crash may end; the message says what to do."""

import os
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import docx
import openpyxl
import psutil
import pytest

from knowledge_base import convert as convert_module
from knowledge_base.convert import Cancelled, Limits, convert
from knowledge_base.load import Unreadable, load
from knowledge_base.source import MOST_CHARACTERS


def word_file(path: Path, *paragraphs: str) -> Path:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(path))
    return path


def test_it_gives_what_load_gives(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(["型号", "价格"])
    workbook.worksheets[0].append(["K2", 199])
    workbook.save(tmp_path / "价格表.xlsx")
    files = [tmp_path / "价格表.xlsx", word_file(tmp_path / "terms.docx", "Two years of warranty.")]
    for file in files:
        assert convert(file, id="an id") == load(file, id="an id")
    with pytest.raises(Unreadable, match=r"nothing\.pdf does not exist. Check the path."):
        convert(tmp_path / "nothing.pdf")


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    file = word_file(tmp_path / "slow.docx", "text")
    with pytest.raises(Unreadable, match=r"slow\.docx took longer than 0.05 seconds .* Split it"):
        convert(file, limits=Limits(seconds=0.05))
    assert not workers()


def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "large.html"
    file.write_text("<p>" + "<b>text</b> " * 240_000, "utf-8")
    with pytest.raises(Unreadable, match=r"large\.html takes more than 0.25 GB of memory .* Split it"):
        convert(file, limits=Limits(memory=250_000_000))


def test_a_reader_that_crashes_hurts_nobody(tmp_path: Path) -> None:
    file = word_file(tmp_path / "crash.docx", "text")
    killer = threading.Thread(target=kill_worker)
    killer.start()
    with pytest.raises(Unreadable, match=r"crash\.docx cannot be read: the reader was ended by SIGSEGV"):
        convert(file)
    killer.join()


def kill_worker() -> None:
    while not (found := workers()):
        time.sleep(0.005)
    found[0].send_signal(11)


def workers() -> list[psutil.Process]:
    found = []
    for child in psutil.Process(os.getpid()).children():
        with suppress(psutil.NoSuchProcess):  # a zombie is none either
            if "knowledge_base.convert_worker" in child.cmdline():
                found.append(child)
    return found


def test_it_can_be_cancelled_while_it_waits_and_while_it_reads(tmp_path: Path) -> None:
    file = word_file(tmp_path / "a.docx", "text")
    with pytest.raises(Cancelled):
        convert(file, stop=lambda: True)
    convert_module._places.acquire()
    convert_module._places.acquire()
    try:
        with pytest.raises(Cancelled):
            convert(file, stop=lambda: True)
    finally:
        convert_module._places.release(2)
    assert not workers()


def test_bombs_macros_and_foreign_kinds(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(70_000_000))
    with pytest.raises(Unreadable, match=r"bomb\.xlsx unpacks to more than 200 MB"):
        convert(bomb)
    picture = tmp_path / "logo.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    with pytest.raises(Unreadable, match=r"logo\.svg is of a kind that cannot be read"):
        convert(picture)
    macros = word_file(tmp_path / "macros.docx", "The text counts, the macro does not.")
    with zipfile.ZipFile(macros, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"Sub AutoOpen() End Sub")
    assert convert(macros).text == "The text counts, the macro does not."
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(Unreadable, match=r"large\.pdf has 200 MB, more than the 50 MB"):
        convert(large)


def test_the_worker_knows_no_secret_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_API_KEY", "a secret")
    assert "KEFU_API_KEY" not in convert_module._environment()
    before = sorted(tmp_path.iterdir())
    file = word_file(tmp_path / "a.docx", "text")
    convert(file)
    assert sorted(tmp_path.iterdir()) == [*before, file]


GOOD = '"id": "a", "title": "t", "language": "en", "source": "a"'


@pytest.mark.parametrize(
    "said",
    [
        b"[]",
        b"\xff",
        b'{"document": 3}',
        b'{"document": {"id": "a"}}',
        b'{"document": {%s, "text": 3}}' % GOOD.encode(),
        b'{"document": {%s, "text": "x", "more": 1}}' % GOOD.encode(),
        b'{"document": {%s, "text": "%s"}}' % (GOOD.encode(), b"x" * (MOST_CHARACTERS + 1)),
    ],
    ids=["no object", "no text", "no document", "parts missing", "wrong type", "parts too many", "too long"],
)
def test_what_a_worker_says_is_checked(said: bytes) -> None:
    with pytest.raises(Unreadable, match=r"a\.pdf cannot be read: the reader said"):
        convert_module._document(said, "a.pdf", Limits())


def test_not_more_than_two_at_once(tmp_path: Path) -> None:
    files = [word_file(tmp_path / f"{number}.docx", f"text {number}") for number in range(3)]
    most = 0
    done: list[str] = []
    running: list[Callable[[], None]] = [lambda file=file: done.append(convert(file).id) for file in files]  # type: ignore[misc]
    threads = [threading.Thread(target=run) for run in running]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(workers()))
        time.sleep(0.02)
    assert sorted(done) == ["0.docx", "1.docx", "2.docx"]
    assert 1 <= most <= 2
