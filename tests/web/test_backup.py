"""A backup of a folder that is being written to, and what a folder made of it answers elsewhere."""

import io
import json
import stat
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.bot import Bot
from bot.types import Answer, Conversation, Message
from knowledge_base.faq_file import read_faqs
from knowledge_base.types import Document
from tests.web.console.conftest import ROOT
from tests.web.console.server import open_bot
from web.auth import Visitor, visitor_tokens
from web.backup import back_up, noted, restore
from web.cli import main
from web.errors import WebError
from web.settings import Settings
from web.staff.access import open_access

QUESTIONS = [
    "怎么申请退货？",
    "How do I return an item?",
    "退货 运费",
    "delivery times and shipping costs",
    "蜂鸟吸尘器的尘杯容量",
    "What does the Hummingbird vacuum hold?",
    "zzz",
]


def full(folder: Path) -> Bot:
    """A data folder with FAQs, documents, a conversation, staff and a release."""
    bot = open_bot(folder)
    knowledge: Any = bot.knowledge
    knowledge.put_faqs(read_faqs(ROOT / "web" / "demo" / "faq.jsonl"))
    for number in range(20):
        text = f"# 蜂鸟 {number}\n\n蜂鸟吸尘器 {number} 号的尘杯容量是 {number} 升。"
        knowledge.put([Document(f"d{number}.md", f"蜂鸟 {number}", text, "zh")])
    bot.log.ask("c1", Message("q", "customer", "怎么退货", datetime.now(UTC)))
    release = folder / "releases" / "june"
    release.mkdir(parents=True)
    (release / "weights.bin").write_bytes(bytes(range(256)) * 4000)
    for left_out in (
        "models/e5/model.bin",
        "milvus.db/kefu",
        "rounds/june/checkpoint-9/optimizer.pt",
        "rounds/june/train.lock",
    ):
        path = folder / left_out
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"can be made anew")
    return bot


def answers(bot: Bot) -> list[tuple[object, ...]]:
    """All of each answer but its id and its times."""
    asked: list[Answer] = [bot.try_out(Conversation("x"), question) for question in QUESTIONS]
    return [(a.kind, a.text, a.confidence, a.citations, a.options, a.query, a.hits, a.reason) for a in asked]


def test_a_folder_restored_elsewhere_gives_identical_answers(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "far" / "away"
    bot = full(data)
    access = open_access(Settings(data=data))
    person = access.accounts.add("An", "a long password", "admin")
    cookie = access.sessions.begin(person).cookie
    token = visitor_tokens(Settings(data=data)).issue(Visitor("c1"))
    before = answers(bot)
    stop, written = threading.Event(), []

    def go_on_writing() -> None:
        while not stop.is_set():
            bot.log.ask("c2", Message(f"q{len(written)}", "customer", "还有人吗", datetime.now(UTC)))
            written.append(len(written))

    writer = threading.Thread(target=go_on_writing)
    writer.start()
    try:
        while len(written) < 3:
            stop.wait(0.01)
        acknowledged = len(written)
        made = back_up(data, tmp_path / "kefu.tar.gz")
    finally:
        stop.set()
        writer.join()
    bot.close()
    access.engine.dispose()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    names = set(tarfile.open(made.path).getnames())
    assert {"kefu.sqlite", "releases/june/weights.bin", "staff.secret", "visitor.secret", "manifest.json"} <= names
    assert not any("checkpoint" in name or name.startswith(("models", "keywords", "milvus")) for name in names)

    (known,) = noted(data)
    assert (known.at.isoformat(), known.file, known.there) == (made.made, "kefu.tar.gz", True)

    found = restore(made.path, elsewhere)
    assert (found.files, found.size, found.made) == (made.files, made.size, made.made)
    assert noted(elsewhere) == [known]
    again = open_bot(elsewhere)
    try:
        assert answers(again) == before
        assert all(finding.ok for finding in again.knowledge.check())  # type: ignore[attr-defined]
        kept = again.log.load("c2")
        assert kept is not None and [said.id for said in kept.messages] == [f"q{n}" for n in range(len(kept.messages))]
        assert len(kept.messages) >= acknowledged, "what was acknowledged before it began is in it"
        assert (elsewhere / "releases/june/weights.bin").read_bytes() == bytes(range(256)) * 4000
        there = open_access(Settings(data=elsewhere))
        session = there.sessions.find(cookie)
        assert session is not None and session.staff.name == "An"
        assert visitor_tokens(Settings(data=elsewhere)).read(token) == Visitor("c1")
        there.engine.dispose()
        assert stat.S_IMODE((elsewhere / "staff.secret").stat().st_mode) == 0o600
    finally:
        again.close()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A small backup."""
    full(tmp_path / "data").close()
    return back_up(tmp_path / "data", tmp_path / "kefu.tar.gz").path


def altered(path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Path:
    """The backup with other contents."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    other = path.with_name("altered.tar.gz")
    with tarfile.open(other, "w:gz") as archive:
        for name, content in change(files).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return other


def newer(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"manifest.json": json.dumps(json.loads(files["manifest.json"]) | {"format": 9}).encode()}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda files: files | {"api.key": b"k" * 40}, "damaged"),
        (lambda files: files | {"../../evil": b"x"}, "damaged"),
        (lambda files: files | {"/tmp/evil": b"x"}, "damaged"),
        (lambda files: files | {"kefu.sqlite": files["kefu.sqlite"][:-1]}, "damaged"),
        (lambda files: {name: text for name, text in files.items() if name != "releases/june/weights.bin"}, "damaged"),
        (lambda files: {name: text for name, text in files.items() if name != "manifest.json"}, "damaged"),
        (lambda files: {"manifest.json": b"[]"}, "damaged"),
        (newer, "newer"),
    ],
)
def test_a_file_that_is_not_as_it_was_made_restores_nothing(tmp_path: Path, made: Path, change: Any, told: str) -> None:
    with pytest.raises(WebError, match=told):
        restore(altered(made, change), tmp_path / "new")
    assert not (tmp_path / "new").exists() and not (tmp_path / "evil").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["altered.tar.gz", "data", "kefu.tar.gz"]


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_restores_nothing(tmp_path: Path, made: Path, kept: float) -> None:
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(made.read_bytes()[: int(made.stat().st_size * kept)])
    with pytest.raises(WebError, match="no backup of Kefu, or damaged"):
        restore(cut, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_ever_written_over(tmp_path: Path, made: Path) -> None:
    with pytest.raises(WebError, match="there already"):
        back_up(tmp_path / "data", made)
    with pytest.raises(WebError, match="holds something already"):
        restore(made, tmp_path / "data")
    with pytest.raises(WebError, match=r"holds no kefu\.sqlite"):
        back_up(tmp_path / "nothing", tmp_path / "x.tar.gz")
    (tmp_path / "data" / "kefu.sqlite").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(WebError, match="kefu doctor"):
        back_up(tmp_path / "data", tmp_path / "x.tar.gz")
    assert not (tmp_path / "x.tar.gz").exists()


def test_the_verbs(tmp_path: Path) -> None:
    full(tmp_path / "data").close()
    runner = CliRunner()
    result = runner.invoke(main, ["backup", str(tmp_path), "--data", str(tmp_path / "data"), "--json"])
    assert result.exit_code == 0, result.output
    path = json.loads(result.stdout)["path"]
    assert Path(path).parent == tmp_path and path.endswith(".tar.gz")
    result = runner.invoke(main, ["restore", path, "--data", str(tmp_path / "new")])
    assert result.exit_code == 0 and "files of" in result.stdout
    result = runner.invoke(main, ["restore", path, "--data", str(tmp_path / "new")])
    assert result.exit_code == 1 and "holds something already" in result.stderr
    result = runner.invoke(
        main, ["backup", "--data", str(tmp_path / "new")], env={"KEFU_DATABASE_URL": "postgresql://x"}
    )
    assert result.exit_code == 1 and "its own tool" in result.stderr
