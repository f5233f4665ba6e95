"""A database with damaged pages, while the server is stopped and while it serves: told plainly, found by doctor."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from websockets.sync.client import ClientConnection, connect

from knowledge_base.faq_file import read_faqs
from knowledge_base.types import KnowledgeBaseError
from tests.web.console.conftest import ROOT
from tests.web.console.server import PASSWORD, open_bot
from web.app import create_app
from web.server import serve
from web.settings import Settings

PAGE = 4096
QUESTION = "怎么申请退货？"
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with FAQs and a few conversations, everything in its database file."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    bot = open_bot(folder)
    bot.knowledge.put_faqs(read_faqs(ROOT / "web" / "demo" / "faq.jsonl")[:20])  # type: ignore[attr-defined]
    with TestClient(create_app(bot, Settings(data=folder, api_key="k" * 32))) as client:
        for _ in range(3):
            assert asked(client)["type"] == "answer"
    bot.close()
    with closing(sqlite3.connect(folder / "kefu.sqlite")) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    return folder


def asked(client: TestClient) -> Seen:
    """What comes of a question in a new conversation, through the whole app."""
    with client.websocket_connect("/ws/chat") as socket:
        frame: Seen = socket.receive_json()
        if frame["type"] == "session":
            socket.send_json({"type": "message", "text": QUESTION, "id": "c1"})
            while (frame := socket.receive_json())["type"] not in ("answer", "error"):
                pass
        return frame


def roots(database: Path) -> dict[str, int]:
    """The first page of every table and index."""
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"))


def overwrite(database: Path, page: int, content: bytes = b"\xff" * PAGE) -> bytes:
    """Put something else in place of a page; returns what was there."""
    with database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        before = file.read(PAGE)
        file.seek((page - 1) * PAGE)
        file.write(content)
    return before


def test_whichever_page_is_damaged_nothing_wrong_is_said_and_doctor_finds_it(whole: Path, tmp_path: Path) -> None:
    pages = roots(whole / "kefu.sqlite")
    right, _ = looked_at(whole, tmp_path / "right", 0)
    outcomes = set()
    for name in dict.fromkeys(["sqlite_schema", "vector", "answer", "note", "ix_entry_normal", *sorted(pages)[::12]]):
        try:
            frame, found = looked_at(whole, tmp_path / name, pages.get(name, 1))
        except KnowledgeBaseError as refused:
            assert "kefu.sqlite fails" in str(refused) and "Restore it from a backup" in str(refused), name
            outcomes.add("refused")
            continue
        assert frame.get("text") == right["text"] or frame["code"] == "internal", (name, frame)
        assert "kefu.sqlite is damaged" in found and "RUNBOOK" in found, name
        outcomes.add(frame["type"])
    assert outcomes == {"answer", "error", "refused"}


def looked_at(whole: Path, folder: Path, page: int) -> tuple[Seen, str]:
    """What comes of a question, and what doctor says, over a copy with a page damaged."""
    shutil.copytree(whole, folder)
    if page:
        overwrite(folder / "kefu.sqlite", page)
    bot = open_bot(folder)
    try:
        found = [f"{one.detail} {one.remedy}" for one in bot.knowledge.check() if not one.ok]  # type: ignore[attr-defined]
        with TestClient(create_app(bot, Settings(data=folder, api_key="k" * 32))) as client:
            return asked(client), "".join(found)
    finally:
        bot.close()


def test_a_server_that_finds_damage_at_its_start_ends_with_the_file_and_the_remedy(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole, folder)
    overwrite(folder / "kefu.sqlite", roots(folder / "kefu.sqlite")["entry"])
    monkeypatch.setattr("web.server._assembled", lambda settings, progress: open_bot(folder))
    monkeypatch.setattr("web.server.configure_logs", lambda _: None)
    with pytest.raises(KnowledgeBaseError, match=r"kefu\.sqlite fails: .*malformed\. Restore it .*RUNBOOK\.md"):
        serve(Settings(data=folder, port=0))


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A real server over the folder; its log is beside it."""
    command = [sys.executable, "-m", "tests.web.logged_server", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        (folder.parent / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url.startswith("http://"), (folder.parent / "log").read_text()
        try:
            yield url
        finally:
            server.terminate()
            assert server.wait(60) in (0, -signal.SIGTERM)


def next_of(chat: ClientConnection, *kinds: str) -> Seen:
    while (frame := json.loads(chat.recv(60)))["type"] not in kinds:
        pass
    return frame


def put_question(chat: ClientConnection, id: str) -> Seen:
    chat.send(json.dumps({"type": "message", "text": QUESTION, "id": id}))
    return next_of(chat, "answer", "error")


def settle(database: Path, version: int) -> None:
    """Put everything into the file, and let every connection read it anew."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_damage_while_it_serves_is_told_to_customers_staff_and_operators_and_ends_with_it(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole, folder)
    database = folder / "kefu.sqlite"
    with running(folder) as url, connect(f"ws{url[4:]}/ws/chat", open_timeout=60) as chat:
        next_of(chat, "session")
        right = put_question(chat, "c1")["text"]
        with httpx.Client(base_url=url, timeout=60) as staff:
            me = staff.post("/api/session", json={"name": "admin", "password": PASSWORD}).json()
            staff.headers["x-csrf-token"] = me["csrf"]
            settle(database, 1)
            page = roots(database)["message"]
            before = overwrite(database, page)
            settle(database, 2)
            failed = put_question(chat, "c2")
            assert (failed["code"], failed["reply_to"]) == ("internal", "c2")
            assert "sqlite" not in repr(failed) and "Traceback" not in repr(failed)
            refused = staff.get("/api/conversations")
            assert (refused.status_code, refused.json()["error"]["code"]) == (500, "internal")
            assert staff.get("/api/faqs").status_code == 200  # what can be read is served
            assert httpx.get(f"{url}/health").status_code == 200
            overwrite(database, page, before)
            settle(database, 3)
        assert put_question(chat, "c2")["text"] == right  # asked again under its id
    logged = (tmp_path / "log").read_text(encoding="utf-8")
    (line, *_) = [json.loads(one) for one in logged.splitlines() if "reply failed" in one or "frame failed" in one]
    assert f"{database} fails: database disk image is malformed. Restore it from a backup" in line["exception"]
    assert QUESTION not in logged


def test_faqs_that_cannot_be_read_take_the_suggestions_and_not_the_chat(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole, folder)
    database = folder / "kefu.sqlite"
    overwrite(database, roots(database)["sqlite_autoindex_faq_1"])
    bot = open_bot(folder)
    with TestClient(create_app(bot, Settings(data=folder, api_key="k" * 32))) as client:
        with client.websocket_connect("/ws/chat") as socket:
            session = socket.receive_json()
    bot.close()
    assert (session["type"], session["suggestions"]) == ("session", {"zh": [], "en": []})
    assert session["greeting"]["zh"]
