"""The websocket: in process with Starlette's client, and over the network with a real server and client."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from web.app import create_app
from web.auth import Visitor
from web.settings import Settings

Frame = dict[str, Any]


def until(socket: Any, kind: str) -> list[Frame]:
    """All frames up to the first of that type."""
    frames = [socket.receive_json()]
    while frames[-1]["type"] != kind:
        frames.append(socket.receive_json())
    return frames


async def until_async(socket: ClientConnection, kind: str) -> list[Frame]:
    frames = [json.loads(await socket.recv())]
    while frames[-1]["type"] != kind:
        frames.append(json.loads(await socket.recv()))
    return frames


@pytest.fixture
def client(bot, settings: Callable[..., Settings]):
    with TestClient(create_app(bot, settings(privacy_url="/privacy"))) as made:
        yield made


def test_a_question_is_answered_in_numbered_frames(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        assert session["type"] == "session" and session["resumed"] is False and session["history"] == []
        assert session["greeting"] == {"zh": "您好", "en": "Hello"} and session["privacy_url"] == "/privacy"
        assert session["suggestions"]["zh"] == ["怎么退货？"] and session["expires_in"] == 86_400
        socket.send_json({"type": "message", "text": " hi\x00 ", "id": "c1"})
        frames = until(socket, "answer")
    assert [frame["type"] for frame in frames] == ["start", *["token"] * 4, "answer"]
    assert [frame["seq"] for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert frames[0]["reply_to"] == frames[-1]["reply_to"] == "c1"
    assert len({frame["message_id"] for frame in frames}) == 1
    assert "".join(frame["text"] for frame in frames[1:-1]) == frames[-1]["text"] == "You asked: hi"
    assert frames[-1]["citations"][0]["quote"] == "30 days" and frames[-1]["stopped"] is False


def test_the_bot_gets_the_conversation_so_far(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        for text in ("one", "two"):
            socket.send_json({"type": "message", "text": text})
            until(socket, "answer")
    assert [[message.text for message in seen.messages] for seen in bot.seen] == [[], ["one", "You asked: one"]]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "bad_frame"),
        ('{"type":"nonsense"}', "bad_frame"),
        (b'{"type":"ping"}', "bad_frame"),
        ('{"type":"message","text":"' + "x" * 20_000 + '"}', "too_large"),
        ('{"type":"message","text":"' + "问" * 2_001 + '"}', "too_long"),
        ('{"type":"message","text":" \\u0007\\n "}', "empty"),
        ('{"type":"feedback","message_id":"nobody","helpful":true}', "unknown_message"),
        ('{"type":"contact","contact":"\\u0000"}', "empty"),
        ('{"type":"resume","token":"forged"}', "unauthorized"),
    ],
)
def test_a_bad_frame_gets_an_error_and_the_socket_stays(client: TestClient, frame: str | bytes, code: str) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_text(frame)
        error = socket.receive_json()
        assert (error["type"], error["code"]) == ("error", code) and error["text"]["zh"] and error["text"]["en"]
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}


def test_the_longest_message_passes(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        socket.send_json({"type": "message", "text": "问" * 2_000})
        assert until(socket, "answer")[-1]["text"].endswith("问" * 2_000)


def test_whoever_sends_rubbish_only_is_shown_out(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        for _ in range(40):
            socket.send_text("rubbish")
            assert socket.receive_json()["code"] == "bad_frame"
        with pytest.raises(WebSocketDisconnect) as out:
            socket.receive_json()
    assert out.value.code == 1008


def test_stop_ends_the_reply_and_logs_it_as_stopped(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        socket.send_json({"type": "stop"})  # nothing to stop yet
        socket.send_json({"type": "message", "text": "hold on"})
        until(socket, "token")
        socket.send_json({"type": "stop"})
        answer = until(socket, "answer")[-1]
    assert answer["stopped"] is True and answer["text"] == "You "
    assert bot.log.load(session["conversation"]).messages[-1].answer.stopped


def test_a_second_question_has_to_wait_for_the_first(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        session = socket.receive_json()
        socket.send_json({"type": "message", "text": "hold on", "id": "c1"})
        until(socket, "token")
        socket.send_json({"type": "message", "text": "another", "id": "c2"})
        error = socket.receive_json()
        assert (error["code"], error["reply_to"], error["retry_after"]) == ("busy", "c2", 1)
        socket.send_json({"type": "resume", "token": session["token"], "last_seq": 0})
        assert socket.receive_json()["code"] == "busy"
        bot.gate.set()
        assert until(socket, "answer")[-1]["reply_to"] == "c1"
        socket.send_json({"type": "message", "text": "another", "id": "c2"})
        assert until(socket, "answer")[-1]["text"] == "You asked: another"


def test_the_same_id_is_not_answered_twice(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        socket.send_json({"type": "message", "text": "hold on", "id": "c1"})
        first = until(socket, "token")
        socket.send_json({"type": "message", "text": "hold on", "id": "c1"})  # it is running: no second reply
        bot.gate.set()
        first += until(socket, "answer")
        socket.send_json({"type": "message", "text": "hold on", "id": "c1"})  # it is finished: the same frames
        assert until(socket, "answer") == first
    assert len(bot.seen) == 1


def test_the_same_id_is_not_answered_twice_after_a_restart(bot, settings: Callable[..., Settings]) -> None:
    token, answers = "", []
    for _ in range(2):
        with TestClient(create_app(bot, settings())) as client:
            with client.websocket_connect(f"/ws/chat?token={token}") as socket:
                token = socket.receive_json()["token"]
                socket.send_json({"type": "message", "text": "hi", "id": "c1"})
                answers.append({**until(socket, "answer")[-1], "seq": 0})
    assert answers[0] == answers[1] and len(bot.seen) == 1


def test_a_reply_that_breaks_says_so_and_may_be_asked_again(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        for _ in range(2):
            socket.send_json({"type": "message", "text": "fail secretly", "id": "c1"})
            error = until(socket, "error")[-1]
            assert (error["code"], error["reply_to"]) == ("internal", "c1") and error["seq"]
    assert len(bot.seen) == 2


def test_feedback_and_contact_are_stored(client: TestClient, bot) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        conversation = socket.receive_json()["conversation"]
        socket.send_json({"type": "message", "text": "hi"})
        id = until(socket, "answer")[-1]["message_id"]
        told = {"type": "feedback", "message_id": id, "helpful": False, "reason": "wrong", "comment": "no\x00pe"}
        socket.send_json(told)
        assert socket.receive_json() == {"type": "feedback_saved", "message_id": id}
        socket.send_json({"type": "contact", "contact": "a@b.example", "text": "call me"})
        assert socket.receive_json() == {"type": "contact_saved"}
    assert bot.log.judgements == [(conversation, id, False, "wrong", "nope")]
    assert bot.log.contacts == [(conversation, "a@b.example", "call me")]


def test_a_reload_finds_the_conversation_again(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        before = socket.receive_json()
        socket.send_json({"type": "message", "text": "hi"})
        answer = until(socket, "answer")[-1]
    with client.websocket_connect(f"/ws/chat?token={before['token']}&last_seq=0") as socket:
        session = socket.receive_json()
        assert session["resumed"] is True and session["conversation"] == before["conversation"]
        assert [said["text"] for said in session["history"]] == ["hi", answer["text"]]
        assert session["history"][1]["id"] == answer["message_id"] and session["history"][1]["citations"]
        assert session["last_seq"] == answer["seq"]
        socket.send_json({"type": "message", "text": "more"})
        assert socket.receive_json()["seq"] == answer["seq"] + 1


def test_resume_as_a_frame_changes_the_conversation(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        old = socket.receive_json()
        socket.send_json({"type": "message", "text": "hi"})
        until(socket, "answer")
    with client.websocket_connect("/ws/chat") as socket:
        assert socket.receive_json()["conversation"] != old["conversation"]
        socket.send_json({"type": "resume", "token": old["token"], "last_seq": 0})
        session = socket.receive_json()
        assert session["conversation"] == old["conversation"] and len(session["history"]) == 2


@pytest.mark.parametrize("token", ["forged", "%F0%9F%98%80%00", "deleted"])
def test_a_token_that_opens_nothing_opens_a_new_conversation(client: TestClient, token: str) -> None:
    if token == "deleted":
        token = client.app.state.desk.tokens.issue(Visitor("deleted", "0"))
    with client.websocket_connect(f"/ws/chat?token={token}&last_seq=x") as socket:
        assert socket.receive_json()["code"] == "unauthorized"
        assert socket.receive_json()["resumed"] is False
        socket.send_json({"type": "message", "text": "hi"})
        assert until(socket, "answer")


def test_other_sites_are_refused(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(origins="https://partner.example"))) as client:
        for origin in ("http://testserver", "https://partner.example"):
            with client.websocket_connect("/ws/chat", headers={"origin": origin}) as socket:
                assert socket.receive_json()["type"] == "session"
        with pytest.raises(WebSocketDisconnect):
            with client.websocket_connect("/ws/chat", headers={"origin": "https://evil.example"}):
                pass


def test_too_many_connections_are_refused(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(connections_per_address=1))) as client:
        with client.websocket_connect("/ws/chat") as socket:
            socket.receive_json()
            with pytest.raises(WebSocketDenialResponse) as refused:
                with client.websocket_connect("/ws/chat"):
                    pass
            assert refused.value.status_code == 503
        with client.websocket_connect("/ws/chat") as socket:
            assert socket.receive_json()["type"] == "session"


def test_until_the_bot_is_loaded_everyone_is_told_to_wait(bot, settings: Callable[..., Settings]) -> None:
    app = create_app(None, settings())
    with TestClient(app) as client:
        assert client.get("/ready").status_code == 503 and client.get("/health").status_code == 200
        with client.websocket_connect("/ws/chat") as socket:
            loading = socket.receive_json()
            assert loading["code"] == "busy" and loading["retry_after"] > 0
            socket.send_json({"type": "message", "text": "hi", "id": "c1"})
            assert socket.receive_json()["reply_to"] == "c1"
            socket.send_json({"type": "ping"})
            assert socket.receive_json() == {"type": "pong"}
            client.portal.call(app.state.desk.open, bot)
            assert socket.receive_json()["type"] == "session"
            socket.send_json({"type": "message", "text": "hi", "id": "c1"})
            assert until(socket, "answer")[-1]["reply_to"] == "c1"
        assert client.get("/ready").json() == {"status": "ready", "release": "default"}


def test_when_all_workers_are_busy_more_questions_are_put_off(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(replies=1, queue=0))) as client:
        with client.websocket_connect("/ws/chat") as first, client.websocket_connect("/ws/chat") as second:
            first.receive_json(), second.receive_json()
            first.send_json({"type": "message", "text": "hold on"})
            until(first, "token")
            second.send_json({"type": "message", "text": "hi", "id": "c2"})
            error = second.receive_json()
            assert error["code"] == "busy" and error["retry_after"] >= 1 and error["reply_to"] == "c2"
            bot.gate.set()
            until(first, "answer")


@pytest.mark.parametrize("last_seq", [0, 1, 2, 999])
async def test_who_comes_back_while_the_reply_runs_gets_the_rest_of_it(running, bot, last_seq: int) -> None:
    server = running()
    async with connect(server.ws()) as socket:
        session = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "message", "text": "hold on"}))
        seen = await until_async(socket, "token")
        assert [frame["seq"] for frame in seen] == [1, 2]
    async with connect(server.ws(token=session["token"], last_seq=last_seq)) as socket:
        again = json.loads(await socket.recv())
        assert [said["text"] for said in again["history"]] == ["hold on"]
        bot.gate.set()
        rest = await until_async(socket, "answer")
    first = 1 if last_seq in (0, 999) else last_seq + 1  # what was never sent cannot have been seen
    assert again["last_seq"] == first - 1
    assert [frame["seq"] for frame in rest] == list(range(first, rest[-1]["seq"] + 1))
    assert rest[-1]["text"] == "You asked: hold on"


async def test_a_closed_tab_still_leaves_a_logged_answer(running, bot) -> None:
    server = running()
    async with connect(server.ws()) as socket:
        session = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "message", "text": "hold on"}))
        await until_async(socket, "token")
    bot.gate.set()
    give_up = time.monotonic() + 5
    while len(bot.log.load(session["conversation"]).messages) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    answer = bot.log.load(session["conversation"]).messages[-1].answer
    assert answer.text == "You asked: hold on" and not answer.stopped
    async with connect(server.ws(token=session["token"], last_seq=2)) as socket:
        again = json.loads(await socket.recv())
        assert again["history"][-1]["text"] == answer.text  # and its frames are not sent again
        await socket.send(json.dumps({"type": "message", "text": "more"}))
        assert json.loads(await socket.recv())["seq"] == again["last_seq"] + 1


async def test_two_tabs_of_one_conversation_see_the_same(running) -> None:
    server = running()
    async with connect(server.ws()) as one:
        session = json.loads(await one.recv())
        async with connect(server.ws(token=session["token"])) as two:
            await two.recv()
            await one.send(json.dumps({"type": "message", "text": "hi"}))
            assert await until_async(one, "answer") == await until_async(two, "answer")


async def test_a_reader_that_reads_nothing_holds_nobody(running, bot) -> None:
    server = running(replies=1, replay_frames=50)
    async with connect(server.ws(), max_queue=1) as lazy, connect(server.ws()) as other:
        await lazy.recv(), await other.recv()
        await lazy.send(json.dumps({"type": "message", "text": "many 30000"}))
        await other.send(json.dumps({"type": "message", "text": "hi"}))
        assert (await until_async(other, "answer"))[-1]["text"] == "You asked: hi"
        lazy.transport.abort()


async def test_a_megabyte_gets_an_error_frame(running) -> None:
    async with connect(running().ws()) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "message", "text": "x" * 1_048_576}))
        assert json.loads(await socket.recv())["code"] == "too_large"
        await socket.send('{"type":"ping"}')
        assert json.loads(await socket.recv()) == {"type": "pong"}
