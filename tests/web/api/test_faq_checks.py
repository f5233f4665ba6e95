"""Clashes and impact of a draft over HTTP, beside what the bot then really says."""

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.golden import GoldenQuestion, GoldenQuestions
from bot.types import Conversation, Done
from web.desk import Desk

SignIn = Callable[..., TestClient]
OLD = {"id": "open.en", "question": "When are you open?", "answer": "Daily.", "language": "en", "status": "published"}
NEW = {"id": "gift.en", "question": "Do you wrap gifts?", "answer": "Yes.", "language": "en"}


@pytest.fixture
def editor(sign_in: SignIn) -> TestClient:
    made = sign_in("editor")
    assert made.post("/api/faqs", json=OLD).status_code == 201
    return made


@pytest.fixture
def ask(bot: Bot) -> Iterator[Callable[[str], str]]:
    def asked(question: str) -> str:
        *_, last = bot.reply(Conversation("c"), question)
        assert isinstance(last, Done)
        return last.answer.text

    yield asked


def test_clashes_of_a_draft(editor: TestClient) -> None:
    draft = {"question": "when are you open", "language": "en", "never": ["when are you open?"]}
    found = editor.post("/api/faqs/check", json=draft).json()
    assert [(one["clash"], one["faq_id"]) for one in found] == [("own", ""), ("same", "open.en")]
    assert editor.post("/api/faqs/check", json={"question": "Parking?", "language": "en"}).json() == []


def test_the_impact_is_what_then_happens(editor: TestClient, desk: Desk, ask: Callable[[str], str]) -> None:
    for question in ("do you wrap gifts", "wrap gifts", "when are you open", "hello", "wrap gifts"):
        ask(question)
    golden = GoldenQuestions(desk.access.engine)
    golden.add(GoldenQuestion("Do you wrap gifts?", "en", ("gift.en",)))
    before = {question: ask(question) for question in ("do you wrap gifts", "wrap gifts", "when are you open")}
    impact = editor.post("/api/faqs/impact", json=NEW).json()
    assert (impact["logged"], impact["golden"]) == (3, 1)
    changed = {(one["origin"], one["question"]): one for one in impact["changes"]}
    assert set(changed) == {("logged", "do you wrap gifts"), ("logged", "wrap gifts"), ("golden", "Do you wrap gifts?")}
    one = changed["logged", "wrap gifts"]
    assert one["before"]["kind"] == "abstain" and one["after"] == {
        "kind": "faq",
        "text": "Yes.",
        "source_id": "gift.en",
        "title": "Do you wrap gifts?",
    }
    assert editor.get("/api/faqs").json()["total"] == 1
    editor.post("/api/faqs", json=NEW | {"status": "published"})
    after = {question: ask(question) for question in before}
    assert {question for question in before if before[question] != after[question]} == {
        "do you wrap gifts",
        "wrap gifts",
    }


def test_the_impact_of_an_edit_and_of_removing(editor: TestClient, ask: Callable[[str], str]) -> None:
    ask("when are you open")
    edited = editor.post("/api/faqs/impact", json=OLD | {"answer": "On Mondays."}).json()["changes"]
    assert [(one["before"]["text"], one["after"]["text"]) for one in edited] == [("Daily.", "On Mondays.")]
    removed = editor.post("/api/faqs/impact", json=OLD | {"removed": True}).json()["changes"]
    assert [(one["before"]["kind"], one["after"]["kind"]) for one in removed] == [("faq", "abstain")]
    assert editor.post("/api/faqs/impact", json=OLD).json()["changes"] == []
    assert ask("when are you open") == "Daily."
