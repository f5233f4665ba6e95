"""Unanswered questions over HTTP: gathered, drafted, ignored."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.types import Answer, Message
from web.api.unanswered import TO_WRITE
from web.desk import Desk

SignIn = Callable[..., TestClient]


def abstain(bot: Bot, *questions: str) -> str:
    id = bot.log.open().id
    for number, question in enumerate(questions):
        bot.log.ask(id, Message(f"q{number}", "customer", question, datetime.now(UTC)))
        bot.log.answer(id, Answer(f"a{number}", "abstain", "…", "zh"))
    return id


@pytest.fixture
def conversation(bot: Bot) -> str:
    abstain(bot, "有月球店吗？")
    abstain(bot, "你们有月球店吗？")
    abstain(bot, "Do you sell tea?")
    return abstain(bot, "有月球店吗")


def gathered(agent: TestClient, **chosen: str) -> dict[str, Any]:
    """What the page shows once it has been gathered, which on a busy machine is not at the first look."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found: dict[str, Any] = agent.get("/api/unanswered", params=chosen).json()
        if not found["working"]:
            return found
        time.sleep(0.05)
    pytest.fail("not gathered within 30 seconds")


def test_questions_are_gathered_with_count_reason_and_conversations(sign_in: SignIn, conversation: str) -> None:
    found = gathered(sign_in("agent"))
    assert not found["failed"] and found["done"] == 0
    first, second = found["items"]
    assert (first["question"], first["count"], first["why"]) == ("有月球店吗", 3, {"abstain": 3})
    assert [one["text"] for one in first["questions"]] == ["有月球店吗", "你们有月球店吗？"]
    assert first["questions"][0]["conversations"][0] == conversation
    assert second["language"] == "en"


def test_language_and_period_choose(sign_in: SignIn, conversation: str) -> None:
    agent = sign_in("agent")
    assert [one["question"] for one in gathered(agent, language="en")["items"]] == ["Do you sell tea?"]
    assert gathered(agent, since="2199-01-01")["items"] == []
    assert agent.get("/api/unanswered", params={"since": "yesterday"}).status_code == 400


def test_a_gap_becomes_a_draft(sign_in: SignIn, conversation: str) -> None:
    editor = sign_in("editor")
    gap = gathered(editor)["items"][0]
    made = editor.post(f"/api/unanswered/{gap['id']}/draft", json={})
    assert made.status_code == 201, made.text
    faq = made.json()
    assert (faq["status"], faq["question"], faq["similar"]) == ("draft", "有月球店吗", ["你们有月球店吗？"])
    assert faq["answer"] == TO_WRITE["zh"]
    assert gathered(editor)["items"][0]["draft"] == faq["id"]
    other = gathered(editor)["items"][1]
    given = editor.post(f"/api/unanswered/{other['id']}/draft", json={"answer": "We do."}).json()
    assert (given["answer"], given["language"]) == ("We do.", "en")
    assert editor.post(f"/api/unanswered/{'0' * 32}/draft", json={}).status_code == 404


def test_a_gap_is_ignored_and_looked_at_again(sign_in: SignIn, desk: Desk, conversation: str) -> None:
    editor = sign_in("editor")
    gap = gathered(editor)["items"][0]
    assert editor.post(f"/api/unanswered/{gap['id']}/ignore").json() == {"questions": 2}
    assert [one["question"] for one in gathered(editor)["items"]] == ["Do you sell tea?"]
    assert "月球" not in str(desk.access.kept.get("unanswered.ignored")) + editor.get("/api/unanswered").text
    assert editor.post(f"/api/unanswered/{gap['id']}/ignore").status_code == 404
    assert editor.delete("/api/unanswered/ignored").json() == {"questions": 2}
    assert len(gathered(editor)["items"]) == 2


def test_what_is_erased_is_forgotten(sign_in: SignIn, bot: Bot) -> None:
    admin, id = sign_in("admin"), abstain(bot, "有月球店吗？")
    assert len(gathered(admin)["items"]) == 1
    admin.delete(f"/api/conversations/{id}")
    assert gathered(admin)["items"] == []
