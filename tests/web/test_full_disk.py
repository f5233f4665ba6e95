"""Disks that truly are full or read-only, under a server that starts and one that serves; skipped without root."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from knowledge_base.types import Faq, KnowledgeBaseError
from tests.web.console.server import open_bot
from tests.web.test_damage import next_of, put_question, running
from web.errors import WebError
from web.server import serve
from web.settings import Settings

RETURN = Faq("return.zh", "怎么申请退货？", "在订单页点击“申请退货”。", "zh")
MORE = [Faq(f"more{n}", f"What about number {n}?", f"Number {n} is well. " * 30, "en") for n in range(60)]


@contextmanager
def mounted(place: Path, *how: str) -> Iterator[Path]:
    """Something mounted at a new folder. Skips the test where that is not allowed."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *how, str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes."""
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=8m", "tmpfs") as place:
        yield place


@pytest.fixture
def quiet_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Starts a server over small real parts that need no weights; it is not expected to come up."""
    monkeypatch.setattr("web.server._assembled", lambda settings, progress: open_bot(settings.data))
    monkeypatch.setattr("web.server.configure_logs", lambda _: None)
    return lambda folder: serve(Settings(data=folder, port=0))


def fill(disk: Path) -> None:
    """Leave not one byte."""
    with (disk / "filling").open("ab", buffering=0) as file:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def free(disk: Path) -> None:
    (disk / "filling").unlink()


def stored(folder: Path, *faqs: Faq) -> None:
    bot = open_bot(folder)
    bot.knowledge.put_faqs(faqs)  # type: ignore[attr-defined]
    bot.close()


def test_a_server_on_a_full_disk_says_so_loses_nothing_and_goes_on_once_there_is_room(disk: Path) -> None:
    folder = disk / "data"
    stored(folder, RETURN)
    with running(folder) as url, connect(f"ws{url[4:]}/ws/chat", open_timeout=60) as chat:
        conversation = next_of(chat, "session")["conversation"]
        answered = {put_question(chat, "c0")["message_id"]}
        fill(disk)
        for number in range(1, 20):  # the log may still have a little room of its own
            frame = put_question(chat, f"c{number}")
            if frame["type"] == "error":
                break
            answered.add(frame["message_id"])
        assert (frame["code"], frame["reply_to"]) == ("internal", f"c{number}")
        assert httpx.get(f"{url}/health").status_code == 200
        with connect(f"ws{url[4:]}/ws/chat", open_timeout=60) as another:
            assert json.loads(another.recv(60))["code"] == "internal"
            with pytest.raises(ConnectionClosed):
                another.recv(60)
        free(disk)
        again = put_question(chat, f"c{number}")
        assert again["text"] == RETURN.answer
        answered.add(again["message_id"])
    bot = open_bot(folder)
    logged = bot.log.load(conversation)
    assert logged is not None and answered <= {message.id for message in logged.messages}
    assert all(finding.ok for finding in bot.knowledge.check())  # type: ignore[attr-defined]
    bot.close()


def test_an_index_on_a_full_disk_of_its_own_is_named_and_catches_up_once_there_is_room(
    disk: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    stored(folder, RETURN)
    shutil.rmtree(folder / "keywords")
    (folder / "keywords").symlink_to(disk)
    bot = open_bot(folder)
    fill(disk)
    with pytest.raises(KnowledgeBaseError, match=r"keywords cannot be written .* Free some disk space"):
        bot.knowledge.put_faqs(MORE)  # type: ignore[attr-defined]
    free(disk)
    assert bot.knowledge.search("number 7 well", "en")[0].passage.kind == "faq"
    assert all(finding.ok for finding in bot.knowledge.check())  # type: ignore[attr-defined]
    bot.close()


@pytest.mark.parametrize("state", ["nothing yet", "all there", "without index"])
def test_a_start_on_a_full_disk_ends_with_the_remedy_and_works_once_there_is_room(
    disk: Path, state: str, quiet_start: Callable[[Path], None]
) -> None:
    folder = disk / "data"
    folder.mkdir()
    if state != "nothing yet":
        stored(folder, RETURN)
    if state == "without index":
        shutil.rmtree(folder / "keywords")
    fill(disk)
    with pytest.raises(
        (KnowledgeBaseError, WebError), match=r"disk/data.*(?i:free some disk space|free space)"
    ) as refused:
        quiet_start(folder)
    assert "\n" not in str(refused.value)
    free(disk)
    stored(folder, RETURN)
    assert all(finding.ok for finding in open_bot(folder).knowledge.check())  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", ["nothing yet", "all there"])
def test_a_start_on_a_read_only_disk_ends_with_the_remedy(
    tmp_path: Path, state: str, quiet_start: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if state == "all there":
        stored(folder, RETURN)
    with mounted(tmp_path / "disk", "--bind", str(folder)) as place:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        with pytest.raises((KnowledgeBaseError, WebError), match="disk/.*point KEFU_DATA to|disk/.*set KEFU_DATA to"):
            quiet_start(place)
