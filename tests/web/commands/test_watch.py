"""A folder that is watched: what comes, changes, moves and goes there, does so in the knowledge base."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document
from tests.fakes import HashEncoder
from web.commands.watch import Mirror
from web.settings import Settings
from web.staff.access import open_access

ROOT = Path(__file__).parents[3]


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    (tmp_path / "data").mkdir()
    made = open_in(tmp_path / "data", Retrieval(HashEncoder()))
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "deep").mkdir(parents=True)
    (made / "a.md").write_text("The filter lasts six months.", "utf-8")
    (made / "deep" / "保修.txt").write_text("保修两年。", "utf-8")
    (made / "picture.png").write_bytes(b"\x89PNG\r\n")
    return made


def stepped(mirror: Mirror) -> dict[str, str]:
    return {outcome.id: outcome.outcome for outcome in mirror.step()}


def test_each_step_brings_both_in_step(knowledge: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    knowledge.put([Document("uploaded.md", "Other", "This came by another way.", "en")])
    mirror = Mirror(knowledge, folder, tmp_path / "data" / "watched.json")
    assert stepped(mirror) == {"a.md": "added", "deep/保修.txt": "added"}
    assert stepped(mirror) == {}

    (folder / "a.md").write_text("The filter lasts one year.", "utf-8")
    (folder / "broken.pdf").write_text("no PDF", "utf-8")
    assert stepped(mirror) == {"a.md": "changed", "broken.pdf": "failed"}
    assert stepped(mirror) == {}  # not tried again before it changes

    (folder / "broken.pdf").unlink()
    (folder / "a.md").unlink()
    assert stepped(mirror) == {"a.md": "trashed"}
    assert {document.id for document in knowledge.documents()} == {"deep/保修.txt", "uploaded.md"}
    assert knowledge.library.list.document("a.md", trashed=True) is not None

    (folder / "a.md").write_text("The filter lasts one year.", "utf-8")
    assert stepped(mirror) == {"a.md": "changed"}
    assert knowledge.document("a.md") is not None


def test_a_renamed_folder_keeps_its_documents(knowledge: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(knowledge, folder, tmp_path / "watched.json")
    stepped(mirror)
    (folder / "deep").rename(folder / "other")
    assert stepped(mirror) == {"deep/保修.txt": "trashed", "other/保修.txt": "added"}


def test_a_twin_comes_when_the_first_goes(knowledge: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    (folder / "a copy.md").write_text("# a\n\nThe filter.", "utf-8")
    (folder / "a.md").write_text("# a\n\nThe filter.", "utf-8")
    mirror = Mirror(knowledge, folder, tmp_path / "watched.json")
    first = stepped(mirror)
    assert sorted((first["a copy.md"], first["a.md"])) == ["added", "duplicate"]
    gone, twin = ("a.md", "a copy.md") if first["a.md"] == "added" else ("a copy.md", "a.md")
    (folder / gone).unlink()
    assert stepped(mirror) == {gone: "trashed", twin: "added"}


def test_what_went_while_nobody_watched_goes_too(knowledge: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    record = tmp_path / "watched.json"
    stepped(Mirror(knowledge, folder, record))
    (folder / "a.md").unlink()
    assert stepped(Mirror(knowledge, folder, record)) == {"a.md": "trashed", "deep/保修.txt": "unchanged"}
    record.write_text("{", "utf-8")
    (folder / "deep" / "保修.txt").unlink()
    assert stepped(Mirror(knowledge, folder, record)) == {}  # it is not known whose it was


def test_a_folder_that_is_gone_takes_nothing_with_it(knowledge: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(knowledge, folder, tmp_path / "watched.json")
    stepped(mirror)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="nothing was moved to the trash"):
        stepped(mirror)
    assert len(knowledge.documents()) == 2


PROGRAM = """
import signal, sys
from pathlib import Path
from knowledge_base.assemble import open_in
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder
from web.commands.watch import Mirror, keep_in_step
from web.settings import Settings
from web.staff.access import open_access
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it, children too
data, folder = map(Path, sys.argv[1:])
keep_in_step(Mirror(open_in(data, Retrieval(HashEncoder())), folder, data / "watched.json"), False,
             open_access(Settings(data=data)).audit)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_told_to_stop(folder: Path, tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "data").mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data"), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as watching:
        assert watching.stdout is not None
        first = sorted(watching.stdout.readline().split()[:2] for _ in range(2))
        assert first == [["added", "a.md"], ["added", "deep/保修.txt"]]
        assert "watching" in watching.stdout.readline()
        time.sleep(0.5)
        (folder / "new.md").write_text("Something new.", "utf-8")
        assert watching.stdout.readline().split()[:2] == ["added", "new.md"]
        (folder / "a.md").unlink()
        assert watching.stdout.readline().split()[:2] == ["trashed", "a.md"]
        watching.send_signal(how)
        assert "stopped" in watching.stdout.read()
    assert watching.returncode == 0
    changes, _ = open_access(Settings(data=tmp_path / "data")).audit.page()
    assert [(change.action, change.subject) for change in changes[:2]] == [
        ("document.trash", "a.md"), ("document.add", "new.md"),
    ]  # fmt: skip
