"""Trying a question out, and making golden questions of what was tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from bot import tables
from knowledge_base.types import Document, Faq
from training.golden import read_golden_set
from web.api.documents import knowledge_of
from web.desk import Desk

SignIn = Callable[..., TestClient]
RETURNS = Faq("returns.en", "How do I return an item?", "Choose Return in your order within 7 days.", "en")
CARE = Document("care.md", "Kettle care", "The filter lasts six months. Rinse it weekly.", "en", "care.md")


@pytest.fixture
def agent(sign_in: SignIn, desk: Desk) -> TestClient:
    knowledge = knowledge_of(desk)
    knowledge.put_faqs([RETURNS])
    knowledge.put([CARE])
    return sign_in("agent")


def tried(client: TestClient, question: str, *earlier: str) -> Any:
    response = client.post("/api/try", json={"question": question, "earlier": earlier})
    assert response.status_code == 200, response.text
    return response.json()


def test_every_step_is_shown_and_nothing_is_logged(agent: TestClient, desk: Desk) -> None:
    trial = tried(agent, "Filter lasts months?")
    assert (trial["kind"], trial["language"], trial["control"]) == ("grounded", "en", None)
    assert trial["threshold"] == {"kind": "document", "language": "en", "answer": 0.6, "clarify": 0.3}
    assert trial["confidence"] >= 0.6 and "threshold 0.6" in trial["reason"]
    head = trial["hits"][0]
    assert head["source_id"] == "care.md" and head["text"] == CARE.text and not head["exact"]
    assert 0 < head["keyword"] <= 1 and -1 <= head["dense"] <= 1 and 0 < head["score"] <= 1
    assert trial["citations"][0]["quote"] in CARE.text and trial["text"]
    assert {"query", "search", "decide", "total"} <= trial["latency_ms"].keys()
    with desk.access.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.message)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(tables.conversation)).scalar() == 0


def test_what_was_asked_before_completes_the_question(agent: TestClient) -> None:
    assert tried(agent, "And how often?")["query"] == "And how often?"
    assert "filter" in tried(agent, "And how often?", "How long does the filter last?")["query"].lower()


def test_an_exact_phrasing_a_control_and_nothing_at_all(agent: TestClient) -> None:
    exact = tried(agent, "how do i return an item")
    assert exact["kind"] == "faq" and exact["hits"][0]["exact"] and exact["reason"] == "exact phrasing"
    assert exact["text"] == RETURNS.answer
    assert tried(agent, "I want to talk to a person")["control"] == "person"
    assert tried(agent, "Spaceships on Mars")["kind"] == "abstain"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"question": " \u200b "}, "no_question"),
        ({"question": "x" * 5_000}, "too_long"),
        ({"question": "x", "earlier": ["x"] * 6}, "invalid_request"),
        ({"question": "x", "more": 1}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_what_no_customer_could_ask_is_refused(agent: TestClient, body: dict[str, Any], code: str) -> None:
    response = agent.post("/api/try", json=body)
    assert response.status_code == 400 and response.json()["error"]["code"] == code


def test_golden_questions_become_a_golden_set(agent: TestClient, sign_in: SignIn, tmp_path: Path) -> None:
    history = [{"role": "customer", "text": "Hello"}, {"role": "bot", "text": "Hello."}]
    one = {"question": "Filter lasts months?", "relevant": ["care.md"], "answers": ["six months"], "history": history}
    added = agent.post("/api/golden", json=one)
    assert added.status_code == 201 and added.json()["language"] == "en" and added.json()["staff_name"] == "agent"
    assert agent.post("/api/golden", json={"question": "火星有分店吗", "answerable": False}).status_code == 201
    page = agent.get("/api/golden").json()
    assert page["total"] == 2 and page["items"][0]["language"] == "zh"

    export = agent.get("/api/golden/export")
    assert "questions.jsonl" in export.headers["content-disposition"]
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "questions.jsonl").write_text(export.text, "utf-8")
    passage = {"id": CARE.id, "title": CARE.title, "text": CARE.text, "language": "en"}
    (folder / "passages.jsonl").write_text(json.dumps(passage) + "\n", "utf-8")
    questions = read_golden_set(folder).questions
    assert [question.answerable for question in questions] == [True, False]
    assert questions[0].relevant == {"care.md"} and questions[0].history[1] == ("bot", "Hello.")

    golden_id = added.json()["id"]
    assert agent.delete(f"/api/golden/{golden_id}").status_code == 204
    assert agent.delete(f"/api/golden/{golden_id}").status_code == 404
    noted = sign_in("admin").get("/api/audit")
    actions = [item["action"] for item in noted.json()["items"]]
    assert [one for one in actions if "golden" in one] == ["golden.delete", "golden.add", "golden.add"]
    assert "Filter lasts" not in noted.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"question": "x", "relevant": ["nothing"]}, "unknown_source"),
        ({"question": "x"}, "sources_disagree"),
        ({"question": "x", "relevant": ["care.md"], "answerable": False}, "sources_disagree"),
        ({"question": "  ", "relevant": ["care.md"]}, "no_question"),
        ({"question": "x", "relevant": ["care.md"], "history": [{"role": "staff", "text": "x"}]}, "invalid_request"),
    ],
)
def test_a_wrong_golden_question_is_refused(agent: TestClient, body: dict[str, Any], code: str) -> None:
    response = agent.post("/api/golden", json=body)
    assert response.status_code == 400 and response.json()["error"]["code"] == code
    assert agent.get("/api/golden").json()["total"] == 0
