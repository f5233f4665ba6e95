"""Conversations over HTTP: search, transcript, correction, export, erasing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.types import Answer, Message
from web.desk import Desk

SignIn = Callable[..., TestClient]
SECRET = "我的手机号是 13800000000"


@pytest.fixture
def conversation(bot: Bot) -> str:
    """One customer's conversation."""
    id = bot.log.open().id
    bot.log.ask(id, Message("q0", "customer", SECRET, datetime.now(UTC)))
    bot.log.answer(id, Answer("a0", "abstain", "没有找到答案。", "zh", reason="below", release="r1"))
    return id


def test_the_list_is_filtered_and_paged(sign_in: SignIn, bot: Bot, conversation: str) -> None:
    agent = sign_in("agent")
    for number in range(3):
        bot.log.ask(f"api-{number}", Message("q", "customer", f"question {number}", datetime.now(UTC)))
    found = agent.get("/api/conversations", params={"limit": 2}).json()
    assert found["total"] == 4 and len(found["items"]) == 2
    found = agent.get("/api/conversations", params={"text": "手机号", "kind": "abstain", "release": "r1"}).json()
    assert [one["id"] for one in found["items"]] == [conversation]
    assert found["items"][0]["question"] == SECRET and found["items"][0]["outcome"] == "open"
    today = f"{datetime.now():%Y-%m-%d}"
    assert agent.get("/api/conversations", params={"since": today, "until": today}).json()["total"] == 4
    assert agent.get("/api/conversations", params={"since": "2199-01-01"}).json()["total"] == 0
    assert agent.get("/api/conversations/releases").json() == ["r1"]


@pytest.mark.parametrize(
    "query", [{"since": "1900-01-01"}, {"kind": "x"}, {"limit": 0}, {"text": "x" * 201}, {"unknown": "1"}]
)
def test_a_filter_that_makes_no_sense_is_refused(sign_in: SignIn, query: dict[str, object]) -> None:
    response = sign_in("agent").get("/api/conversations", params=query)
    assert response.status_code == 400 and next(iter(query)) in response.json()["error"]["message"]


def test_a_transcript_is_read_and_its_answer_corrected(sign_in: SignIn, desk: Desk, conversation: str) -> None:
    agent = sign_in("agent")
    place = f"/api/conversations/{conversation}/messages/a0/correction"
    assert agent.put(place, json={"text": "请在“账户”里修改手机号。"}).status_code == 204
    read = agent.get(f"/api/conversations/{conversation}").json()
    assert [line["role"] for line in read["lines"]] == ["customer", "bot"]
    assert read["lines"][1]["answer"]["reason"] == "below"
    assert read["lines"][1]["correction"]["staff_name"] == "agent"
    text = agent.get(f"/api/conversations/{conversation}/text", params={"language": "zh"}).text
    assert SECRET in text and "更正：请在“账户”里修改手机号。" in text
    assert agent.delete(place).status_code == 204 and agent.delete(place).status_code == 404
    for wrong in (" \u200b ", ""):
        assert agent.put(place, json={"text": wrong}).status_code == 400
    assert agent.put(place.replace("a0", "q0"), json={"text": "x"}).json()["error"]["code"] == "no_such_answer"
    actions = [change.action for change in desk.access.audit.page()[0]]
    assert actions[:2] == ["conversation.uncorrect", "conversation.correct"]


def test_an_export_has_each_wanted_conversation_on_a_line(sign_in: SignIn, bot: Bot, conversation: str) -> None:
    bot.log.ask("api-1", Message("q", "customer", "another", datetime.now(UTC)))
    response = sign_in("agent").get("/api/conversations/export", params={"text": "手机号"})
    assert response.headers["content-type"].startswith("application/x-ndjson")
    (line,) = response.text.splitlines()
    assert json.loads(line)["id"] == conversation and json.loads(line)["lines"][0]["text"] == SECRET


def test_erasing_leaves_a_receipt_and_not_a_word(
    sign_in: SignIn, desk: Desk, conversation: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    admin = sign_in("admin")
    place = f"/api/conversations/{conversation}"
    admin.put(f"{place}/messages/a0/correction", json={"text": SECRET})
    planned = admin.get(f"{place}/erasure").json()
    receipt = admin.delete(place).json()
    assert receipt == planned and receipt["counts"]["message"] == 2 and receipt["counts"]["correction"] == 1
    for response in (admin.get(place), admin.delete(place), admin.get(f"{place}/erasure"), admin.get(f"{place}/text")):
        assert response.status_code == 404
    noted = desk.access.audit.page(subject=conversation)[0][0]
    assert noted.action == "conversation.erase" and noted.after is not None and noted.after["message"] == 2
    assert SECRET not in "".join(capfd.readouterr())
    assert not any(SECRET.encode() in file.read_bytes() for file in (tmp_path / "data").glob("kefu.sqlite*"))
