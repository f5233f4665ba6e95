"""Rates and connection counts, alone and through the app."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from web.app import create_app
from web.limits import Limits, TooManyConnections, address_of
from web.settings import Settings

pytestmark = pytest.mark.usefixtures("one_minute")


def test_each_visitor_and_each_address_has_its_own_rate(settings: Callable[..., Settings]) -> None:
    limits = Limits(settings(messages_per_visitor=2, messages_per_address=3))
    assert [limits.message("a", "ip") for _ in range(2)] == [None, None]
    wait = limits.message("a", "ip")
    assert wait is not None and 1 <= wait <= 60
    assert limits.message("b", "ip") is None
    assert limits.message("b", "ip") is not None  # the address has had its three
    assert limits.message("b", "other ip") is not None  # and the visitor its two
    assert limits.message("c", "other ip") is None


def test_connections_are_counted_while_they_last(settings: Callable[..., Settings]) -> None:
    limits = Limits(settings(connections=2, connections_per_address=1))
    with limits.connection("a"):
        with pytest.raises(TooManyConnections):
            limits.connection("a").__enter__()
        with limits.connection("b"):
            with pytest.raises(TooManyConnections):
                limits.connection("c").__enter__()
    with limits.connection("a"):
        pass


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (None, "unknown"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_addresses(host: str | None, address: str) -> None:
    assert address_of(host) == address


def test_too_many_messages_get_an_error_frame(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(messages_per_visitor=1))) as client:
        with client.websocket_connect("/ws/chat") as socket:
            socket.receive_json()
            socket.send_json({"type": "message", "text": "one", "id": "c1"})
            while socket.receive_json()["type"] != "answer":
                pass
            socket.send_json({"type": "message", "text": "two", "id": "c2"})
            error = socket.receive_json()
            assert (error["code"], error["reply_to"]) == ("rate_limited", "c2") and error["retry_after"] >= 1
            socket.send_json({"type": "contact", "contact": "a@b.example"})
            assert socket.receive_json()["code"] == "rate_limited"
        assert 'kefu_rate_limited_total{limit="message"} 2.0' in client.get("/metrics").text
    assert len(bot.seen) == 1 and not bot.log.contacts


def test_too_many_frames_get_an_error_frame(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(frames_per_connection=2))) as client:
        with client.websocket_connect("/ws/chat") as socket:
            socket.receive_json()
            answers = []
            for _ in range(4):
                socket.send_json({"type": "ping"})
                answers.append(socket.receive_json())
    assert [answer["type"] for answer in answers] == ["pong", "pong", "error", "error"]
    assert answers[-1]["code"] == "rate_limited"


def test_too_many_new_conversations_are_refused(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings(sessions_per_address=1))) as client:
        with client.websocket_connect("/ws/chat") as socket:
            token = socket.receive_json()["token"]
        with client.websocket_connect("/ws/chat") as socket:
            assert socket.receive_json()["code"] == "rate_limited"
        response = client.post("/chat/stream", json={"text": "hi"})
        assert response.status_code == 429 and int(response.headers["retry-after"]) >= 1
        with client.websocket_connect(f"/ws/chat?token={token}") as socket:
            assert socket.receive_json()["resumed"] is True
    assert len(bot.log.conversations) == 1
