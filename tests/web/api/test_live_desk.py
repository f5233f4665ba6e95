"""The live desk over real storage: websocket of the customer, API of the staff, the bot's silence, faults."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from bot.bot import Bot
from knowledge_base.types import Faq
from web.desk import Desk

Frame = dict[str, Any]
SignIn = Callable[..., TestClient]
FAQ = Faq("returns.zh", "怎么申请退货？", "七天内可以退货。", "zh", ("退货流程",), category="退货")


def until(socket: Any, kind: str, **fields: Any) -> Frame:
    """The first frame of that type with those fields."""
    while True:
        frame = socket.receive_json()
        if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
            return frame


def ask(socket: Any, text: str, id: str) -> None:
    socket.send_json({"type": "message", "text": text, "id": id})


@pytest.fixture
def client(app: FastAPI, bot: Bot) -> Iterator[TestClient]:
    bot.knowledge.put_faqs([FAQ])  # type: ignore[attr-defined]
    with TestClient(app, base_url="http://kefu.test") as made:
        yield made


@pytest.fixture
def agent(client: TestClient, sign_in: SignIn) -> TestClient:
    made = sign_in("agent", "An")
    made.portal = client.portal  # one loop for all, as in a server
    return made


def test_from_the_bot_to_a_person_and_back(client: TestClient, agent: TestClient, bot: Bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        assert session["desk"]["state"] == "bot" and session["desk"]["open"] is True
        id = session["conversation"]
        ask(socket, "转人工", "c1")
        waiting = until(socket, "desk")
        assert (waiting["state"], waiting["position"], waiting.get("minutes")) == ("waiting", 1, None)
        assert waiting["text"]["zh"] == "已为您转接，您排在第一位。" and waiting["seq"]
        answer = until(socket, "answer")
        assert answer["kind"] == "handoff" and answer["text"] == "已为您转接，您排在第一位。"
        ask(socket, "怎么申请退货？", "c2")  # the bot knows it, and is silent
        received = until(socket, "received")
        assert received["reply_to"] == "c2" and "seq" not in received
        assert [row["text"] for row in agent.get("/api/inbox").json()["items"]] == ["怎么申请退货？"]
        assert agent.post(f"/api/inbox/{id}/claim").json()["staff_name"] == "An"
        assert until(socket, "desk", state="staff")["name"] == "An"
        suggested = agent.get(f"/api/inbox/{id}/suggestions").json()
        assert [one["text"] for one in suggested] == ["七天内可以退货。"]
        agent.post(f"/api/inbox/{id}/read")
        assert until(socket, "read")["message_id"] == received["message_id"]
        assert agent.post(f"/api/inbox/{id}/reply", json={"text": "七天内。"}).status_code == 201
        said = until(socket, "staff_message")
        assert (said["name"], said["text"]) == ("An", "七天内。") and said["seq"]
        socket.send_json({"type": "read", "message_id": said["message_id"]})
        socket.send_json({"type": "typing"})
        agent.post(f"/api/inbox/{id}/note", json={"text": "常客"})
        assert agent.post(f"/api/inbox/{id}/return").status_code == 204
        assert until(socket, "desk")["state"] == "bot"
        ask(socket, "怎么申请退货？", "c3")
        assert until(socket, "answer")["text"] == "七天内可以退货。"
        socket.send_json({"type": "solved", "solved": True})
        assert until(socket, "solved_saved")["solved"] is True
    seen = agent.get(f"/api/inbox/{id}").json()
    assert [(said["role"], said.get("author")) for said in seen["messages"]] == [
        ("customer", None),
        ("bot", None),
        ("customer", None),
        ("staff", "An"),
        ("customer", None),
        ("bot", None),
    ]
    assert seen["handoff"]["outcome"] == "returned" and seen["notes"][0]["text"] == "常客"
    assert seen["read_by_customer"] == said["message_id"]
    assert "常客" not in str(bot.log.load(id))


def test_who_comes_back_sees_everything_once(client: TestClient, agent: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        ask(socket, "I want to talk to a person", "c1")
        until(socket, "answer")
    for state in ("waiting", "staff"):
        with client.websocket_connect(f"/ws/chat?token={session['token']}&last_seq=0") as socket:
            again = socket.receive_json()
            assert again["desk"]["state"] == state and again["desk"]["text"]["en"]
            for _ in range(2):
                ask(socket, f"hello while {state}", f"h-{state}")
                until(socket, "received", reply_to=f"h-{state}")
        if state == "waiting":
            agent.post(f"/api/inbox/{session['conversation']}/claim")
        agent.post(f"/api/inbox/{session['conversation']}/reply", json={"text": f"heard: {state}"})
    with client.websocket_connect(f"/ws/chat?token={session['token']}&last_seq=0") as socket:
        history = socket.receive_json()["history"]
    texts = [said["text"] for said in history]
    assert texts[2:] == ["hello while waiting", "heard: waiting", "hello while staff", "heard: staff"]
    assert history[3]["author"] == "An" and len({said["id"] for said in history}) == len(history)


def test_the_queue_moves_and_may_be_left(client: TestClient, agent: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as first, client.websocket_connect("/ws/chat") as second:
        first.receive_json(), second.receive_json()
        ask(first, "转人工", "c1")
        until(first, "answer")
        ask(second, "talk to a person", "c1")
        assert until(second, "answer")["text"] == "You're in the queue: 1 ahead of you."
        first.send_json({"type": "cancel_handoff"})
        assert until(first, "desk", state="bot")["text"]["zh"].startswith("已取消")
        moved = until(second, "desk", position=1)
        assert moved["state"] == "waiting" and "seq" not in moved
        ask(first, "怎么申请退货？", "c2")
        assert until(first, "answer")["kind"] == "faq"
        first.send_json({"type": "cancel_handoff"})  # nothing to cancel
        assert until(first, "desk")["state"] == "bot"
    assert agent.get("/api/inbox?view=all").json()["total"] == 2


def test_two_agents_and_strangers(client: TestClient, agent: TestClient, sign_in: SignIn) -> None:
    other = sign_in("agent", "Bo")
    with client.websocket_connect("/ws/chat") as socket:
        id = socket.receive_json()["conversation"]
        assert agent.get(f"/api/inbox/{id}").status_code == 404  # the bot's own
        assert agent.post(f"/api/inbox/{id}/claim").status_code == 404
        ask(socket, "转人工", "c1")
        until(socket, "answer")
        assert agent.post(f"/api/inbox/{id}/reply", json={"text": "hi"}).json()["error"]["code"] == "not_yours"
        assert agent.post(f"/api/inbox/{id}/claim").status_code == 200
        assert other.post(f"/api/inbox/{id}/claim").json()["error"]["code"] == "taken"
        for path, body in (("reply", {"text": "hi"}), ("return", None), ("close", {"outcome": "solved"})):
            assert other.post(f"/api/inbox/{id}/{path}", json=body).status_code == 409
        for wrong in ({"text": ""}, {"text": " \u200b"}, {"text": "x" * 4_001}, {}):
            assert agent.post(f"/api/inbox/{id}/reply", json=wrong).status_code == 400
        assert agent.post(f"/api/inbox/{id}/close", json={"outcome": "solved"}).status_code == 204
        assert until(socket, "desk", state="closed")["text"]["en"]
        assert agent.post(f"/api/inbox/{id}/reply", json={"text": "hi"}).status_code == 409


def test_who_is_gone_for_long_loses_what_they_had(client: TestClient, agent: TestClient, desk: Desk) -> None:
    desk.inbox.presence._grace = 0.1
    me = agent.get("/api/session").json()["id"]
    with client.websocket_connect("/ws/chat") as socket:
        id = socket.receive_json()["conversation"]
        ask(socket, "转人工", "c1")
        until(socket, "answer")
        client.portal.call(desk.inbox.presence.came, me, "page")
        agent.post(f"/api/inbox/{id}/claim")
        until(socket, "desk", state="staff")
        client.portal.call(desk.inbox.presence.left, me, "page")  # a reload: back at once
        client.portal.call(desk.inbox.presence.came, me, "page 2")
        time.sleep(0.3)
        assert agent.get("/api/inbox?view=mine").json()["total"] == 1
        client.portal.call(desk.inbox.presence.left, me, "page 2")
        back = until(socket, "desk", state="waiting")
        assert back["text"]["zh"] == "An 的连接已断开，已为您重新排队。"
    assert agent.get("/api/inbox").json()["total"] == 1


def test_outside_the_hours_and_without_staff_a_contact_is_taken(
    client: TestClient, sign_in: SignIn, desk: Desk
) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        assert socket.receive_json()["desk"]["open"] is False
        ask(socket, "转人工", "c1")
        assert "留下联系方式" in until(socket, "answer")["text"]  # nobody works at the desk
        admin, agent = sign_in("admin"), sign_in("agent")
        never = {"hours": {"zone": "Asia/Shanghai", "days": [None] * 7}}
        assert agent.put("/api/inbox/hours", json=never).status_code == 403
        assert admin.put("/api/inbox/hours", json=never).json() == never
        ask(socket, "转人工", "c2")
        assert until(socket, "answer")["text"].startswith("人工客服目前不在线")
        with client.websocket_connect("/ws/chat") as later:
            assert later.receive_json()["desk"]["hours"]["zh"].startswith("人工客服目前不在线")
        assert agent.get("/api/inbox").json()["total"] == 0
        assert admin.put("/api/inbox/hours", json={"hours": None}).status_code == 200
        ask(socket, "转人工", "c3")
        assert until(socket, "desk")["state"] == "waiting"
    wrong = [
        {"zone": "Mars/Olympus", "days": [None] * 7},
        {"zone": "UTC", "days": [None] * 6},
        {"zone": "UTC", "days": [{"opens": "18:00", "closes": "09:00"}] * 7},
        {"zone": "UTC", "days": [{"opens": "9", "closes": "18:00"}] * 7},
    ]
    assert [admin.put("/api/inbox/hours", json={"hours": hours}).status_code for hours in wrong] == [400] * 4
    assert admin.get("/api/audit?subject=desk.hours").json()["total"] == 2


def test_the_list_of_sensitive_words_is_the_companys(client: TestClient, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    assert "投诉" in admin.get("/api/inbox/sensitive").json()["words"]
    assert admin.put("/api/inbox/sensitive", json={"words": ["火星"]}).json() == {"words": ["火星"]}
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        ask(socket, "你们在火星有分店吗", "c1")
        assert until(socket, "answer")["kind"] == "handoff"
    assert "投诉" in admin.put("/api/inbox/sensitive", json={"words": None}).json()["words"]
    assert admin.put("/api/inbox/sensitive", json={"words": ["x" * 65]}).status_code == 400


def test_after_a_restart_they_still_wait(app: FastAPI, bot: Bot, sign_in: SignIn) -> None:
    from web.app import create_app

    sign_in("agent")
    with TestClient(app, base_url="http://kefu.test") as client, client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        ask(socket, "转人工", "c1")
        until(socket, "answer")
    with TestClient(create_app(bot, app.state.desk.settings)) as client:
        with client.websocket_connect(f"/ws/chat?token={session['token']}&last_seq=9") as socket:
            assert socket.receive_json()["desk"]["state"] == "waiting"
            ask(socket, "还在吗", "c2")
            assert until(socket, "received")["reply_to"] == "c2"


def test_by_events_too_the_bot_is_silent(client: TestClient, agent: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        token = socket.receive_json()["token"]
        ask(socket, "转人工", "c1")
        until(socket, "answer")
    body = {"token": token, "text": "怎么申请退货？", "id": "c2"}
    assert '"type":"received"' in client.post("/chat/stream", json=body).text
    alone = client.post("/chat/stream", json={"text": "转人工"}).text
    assert "留下联系方式" in alone and agent.get("/api/inbox").json()["total"] == 1
