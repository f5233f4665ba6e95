"""Every request has an id, in its response and in its log lines; unforeseen errors too."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from web.app import create_app
from web.settings import Settings


@pytest.fixture
def client(bot: Any, settings: Callable[..., Settings]) -> Any:
    with TestClient(create_app(bot, settings())) as made:
        yield made


def logged(entries: list[Any], event: str) -> list[Any]:
    return [entry for entry in entries if entry["event"] == event]


def test_a_request_and_what_it_logs_have_one_id(client: TestClient) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        response = client.post("/chat/contact", json={"token": "x", "contact": "13800000000"})
        again = client.post("/chat/contact", json={"token": "x", "contact": "13800000000"})
    id = response.headers["x-request-id"]
    assert len(id) >= 8 and again.headers["x-request-id"] != id
    first, _ = logged(entries, "request")
    assert first["request"] == id
    assert (first["method"], first["route"], first["status"]) == ("POST", "/chat/contact", 401)
    assert "13800000000" not in repr(entries)


@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-0123456789", True), ("short", False), ("a" * 65, False), ("a\tb<c>" * 3, False)]
)
def test_a_proxys_id_goes_on_if_it_is_one(client: TestClient, given: str, kept: bool) -> None:
    assert (client.get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given) is kept


def test_the_address_is_logged_as_its_pattern_only(client: TestClient) -> None:
    with structlog.testing.capture_logs() as entries:
        client.get("/v1/models/kanarienvogel?q=kanarienvogel", headers={"authorization": f"Bearer {'k' * 32}"})
        client.get("/kanarienvogel")
    assert [entry["route"] for entry in logged(entries, "request")] == ["/v1/models/{name}", ""]
    assert "kanarienvogel" not in repr(entries)


def test_an_unforeseen_error_is_told_by_its_id_with_all_headers(bot: Any, client: TestClient) -> None:
    def fails() -> None:
        raise RuntimeError("inside: 13800000000")

    bot.log.open = fails
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        response = client.post("/chat/stream", json={"text": "hi"})
    assert response.status_code == 500 and response.json()["code"] == "internal"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    (failed,) = logged(entries, "request failed")
    assert failed["request"] == response.headers["x-request-id"] and "inside" not in response.text
    assert client.get("/health").status_code == 200
