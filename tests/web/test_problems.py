"""How large a request may be, by its address."""

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from web.problems import MOST_BODY, DeclaredSize, most_body


@pytest.mark.parametrize(
    ("path", "megabytes"),
    [
        ("/api/documents", 60),
        ("/api/documents/handbook/file", 60),
        ("/api/faqs/import", 20),
        ("/console/_nicegui/client/7f/upload/12", 60),
        ("/api/documents.json", 1),
        ("/api/faqs", 1),
        ("/api/faqs/imported", 1),
        ("/chat/stream", 1),
        ("/", 1),
    ],
)
def test_only_addresses_that_take_files_take_large_bodies(path: str, megabytes: int) -> None:
    assert most_body(path) == megabytes * MOST_BODY


def test_a_larger_body_is_refused_by_what_it_declares() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    client = TestClient(DeclaredSize(app))
    declared = {"content-length": str(20 * MOST_BODY + 1)}
    assert client.post("/api/faqs/import", headers=declared).status_code == 413
    assert client.post("/api/documents", headers=declared).status_code == 204
    assert client.post("/api/faqs", headers={"content-length": str(MOST_BODY + 1)}).status_code == 413
