"""The chat over plain HTTP: server-sent events, feedback, contact."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from web.app import create_app
from web.settings import Settings


def frames_of(text: str) -> list[dict[str, Any]]:
    events = text.split("\n\n")
    assert events.pop() == "" and all(event.startswith("data: ") for event in events)
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.fixture
def client(bot, settings: Callable[..., Settings]):
    with TestClient(create_app(bot, settings())) as made:
        yield made


def test_the_same_frames_as_over_the_websocket(client: TestClient, bot) -> None:
    response = client.post("/chat/stream", json={"text": "hi", "id": "c1"})
    assert response.headers["content-type"].startswith("text/event-stream")
    session, *frames = frames_of(response.text)
    assert session["type"] == "session" and session["resumed"] is False
    assert [frame["type"] for frame in frames] == ["start", *["token"] * 4, "answer"]
    assert [frame["seq"] for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert frames[-1]["text"] == "You asked: hi" and frames[-1]["reply_to"] == "c1"

    more = frames_of(client.post("/chat/stream", json={"text": "more", "token": session["token"]}).text)
    assert more[0]["resumed"] is True and more[0]["conversation"] == session["conversation"]
    assert more[0]["last_seq"] == 6 and [frame["seq"] for frame in more[1:]] == list(range(7, 7 + len(more) - 1))
    assert [len(seen.messages) for seen in bot.seen] == [0, 2]


def test_the_same_id_is_not_answered_twice(client: TestClient, bot) -> None:
    session, *first = frames_of(client.post("/chat/stream", json={"text": "hi", "id": "c1"}).text)
    asked = {"text": "hi", "id": "c1", "token": session["token"]}
    assert frames_of(client.post("/chat/stream", json=asked).text)[1:] == first
    assert len(bot.seen) == 1


def test_a_reply_that_breaks_ends_the_stream_with_an_error(client: TestClient) -> None:
    last = frames_of(client.post("/chat/stream", json={"text": "fail"}).text)[-1]
    assert (last["type"], last["code"]) == ("error", "internal")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not json", 400, "bad_frame"),
        (b"{}", 400, "bad_frame"),
        (b'{"text":7}', 400, "bad_frame"),
        (b'{"text":" "}', 400, "empty"),
        (b'{"text":"' + b"x" * 2_001 + b'"}', 400, "too_long"),
        (b'{"text":"' + b"x" * 1_048_576 + b'"}', 413, "too_large"),
        (b'{"text":"hi","token":"forged"}', 401, "unauthorized"),
    ],
)
def test_a_bad_request_gets_an_error_frame(client: TestClient, bot, body: bytes, status: int, code: str) -> None:
    response = client.post("/chat/stream", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["type"], response.json()["code"]) == (status, "error", code)
    assert not bot.log.conversations


def test_a_body_of_undeclared_length_is_limited_too(client: TestClient, bot) -> None:
    pieces = iter([b'{"text":"', *[b"x" * 65_536] * 20, b'"}'])
    response = client.post("/chat/stream", content=pieces, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_feedback_and_contact(client: TestClient, bot) -> None:
    session, *frames = frames_of(client.post("/chat/stream", json={"text": "hi"}).text)
    known = {"token": session["token"], "message_id": frames[-1]["message_id"], "helpful": True}
    assert client.post("/chat/feedback", json=known).json()["type"] == "feedback_saved"
    assert bot.log.judgements == [(session["conversation"], known["message_id"], True, "", "")]
    unknown = client.post("/chat/feedback", json={**known, "message_id": "nobody"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_message")
    contact = {"token": session["token"], "contact": "13800000000"}
    assert client.post("/chat/contact", json=contact).json() == {"type": "contact_saved"}
    assert bot.log.contacts == [(session["conversation"], "13800000000", "")]
    assert client.post("/chat/contact", json={**contact, "token": "forged"}).status_code == 401


def test_other_sites_are_refused_and_listed_ones_may_read(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(origins="https://partner.example"))) as client:
        for path in ("stream", "feedback", "contact"):
            refused = client.post(f"/chat/{path}", json={}, headers={"origin": "https://evil.example"})
            assert refused.status_code == 403 and "KEFU_ORIGINS" in refused.text
        headers = {"origin": "https://partner.example"}
        response = client.post("/chat/stream", json={"text": "hi"}, headers=headers)
        assert response.headers["access-control-allow-origin"] == "https://partner.example"
        asks = {**headers, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        assert client.options("/chat/stream", headers=asks).status_code == 200


def test_while_the_bot_is_loaded_requests_are_put_off(settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(None, settings())) as client:
        response = client.post("/chat/stream", json={"text": "hi"})
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert int(response.headers["retry-after"]) > 0


async def test_pieces_arrive_as_they_are_written(running, bot) -> None:
    server = running()
    async with httpx.AsyncClient() as client:
        async with client.stream("POST", f"{server.http}/chat/stream", json={"text": "hold on"}) as response:
            lines = response.aiter_lines()
            kinds = [json.loads(line[6:])["type"] async for line in _first(lines, 3)]
            assert kinds == ["session", "start", "token"]  # while the bot waits
            bot.gate.set()
            rest = [json.loads(line[6:]) async for line in lines if line]
    assert rest[-1]["text"] == "You asked: hold on"


async def _first(lines, count: int):
    async for line in lines:
        if line:
            yield line
            count -= 1
        if not count:
            return
