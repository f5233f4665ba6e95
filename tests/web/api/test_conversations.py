"""Conversations over HTTP: search, transcript, correction, export, erasing."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.examples import Example, Examples, Status
from bot.types import Answer, Message
from training.dataset import build
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


def test_the_receipt_names_what_was_learned_from_it_and_where_copies_are(
    sign_in: SignIn, bot: Bot, desk: Desk, conversation: str, tmp_path: Path
) -> None:
    """Examples are gone from the review queue; datasets, releases and backups that still hold it are named."""
    data, engine = tmp_path / "data", desk.access.engine
    taught = [example(conversation, n, status) for n, status in enumerate(("new", "approved", "rejected"))]
    other = example(bot.log.open().id, 9, "approved")
    Examples(engine).add([*taught, other])
    bot.log.contact(conversation, "13800000000", "回电")
    bot.log.handoffs.begin(conversation, "asked", "zh")
    build([taught[1], other], [], data / "rounds" / "june" / "dataset")
    build([other], [], data / "rounds" / "july" / "dataset")
    (data / "rounds" / "may" / "dataset").mkdir(parents=True)  # killed while it was written: may hold anything
    for name, judged in (("june", ""), ("august", taught[1].id), ("july", other.id)):
        (data / "releases" / name).mkdir(parents=True)
        (data / "releases" / name / "release.json").write_text("{}")
        (data / "releases" / name / "judgement.json").write_text(json.dumps({"worse": [{"id": judged}]}))
    day = datetime.now(UTC) + timedelta(hours=1)
    made = {"older.tar.gz": day - timedelta(days=9), "b.tar.gz": day}
    lines = [{"made": at.isoformat(), "file": f"/b/{name}"} for name, at in made.items()]
    (data / "backups.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"made": "20')
    admin = sign_in("admin")
    place = f"/api/conversations/{conversation}"
    planned = admin.get(f"{place}/erasure").json()
    receipt = admin.delete(place).json()
    assert receipt == planned
    counts = {name: receipt["counts"][name] for name in ("message", "contact", "handoff", "example")}
    assert counts == {"message": 2, "contact": 1, "handoff": 1, "example": 3}
    assert receipt["rounds"] == ["june", "may"] and receipt["releases"] == ["august", "june"]
    assert [(one["file"], one["there"]) for one in receipt["backups"]] == [("b.tar.gz", False)]
    assert [one.id for one in Examples(engine).page()[0]] == [other.id]
    (noted, *_) = desk.access.audit.page(subject=conversation)[0]
    assert noted.after is not None and noted.after["rounds"] == ["june", "may"]


def example(conversation_id: str, number: int, status: Status) -> Example:
    id = hashlib.sha256(f"{conversation_id} {number}".encode()).hexdigest()
    return Example(id, conversation_id, "staff", "zh", f"问题 {number}？", f"答案 {number}。", status=status)


def test_a_conversation_that_taught_nothing_names_no_round(
    sign_in: SignIn, bot: Bot, conversation: str, tmp_path: Path
) -> None:
    build([example(bot.log.open().id, 1, "approved")], [], tmp_path / "data" / "rounds" / "june" / "dataset")
    receipt = sign_in("admin").delete(f"/api/conversations/{conversation}").json()
    assert receipt["rounds"] == receipt["releases"] == receipt["backups"] == []
