"""The gate alone, before an app that tells who has come through."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from web.desk import Desk, open_desk
from web.gate import COOKIE, CSRF, Gate, session_of
from web.settings import Settings
from web.staff.sessions import Session

ELSEWHERE = {"origin": "https://elsewhere.example"}
OWN = {"origin": "http://kefu.test"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


async def who(request: Request) -> JSONResponse:
    """The name of who has come through."""
    session = session_of(request)
    return JSONResponse(session.staff.name if session else None)


async def greet(socket: WebSocket) -> None:
    """The same over a websocket."""
    await socket.accept()
    session = session_of(socket)
    await socket.send_json(session.staff.name if session else None)
    await socket.close()


@pytest.fixture
def desk(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("web.staff.accounts.PasswordHasher", quick)
    chosen = settings(origins=("https://shop.example",))
    chosen.data.mkdir()
    made = open_desk(chosen)
    yield made
    made.access.engine.dispose()


@pytest.fixture
def session(desk: Desk) -> Session:
    return desk.access.sessions.begin(desk.access.accounts.add("An", "a long password", "editor"))


@pytest.fixture
def client(desk: Desk) -> TestClient:
    """Nobody."""
    routes = [
        WebSocketRoute("/{path:path}", greet),
        Route("/{path:path}", who, methods=["GET", "HEAD", "OPTIONS", *UNSAFE]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    app.state.desk = desk
    return TestClient(app, base_url="http://kefu.test", follow_redirects=False)


@pytest.fixture
def an(client: TestClient, session: Session) -> TestClient:
    """Somebody who is signed in."""
    client.cookies.set(COOKIE, session.cookie)
    return client


@pytest.mark.parametrize("path", ["/api", "/api/faqs", "/api/session/x", "/console", "/console/faqs", "/console/"])
def test_strangers_are_kept_out(client: TestClient, path: str) -> None:
    for method in UNSAFE:
        answer = client.request(method, path)
        assert answer.status_code == 401 and answer.json()["error"]["code"] == "unauthorized"
        assert "kefu staff key" in answer.json()["error"]["message"]
        assert answer.headers["cache-control"] == "no-store"
    assert client.get(path).status_code == (401 if path.startswith("/api") else 303)
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(path):
        pass
    assert closed.value.code == 1008


@pytest.mark.parametrize("path", ["/", "/chat", "/apis", "/consoles", "/health", "/x/api/faqs"])
def test_what_is_not_the_staff_s_has_no_gate(client: TestClient, path: str) -> None:
    assert client.post(path, headers=ELSEWHERE).json() is None
    with client.websocket_connect(path) as socket:
        assert socket.receive_json() is None


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/console", "%2Fconsole"),
        ("/console/faqs", "%2Fconsole%2Ffaqs"),
        ("/console/faqs?q=a&page=2", "%2Fconsole%2Ffaqs%3Fq%3Da%26page%3D2"),
        ("/console/faqs?next=//elsewhere", "%2Fconsole%2Ffaqs%3Fnext%3D%2F%2Felsewhere"),
    ],
)
def test_a_page_leads_to_the_sign_in_and_back(client: TestClient, path: str, told: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/sign-in?next={told}")


async def test_a_query_that_is_no_text_leads_to_the_sign_in_too(client: TestClient) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    path, query = "/console/faqs", b"q=\xff"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}
    await client.app(scope, receive, send)
    told = b"/console/sign-in?next=%2Fconsole%2Ffaqs%3Fq%3D%EF%BF%BD"
    assert sent[0]["status"] == 303 and (b"location", told) in sent[0]["headers"]


OPEN = ["/api/session", "/api/setup", "/console/sign-in", "/console/setup", "/console/static/a.css"]


@pytest.mark.parametrize("path", [*OPEN, "/console/_nicegui/3.18.0/static/a.js", "/console/_nicegui/3.1/esm/a"])
def test_what_is_needed_to_sign_in_is_open(client: TestClient, path: str) -> None:
    assert client.get(path).json() is None
    assert client.get(path, headers=ELSEWHERE).json() is None
    assert client.post(path, headers=OWN).json() is None
    for method in UNSAFE:
        refused = client.request(method, path, headers=ELSEWHERE)
        assert refused.status_code == 403 and refused.json()["error"]["code"] == "origin"
        assert refused.json()["error"]["message"] == "this request comes from another site"


@pytest.mark.parametrize(
    "path", ["/console/_nicegui/3.18.0/auto/a", "/console/_nicegui/x/static/a", "/console/staticx", "/console/sign-in/"]
)
def test_what_is_like_it_is_not(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 303


def test_who_is_signed_in_comes_through_by_name(an: TestClient) -> None:
    assert an.get("/api/faqs").json() == an.get("/console/faqs", headers=OWN).json() == "An"
    with an.websocket_connect("/console/_nicegui_ws/socket", headers={"origin": "ws://testserver"}) as socket:
        assert socket.receive_json() == "An"


def test_a_cookie_that_opens_nothing_is_a_stranger_s(client: TestClient) -> None:
    client.cookies.set(COOKIE, "forged")
    assert client.get("/api/faqs").status_code == 401


@pytest.mark.parametrize("headers", [ELSEWHERE, {"origin": "https://shop.example"}, {"origin": "null"}])
def test_another_site_does_nothing_in_a_colleague_s_name(
    an: TestClient, session: Session, headers: dict[str, str]
) -> None:
    for path in ("/api/faqs", "/console/faqs"):
        assert an.get(path, headers=headers).json()["error"]["code"] == "origin"
        assert an.post(path, headers=headers | {CSRF: session.csrf}).json()["error"]["code"] == "origin"
    with pytest.raises(WebSocketDisconnect) as closed, an.websocket_connect("/console/socket", headers=headers):
        pass
    assert closed.value.code == 1008


@pytest.mark.parametrize("method", UNSAFE)
def test_a_change_needs_the_session_s_token(an: TestClient, session: Session, method: str) -> None:
    for wrong in ("", "wrong", session.csrf[:-1], session.csrf + "x", "\udcff".encode("utf-8", "surrogateescape")):
        refused = an.request(method, "/api/faqs", headers={CSRF: wrong})
        assert refused.status_code == 403 and refused.json()["error"]["code"] == "csrf"
        assert "X-CSRF-Token" in refused.json()["error"]["message"]
    assert an.request(method, "/api/faqs").status_code == 403
    assert an.request(method, "/api/faqs", headers={CSRF: session.csrf}).json() == "An"
    assert an.request(method, "/console/faqs").json() == "An"  # pages have a token of their own in the websocket


def test_who_is_signed_in_may_sign_in_anew_but_not_out_without_the_token(an: TestClient) -> None:
    assert an.post("/api/session").json() == an.post("/api/setup").json() == "An"
    assert an.delete("/api/session").status_code == 403
    assert an.put("/api/setup").status_code == 403


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_needs_neither_token_nor_origin(client: TestClient, desk: Desk, session: Session, scheme: str) -> None:
    key = {"authorization": f"{scheme} {desk.access.sessions.new_key(session.staff, 'sync')} "}
    assert client.post("/api/faqs", headers=key | ELSEWHERE).json() == "An"
    assert client.get("/api/faqs", headers={"authorization": "Bearer"}).status_code == 401
    basic = {"authorization": key["authorization"].replace(scheme, "Basic")}
    assert client.get("/api/faqs", headers=basic).status_code == 401


def test_a_wrong_key_is_not_made_good_by_a_cookie(an: TestClient) -> None:
    assert an.get("/api/faqs", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert an.get("/api/faqs", headers={"authorization": "Basic wrong"}).json() == "An"
