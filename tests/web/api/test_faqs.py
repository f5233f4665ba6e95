"""FAQs over HTTP: written, answered at once, looked back at, restored, changed by two people, changed in bulk."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.types import Conversation, Done

SignIn = Callable[..., TestClient]
NEW = {"id": "gift.en", "question": "Do you wrap gifts?", "answer": "Yes, for two euros.", "language": "en"}
PUBLISHED = NEW | {"status": "published"}


@pytest.fixture
def editor(sign_in: SignIn) -> TestClient:
    return sign_in("editor")


def said(bot: Bot, question: str) -> str:
    *_, last = bot.reply(Conversation("c"), question)
    assert isinstance(last, Done)
    return last.answer.text


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_only_a_published_faq_is_answered_from_and_at_once(editor: TestClient, bot: Bot) -> None:
    made = editor.post("/api/faqs", json=NEW)
    assert made.status_code == 201 and made.json()["version"] == 1 and made.json()["status"] == "draft"
    assert said(bot, "Do you wrap gifts?") != NEW["answer"]
    changed = editor.put("/api/faqs/item/gift.en", json=PUBLISHED | {"version": 1})
    assert changed.json()["version"] == 2
    assert said(bot, "Do you wrap gifts?") == NEW["answer"]
    assert editor.delete("/api/faqs/item/gift.en").status_code == 204
    assert said(bot, "Do you wrap gifts?") != NEW["answer"]
    assert editor.get("/api/faqs/item/gift.en").status_code == 404


def test_the_second_of_two_editors_gets_the_text_of_the_first(editor: TestClient, sign_in: SignIn) -> None:
    editor.post("/api/faqs", json=NEW)
    other = sign_in("admin")
    assert other.put("/api/faqs/item/gift.en", json=PUBLISHED | {"answer": "No.", "version": 1}).status_code == 200
    late = editor.put("/api/faqs/item/gift.en", json=NEW | {"answer": "Maybe.", "version": 1})
    assert code(late) == (409, "faq_changed")
    assert late.json()["stored"]["answer"] == "No." and late.json()["stored"]["version"] == 2
    assert editor.delete("/api/faqs/item/gift.en?version=1").status_code == 409
    assert code(editor.post("/api/faqs", json=NEW)) == (409, "faq_exists")
    assert editor.delete("/api/faqs/item/gift.en?version=2").status_code == 204
    gone = editor.put("/api/faqs/item/gift.en", json=NEW | {"version": 2})
    assert code(gone) == (409, "faq_deleted") and gone.json()["stored"] is None


def test_history_says_who_and_when_and_any_version_comes_back(editor: TestClient, sign_in: SignIn, bot: Bot) -> None:
    editor.post("/api/faqs", json=PUBLISHED)
    sign_in("admin").put("/api/faqs/item/gift.en", json=PUBLISHED | {"answer": "No.", "version": 1})
    history = editor.get("/api/faqs/history/gift.en").json()
    assert [(one["version"], one["current"], one["who"]) for one in history["items"]] == [
        (2, True, "admin"),
        (1, False, "editor"),
    ]
    assert history["items"][1]["faq"]["answer"] == NEW["answer"]
    assert editor.post("/api/faqs/restore/gift.en?version=1").json()["version"] == 3
    assert said(bot, "Do you wrap gifts?") == NEW["answer"]
    editor.delete("/api/faqs/item/gift.en")
    assert editor.post("/api/faqs/restore/gift.en?version=2").json()["answer"] == "No."
    assert code(editor.post("/api/faqs/restore/gift.en?version=99")) == (404, "no_such_version")
    audit = sign_in("admin").get("/api/audit?subject=gift.en").json()["items"]
    assert [one["action"] for one in audit] == ["faq.restore", "faq.delete", "faq.restore", "faq.change", "faq.add"]
    assert (audit[3]["before"]["answer"], audit[3]["after"]["answer"]) == (NEW["answer"], "No.")


def test_the_list_is_paged_filtered_and_sorted(editor: TestClient) -> None:
    for n in range(5):
        body = NEW | {"id": f"f{n}", "question": f"Question {n}?", "category": "even" if n % 2 == 0 else ""}
        editor.post("/api/faqs", json=body)
    page = editor.get("/api/faqs?sort=question&descending=false&limit=2&offset=2").json()
    assert ([one["id"] for one in page["items"]], page["total"], page["categories"]) == (["f2", "f3"], 5, ["even"])
    assert editor.get("/api/faqs?q=question 4").json()["items"][0]["id"] == "f4"
    assert editor.get("/api/faqs?category=even&status=draft&language=en").json()["total"] == 3
    assert editor.get("/api/faqs?limit=201").status_code == 400
    assert editor.get("/api/faqs?sort=answer").status_code == 400


def test_many_are_changed_together_or_deleted(editor: TestClient, bot: Bot, sign_in: SignIn) -> None:
    for n in range(3):
        editor.post("/api/faqs", json=NEW | {"id": f"f{n}", "question": f"Number {n}?"})
    ids = ["f0", "f1", "none", "f1"]
    change = {"ids": ids, "status": "published", "category": "x", "valid_from": "2026-01-01"}
    assert editor.post("/api/faqs/bulk", json=change).json() == {"done": ["f0", "f1"], "missing": ["none"]}
    assert said(bot, "Number 1?") == NEW["answer"]
    late = {"ids": ids, "valid_until": "2025-01-01"}
    assert code(editor.post("/api/faqs/bulk", json=late)) == (400, "faq_before_begin")
    assert editor.post("/api/faqs/bulk", json={"ids": ids, "valid_from": None}).status_code == 200
    assert editor.get("/api/faqs/item/f0").json()["valid_from"] is None
    assert code(editor.post("/api/faqs/bulk", json={"ids": ids})) == (400, "nothing_to_do")
    assert editor.post("/api/faqs/bulk", json={"ids": ["f2"] * 1001, "delete": True}).status_code == 400
    assert editor.post("/api/faqs/bulk", json={"ids": ids, "delete": True}).json()["done"] == ["f0", "f1"]
    assert [one["id"] for one in editor.get("/api/faqs").json()["items"]] == ["f2"]
    noted = sign_in("admin").get("/api/audit?subject=2 FAQs").json()["items"][0]
    assert noted["action"] == "faq.bulk_delete" and set(noted["before"]) == {"f0", "f1"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": " \u200b"},
        {"question": "x" * 1001},
        {"answer": ""},
        {"language": "fr"},
        {"similar": ["x"] * 201},
        {"valid_from": "2026-02-01", "valid_until": "2026-01-01"},
        {"status": "live"},
        {"more": 1},
        {"id": "x" * 513},
        {"id": "a\nb"},  # no address could hold it
    ],
)
def test_what_is_wrong_is_refused_and_nothing_stored(editor: TestClient, wrong: dict[str, object]) -> None:
    assert editor.post("/api/faqs", json=NEW | wrong).status_code == 400
    assert editor.get("/api/faqs").json()["total"] == 0


@pytest.mark.parametrize("id", ["a/b c.zh", "退货#1?", "50% off", "history/x", "'; DROP TABLE faq; --"])
def test_any_id_can_be_addressed(editor: TestClient, id: str) -> None:
    from urllib.parse import quote

    assert editor.post("/api/faqs", json=NEW | {"id": id}).json()["id"] == id
    address = quote(id, safe="")
    assert editor.get(f"/api/faqs/item/{address}").json()["id"] == id
    assert editor.put(f"/api/faqs/item/{address}", json=PUBLISHED | {"version": 1}).json()["version"] == 2
    assert editor.get(f"/api/faqs/history/{address}").json()["total"] == 2


def test_control_characters_are_dropped_and_an_id_is_made(editor: TestClient) -> None:
    body = {"question": "A\x00?\u202e", "answer": "b\r\nc", "language": "en", "similar": ["x", "x\x07"]}
    made = editor.post("/api/faqs", json=body).json()
    assert (made["question"], made["answer"], made["similar"]) == ("A?", "b\nc", ["x", "x"])
    assert made["id"].startswith("faq-") and made["id"].endswith(".en")


def test_an_agent_reads_and_does_not_write(editor: TestClient, sign_in: SignIn) -> None:
    editor.post("/api/faqs", json=NEW)
    agent = sign_in("agent")
    assert agent.get("/api/faqs/item/gift.en").status_code == 200
    assert agent.delete("/api/faqs/item/gift.en").status_code == 403
    assert agent.put("/api/faqs/item/none", json={}).status_code == 403
