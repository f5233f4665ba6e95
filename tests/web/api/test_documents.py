"""Documents over HTTP: upload, replace, trash, restore, delete for good; hostile files; who may do it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.types import Done
from knowledge_base.database import writing
from knowledge_base.tables import document, now
from web.desk import Desk
from web.uploads import file_name

SignIn = Callable[..., TestClient]
TERMS = "# Warranty\n\nThe kettle has a warranty of two years.\n\n## Filter\n\nThe filter lasts six months.\n"


@pytest.fixture
def editor(sign_in: SignIn) -> TestClient:
    return sign_in("editor")


def send(client: TestClient, text: str | bytes = TERMS, name: str = "terms.md", **form: str) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return client.post("/api/documents", files={"file": (name, data)}, data=form)


def answer(bot: Bot, question: str) -> tuple[str, list[str]]:
    done = list(bot.reply(bot.log.open(), question))[-1]
    assert isinstance(done, Done)
    return done.answer.text, [citation.source_id for citation in done.answer.citations]


def test_from_upload_to_receipt(editor: TestClient, bot: Bot) -> None:
    question = "Filter lasts months?"
    added = send(editor).json()
    assert added == {"id": "terms.md", "outcome": "added", "passages": 2, "encoded": 2, "detail": ""}
    text, cited = answer(bot, question)
    assert "six months" in text and cited == ["terms.md"]

    document = editor.get("/api/documents/terms.md").json()
    assert document["text"] == TERMS.strip() and document["title"] == "Warranty" and document["version"] == 1
    passages = editor.get("/api/passages/terms.md").json()
    assert passages["total"] == 2 and passages["items"][1]["headings"][-1] == "Filter"
    assert passages["items"][1]["tokens"] > 0

    changed = send(editor, TERMS.replace("six months", "one year"), "other name.md", id="terms.md").json()
    assert (changed["id"], changed["outcome"], changed["passages"], changed["encoded"]) == ("terms.md", "changed", 2, 1)
    assert "one year" in answer(bot, question)[0]
    assert editor.get("/api/documents").json()["total"] == 1

    assert editor.delete("/api/documents/terms.md").status_code == 204
    assert answer(bot, question)[1] == []
    assert editor.get("/api/documents").json()["total"] == 0
    (kept,) = editor.get("/api/trash").json()["items"]
    assert kept["id"] == "terms.md" and kept["trashed"].endswith("Z") and kept["passages"] == 0

    assert editor.post("/api/trash/terms.md").json()["passages"] == 2
    assert answer(bot, question)[1] == ["terms.md"]
    assert editor.delete("/api/trash/terms.md").status_code == 404  # not in the trash

    editor.delete("/api/documents/terms.md")
    receipt = editor.delete("/api/trash/terms.md").json()
    assert receipt["clean"] and receipt["probed"] == 2 and receipt["staff_name"] == "editor"
    assert (receipt["passages_found"], receipt["vectors_found"], receipt["rows_found"]) == (0, 0, 0)
    assert receipt["answers_citing"] == 3
    assert answer(bot, question)[1] == []
    for address in ("documents/terms.md", "passages/terms.md"):
        assert editor.get(f"/api/{address}").json()["error"]["code"] == "no_such_document"


def test_every_step_is_noted_without_the_text(editor: TestClient, sign_in: SignIn, desk: Desk) -> None:
    send(editor)
    send(editor, TERMS + "\nMore.")
    editor.delete("/api/documents/terms.md")
    editor.post("/api/trash/terms.md")
    editor.delete("/api/documents/terms.md")
    editor.delete("/api/trash/terms.md")
    changes, _ = desk.access.audit.page(subject="terms.md")
    actions = ["add", "change", "trash", "restore", "trash", "erase"]
    assert [change.action for change in reversed(changes)] == [f"document.{action}" for action in actions]
    assert changes[0].after is not None and changes[0].after["probed"] == 2
    assert "kettle" not in sign_in("admin").get("/api/audit").text


def test_an_id_may_be_a_path_and_chinese(editor: TestClient) -> None:
    assert send(editor, "铁锅用完擦干。", "保养.md", id="手册/炒锅/保养.md").json()["id"] == "手册/炒锅/保养.md"
    assert editor.get("/api/documents/手册/炒锅/保养.md").json()["language"] == "zh"
    assert editor.get("/api/documents", params={"q": "擦干", "language": "zh"}).json()["total"] == 1
    assert editor.delete("/api/documents/手册/炒锅/保养.md").status_code == 204


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("logo.svg", b"<svg><script>alert(1)</script></svg>", "logo.svg is of a kind that cannot be read"),
        ("run.pdf", b"MZ\x90\x00", "run.pdf is not a PDF but a program"),
        ("empty.txt", b"   ", "empty.txt has no text in it"),
        ("../../etc/passwd", b"root", "passwd is of a kind"),
        ("", b"x", "file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    editor: TestClient, name: str, content: bytes, message: str
) -> None:
    response = send(editor, content, name)
    assert response.status_code in (400, 422)
    assert message in response.json()["error"]["message"]
    assert editor.get("/api/documents").json()["total"] == 0


def test_a_file_that_is_too_large_is_refused(editor: TestClient) -> None:
    response = send(editor, bytes(50_000_001), "large.pdf")
    assert response.status_code == 413 and "50 MB" in response.json()["error"]["message"]
    declared = editor.post("/api/documents", headers={"content-length": "200000000"}, content=io.BytesIO(b""))
    assert declared.status_code == 413


def test_the_same_text_again_is_told(editor: TestClient) -> None:
    send(editor)
    assert send(editor).json()["outcome"] == "unchanged"
    assert send(editor, name="copy.md").json()["outcome"] == "duplicate"
    editor.delete("/api/documents/terms.md")
    assert send(editor, name="copy.md").json()["outcome"] == "added"
    assert editor.post("/api/trash/terms.md").json()["error"]["code"] == "duplicate"


@pytest.mark.parametrize("role", ["agent", "trainer"])
def test_who_may_only_read_changes_nothing(editor: TestClient, sign_in: SignIn, role: str) -> None:
    send(editor)
    reader = sign_in(role)
    assert reader.get("/api/documents").json()["total"] == 1
    assert send(reader, name="mine.md").status_code == 403
    for method, address in (("DELETE", "documents"), ("DELETE", "trash"), ("POST", "trash")):
        assert reader.request(method, f"/api/{address}/terms.md").status_code == 403
    assert editor.get("/api/documents").json()["total"] == 1


def test_names_of_files(tmp_path: Path) -> None:
    assert file_name("C:\\Users\\an\\合同.pdf") == "合同.pdf"
    assert file_name("..") == file_name("") == "file"
    assert file_name("a\x00b\n.md") == "a b .md"
    long = file_name("保" * 200 + ".docx")
    assert long.endswith("保.docx") and len(long.encode()) <= 180


def test_thousands_of_documents_are_paged_within_seconds(editor: TestClient, desk: Desk) -> None:
    send(editor)
    same = {"language": "en", "version": 1, "updated": now(), "text": "00FF" * 500, "source": ""}
    rows = [same | {"id": f"d{i}", "content_hash": f"h{i}", "title": f"Title {i}"} for i in range(1, 10_001)]
    with writing(desk.access.engine) as connection:
        connection.execute(insert(document), rows)
    for query in ({"offset": 9000, "sort": "title"}, {"q": "kettle"}, {"q": "Title 77"}):
        response = editor.get("/api/documents", params=query)
        assert response.json()["items"] and response.elapsed.total_seconds() < 5
