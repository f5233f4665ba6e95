"""What somebody tries who should not get in: forged, stale and foreign tokens, other sites, guessing, listening."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bot.bot import Bot
from knowledge_base.types import Faq
from web.app import create_app
from web.auth import Visitor
from web.desk import Desk
from web.logs import configure_logs
from web.secrets_file import kept_secret
from web.settings import Settings
from web.staff.accounts import Accounts

PASSWORD = "a long password"
SignIn = Callable[..., TestClient]
ELSEWHERE = "https://elsewhere.example"
FAQ = Faq("hours.en", "When are you open?", "Every day from nine to six.", "en")


def asked(client: TestClient, text: str = "When are you open?", **more: str) -> list[dict[str, Any]]:
    """The frames of one question over HTTP."""
    response = client.post("/chat/stream", json={"text": text, **more})
    assert response.status_code == 200, response.text
    return [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]


# ---- visitors' tokens


def test_a_token_opens_its_own_conversation_only(client: TestClient, bot: Bot) -> None:
    bot.knowledge.put_faqs([FAQ])  # type: ignore[attr-defined]
    mine, theirs = asked(client), asked(client)
    assert mine[0]["conversation"] != theirs[0]["conversation"]
    foreign = {"message_id": theirs[-1]["message_id"], "helpful": False, "token": mine[0]["token"]}
    assert client.post("/chat/feedback", json=foreign).status_code == 404
    own = foreign | {"message_id": mine[-1]["message_id"]}
    assert client.post("/chat/feedback", json=own).status_code == 200
    history = asked(client, "and then?", token=mine[0]["token"])[0]["history"]
    assert {said["id"] for said in history if said["role"] == "bot"} == {mine[-1]["message_id"]}
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        socket.send_json({"type": "feedback", "message_id": theirs[-1]["message_id"], "helpful": True})
        assert socket.receive_json()["code"] == "unknown_message"


def forged(desk: Desk, conversation: str) -> dict[str, str]:
    """Tokens that nobody was given, by what is wrong with them."""
    secret = kept_secret(desk.settings.data / "visitor.secret")
    right = desk.tokens.issue(Visitor(conversation, "e"))
    claim, when, signature = right.split(".")
    other = URLSafeTimedSerializer(secret, salt="kefu-visitor").dumps(["another", "e"]).split(".")
    return {
        "unsigned": f"{claim}.{when}.",
        "another's claim": f"{other[0]}.{when}.{signature}",
        "another moment": f"{claim}.{'z' + when[1:]}.{signature}",
        "another secret": URLSafeTimedSerializer("s" * 43, salt="kefu-visitor").dumps([conversation, "e"]),
        "another salt": URLSafeTimedSerializer(secret, salt="kefu-staff").dumps([conversation, "e"]),
        "no moment": str(URLSafeSerializer(secret, salt="kefu-visitor").dumps([conversation, "e"])),
        "another shape": URLSafeTimedSerializer(secret, salt="kefu-visitor").dumps({"id": conversation}),
        "a null algorithm": "eyJhbGciOiJub25lIn0." + claim + ".",
        "much": "A" * 512,
    }


def test_forged_tokens_open_nothing_by_any_door(client: TestClient, bot: Bot, desk: Desk) -> None:
    conversation = bot.log.open().id
    for why, token in forged(desk, conversation).items():
        contact = {"contact": "a@b.example", "token": token}
        assert client.post("/chat/contact", json=contact).status_code == 401, why
        assert client.post("/chat/stream", json={"text": "hello", "token": token}).status_code == 401, why
        with client.websocket_connect(f"/ws/chat?token={token}") as socket:
            assert socket.receive_json()["code"] == "unauthorized", why
            assert socket.receive_json()["conversation"] != conversation, why
            socket.send_json({"type": "resume", "token": token})
            assert socket.receive_json()["code"] == "unauthorized", why


def test_an_expired_token_and_that_of_an_erased_conversation_open_nothing(
    client: TestClient, sign_in: SignIn, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asked(client)[0]
    body = {"contact": "a@b.example", "token": begun["token"]}
    now = time.time()
    with monkeypatch.context() as later:
        later.setattr("itsdangerous.timed.time.time", lambda: now + desk.settings.token_hours * 3600 + 2)
        assert client.post("/chat/contact", json=body).status_code == 401
    assert client.post("/chat/contact", json=body).status_code == 200
    assert sign_in("admin").delete(f"/api/conversations/{begun['conversation']}").status_code == 200
    assert client.post("/chat/stream", json={"text": "hello", "token": begun["token"]}).status_code == 401
    assert client.post("/chat/contact", json=body).status_code == 401
    with client.websocket_connect(f"/ws/chat?token={begun['token']}") as socket:
        assert socket.receive_json().get("code") == "unauthorized"


def test_one_kind_of_credential_is_no_other(client: TestClient, sign_in: SignIn, desk: Desk) -> None:
    admin = sign_in("admin")
    visitor = asked(client)[0]["token"]
    key = desk.access.sessions.new_key(desk.access.accounts.named("admin"), "x")  # type: ignore[arg-type]
    cookie = admin.cookies["kefu_staff"]
    for wrong in (visitor, "k" * 32, cookie):
        assert client.get("/api/session", headers={"authorization": f"Bearer {wrong}"}).status_code == 401
    for wrong in (visitor, key, "k" * 32):
        assert client.get("/api/session", headers={"cookie": f"kefu_staff={wrong}"}).status_code == 401
    for wrong in (visitor, key, cookie):
        assert client.get("/v1/models", headers={"authorization": f"Bearer {wrong}"}).status_code == 401
    for wrong in (key, cookie, "k" * 32):
        assert client.post("/chat/contact", json={"contact": "x", "token": wrong}).status_code == 401


# ---- other sites


def test_another_site_can_neither_sign_anybody_in_nor_out(client: TestClient, sign_in: SignIn) -> None:
    editor = sign_in("editor")
    body = {"name": "editor", "password": PASSWORD}
    assert client.post("/api/session", json=body, headers={"origin": ELSEWHERE}).status_code == 403
    assert client.post("/api/setup", json={**body, "token": "x"}, headers={"origin": ELSEWHERE}).status_code == 403
    token = editor.headers.pop("x-csrf-token")
    assert editor.delete("/api/session").status_code == 403
    assert editor.delete("/api/session", headers={"x-csrf-token": token, "origin": ELSEWHERE}).status_code == 403
    assert editor.get("/api/session").status_code == 200
    plain = client.post("/api/session", content=str(body).replace("'", '"'), headers={"content-type": "text/plain"})
    assert plain.status_code == 400 and "set-cookie" not in plain.headers


def test_another_site_may_read_nothing_of_the_staffs(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    for path in ("/api/session", "/api/staff", "/api/conversations"):
        response = admin.get(path, headers={"origin": ELSEWHERE})
        assert response.status_code == 403 or "access-control-allow-origin" not in response.headers
        assert "access-control-allow-credentials" not in response.headers
    asked_before = {"origin": ELSEWHERE, "access-control-request-method": "DELETE"}
    assert admin.options("/api/session", headers=asked_before).status_code in (400, 401, 403)


def test_a_listed_site_may_chat_and_nothing_else(bot: Bot, settings: Callable[..., Settings]) -> None:
    shop = {"origin": "https://shop.example"}
    app = create_app(bot, settings(origins=("https://shop.example",)))
    with TestClient(app, base_url="http://kefu.test") as client:
        assert client.post("/chat/stream", json={"text": "hi"}, headers=shop).status_code == 200
        assert client.post("/chat/stream", json={"text": "hi"}, headers={"origin": ELSEWHERE}).status_code == 403
        with client.websocket_connect("/ws/chat", headers=shop) as socket:
            assert socket.receive_json()["type"] == "session"
        for origin in (ELSEWHERE, "null", "https://shop.example.elsewhere.example", "http://shop.example"):
            with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws/chat", headers={"origin": origin}):
                pass
        desk = app.state.desk
        desk.access.accounts.add("An", PASSWORD, "admin")
        body = {"name": "An", "password": PASSWORD}
        assert client.post("/api/session", json=body, headers=shop).status_code == 403
        me = client.post("/api/session", json=body).json()
        change = {"name": "Bo", "password": PASSWORD, "role": "admin"}
        headers = shop | {"x-csrf-token": me["csrf"]}
        assert client.post("/api/staff", json=change, headers=headers).status_code == 403


# ---- sessions


def test_signing_in_never_takes_over_a_session_that_was_there(client: TestClient, sign_in: SignIn) -> None:
    planted = sign_in("agent").cookies["kefu_staff"]
    sign_in("admin")
    body = {"name": "admin", "password": PASSWORD}
    response = client.post("/api/session", json=body, headers={"cookie": f"kefu_staff={planted}"})
    fresh = response.cookies["kefu_staff"]
    assert fresh != planted
    client.cookies.clear()
    assert client.get("/api/session", headers={"cookie": f"kefu_staff={planted}"}).json()["name"] == "agent"
    assert client.get("/api/session", headers={"cookie": f"kefu_staff={fresh}"}).json()["name"] == "admin"


def test_a_session_that_has_ended_cannot_be_replayed(client: TestClient, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    cookie = {"cookie": f"kefu_staff={admin.cookies['kefu_staff']}"}
    assert admin.delete("/api/session").status_code == 204
    assert client.get("/api/session", headers=cookie).status_code == 401


def test_the_csrf_token_of_another_session_is_worth_nothing(sign_in: SignIn) -> None:
    one, two = sign_in("admin"), sign_in("admin")
    body = {"name": "Bo", "password": PASSWORD, "role": "agent"}
    for wrong in (two.headers["x-csrf-token"], "", "ключ".encode(), one.headers["x-csrf-token"].encode() + b"x"):
        assert one.post("/api/staff", json=body, headers={"x-csrf-token": wrong}).status_code == 403
    assert one.post("/api/staff", json=body).status_code == 201


# ---- guessing


def test_guessing_is_stopped_by_address(bot: Bot, settings: Callable[..., Settings], one_minute: None) -> None:
    app = create_app(bot, settings(sign_ins_per_address=8))
    with TestClient(app, base_url="http://kefu.test") as client:
        accounts: Accounts = app.state.desk.access.accounts
        accounts.add("An", PASSWORD, "admin")
        tries = [client.post("/api/session", json={"name": f"n{n}", "password": "x"}).status_code for n in range(8)]
        assert tries == [401] * 8
        right = client.post("/api/session", json={"name": "An", "password": PASSWORD})
        assert right.status_code == 429 and int(right.headers["retry-after"]) > 0
        assert client.post("/api/setup", json={"name": "B", "password": PASSWORD, "token": "x"}).status_code == 429
    assert "kefu_rate_limited_total" in app.state.desk.metrics.text().decode()


def test_a_wrong_name_costs_the_same_work_as_a_wrong_password(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in hashes compared, as times on a busy machine tell nothing."""
    accounts = desk.access.accounts
    accounts.add("An", PASSWORD, "editor")
    work: list[int] = []
    verify = accounts._hasher.verify

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            work[-1] += 1
            return verify(hashed, password)

    monkeypatch.setattr(accounts, "_hasher", Counting())
    for name in ("An", "nobody"):
        work.append(0)
        assert accounts.admit(name, "wrong password") is None
    assert work == [1, 1]


def test_many_tries_at_once_do_not_eat_the_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes 64 MB while it is compared."""
    accounts = desk.access.accounts
    going, most, lock = 0, 0, threading.Lock()
    met = threading.Event()

    class Slow:
        def verify(self, hashed: str, password: str) -> bool:
            nonlocal going, most
            with lock:
                going += 1
                most = max(most, going)
            met.wait(0.05)
            with lock:
                going -= 1
            return False

    monkeypatch.setattr(accounts, "_hasher", Slow())
    threads = [threading.Thread(target=accounts.admit, args=(f"n{n}", "x")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2


# ---- what must stay secret


def test_no_secret_is_in_logs_errors_metrics_or_the_description(
    app: FastAPI, client: TestClient, sign_in: SignIn, desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    before = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    configure_logs("json", logging.DEBUG)
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})  # else they keep it for good
    try:
        admin = sign_in("admin")
        key = desk.access.sessions.new_key(desk.access.accounts.named("admin"), "x")  # type: ignore[arg-type]
        token = asked(client)[0]["token"]
        told = [client.get("/metrics").text, client.get("/openapi.json").text, client.get("/health").text]
        bearer = {"authorization": f"Bearer {key}"}
        told += [client.request(m, "/api/staff", headers=bearer, content=b"{").text for m in ("GET", "POST", "PATCH")]
        told += [client.post("/api/session", json={"name": "admin", "password": PASSWORD + "x"}).text]
        told += [admin.get("/api/staff").text, admin.get("/api/audit").text]
        told += [client.post("/chat/contact", json={"token": token, "contact": 1}).text]
        with client.websocket_connect(f"/ws/chat?token={token}") as socket:
            socket.receive_json()
        logged = "".join(capfd.readouterr())
    finally:
        structlog.configure(**before[0])
        logging.getLogger().handlers[:] = before[1]
        logging.getLogger().setLevel(before[2])
    assert "chat opened" in logged
    names = ("visitor.secret", "staff.secret")
    kept = [kept_secret(desk.settings.data / name) for name in names]
    hashes = "$argon2"
    for secret in (*kept, "k" * 32, key, token, PASSWORD, admin.cookies["kefu_staff"], hashes):
        assert secret not in logged
        assert not any(secret in text for text in told)
    assert not any(admin.headers["x-csrf-token"] in text for text in (logged, *told))
