"""Who may reach what: every route and page of the running server, as nobody and as each role.

A route that stands in no rule below, or under /api names no permission, fails these tests.
"""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.web.console.conftest import ROOT, Console
from tests.web.console.server import PASSWORD
from tests.web.route_table import NAMES_NOTHING, Route
from web.console.words import say
from web.staff.roles import ROLES, Permission, Role, may

OPEN = {
    *{f"{method} {path}" for path in ("/health", "/ready", "/widget.js", "/desk.js") for method in ("GET", "HEAD")},
    *("GET /openapi.json", "HEAD /openapi.json", "GET /metrics", "MOUNT "),  # the last is the demo site
    *("WS /ws/chat", "POST /chat/stream"),  # anybody may ask; what was said needs the conversation's token
    *("POST /api/session", "POST /api/setup"),
    *("GET /console", "GET /console/", "GET /console/sign-out"),  # these show nothing
    *("GET /console/sign-in", "POST /console/sign-in", "GET /console/setup", "POST /console/setup"),
    "MOUNT /console/static",
    *(f"GET /console/_nicegui/V/{kind}" for kind in ("libraries/{key:path}", "components/{key:path}")),
    *(f"GET /console/_nicegui/V/{kind}/{{key}}/{{path:path}}" for kind in ("resources", "esm")),
    "MOUNT /console/_nicegui/V/static",
}
"""Reached without a session; each knows for itself what it may tell."""
TOKEN = {"POST /chat/feedback", "POST /chat/contact"}
KEY = {"GET /v1/models", "GET /v1/models/{name}", "POST /v1/chat/completions"}
ANY_STAFF = {
    "POST /console/resume/{visit_id}",
    "MOUNT /console/_nicegui_ws",
    "GET /console/_nicegui/V/dynamic_resources/{name}",
}
PAGES: dict[str, Permission] = {
    "/console/overview": "overview.read",
    "/console/inbox": "desk.use",
    "/console/unanswered": "knowledge.read",
    "/console/faqs": "knowledge.read",
    "/console/faqs/new": "knowledge.write",
    "/console/faqs/import": "knowledge.write",
    "/console/faqs/{faq_id:path}": "knowledge.read",
    "/console/documents": "knowledge.read",
    "/console/documents/view": "knowledge.read",
    "/console/try-it": "knowledge.read",
    "/console/conversations": "conversations.read",
    "/console/conversations/{conversation_id}": "conversations.read",
    "/console/learning": "conversations.correct",
    "/console/learning/releases/{name}": "training.use",
    "/console/settings": "staff.manage",
}
SECRETS = ("visitor.secret", "staff.secret", "api.key")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """The whole route table."""
    command = [sys.executable, "-m", "tests.web.route_table", str(tmp_path_factory.mktemp("table"))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    printed = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return [Route(**route) for route in json.loads(printed)]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The real server with a person of each role; nothing of it is broken by what these tests do."""
    made = Console(tmp_path_factory.mktemp("server") / "data", None)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def stranger(console: Console) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=console.url, timeout=60) as client:
        yield client


def name_of(route: Route) -> str:
    return f"{route.method} {re.sub(r'/_nicegui/[0-9.]+/', '/_nicegui/V/', route.path)}"


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


def test_every_route_has_a_rule(table: list[Route]) -> None:
    assert len(table) > 100
    by_name = {name_of(route): route for route in table}
    ruled = OPEN | TOKEN | KEY | ANY_STAFF | {f"GET {page}" for page in PAGES}
    api = {name for name, route in by_name.items() if route.permission != NAMES_NOTHING}
    assert set(by_name) - ruled - api == set(), "give it a rule"
    assert ruled - set(by_name) == set(), "this rule is of no route"
    assert {name for name in by_name if " /api/" in name} - OPEN == api, "every route under /api names a permission"


def test_a_route_without_a_rule_is_seen() -> None:
    from fastapi import APIRouter, FastAPI

    from tests.web.route_table import routes_of

    app, inner, router = (
        FastAPI(openapi_url=None),
        FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
        APIRouter(),
    )
    router.get("/new")(lambda: 1)
    inner.get("/hidden", include_in_schema=False)(lambda: 1)
    app.include_router(router, prefix="/api")
    app.mount("/console", inner)
    found = set(routes_of(app.routes))
    assert {Route("GET", "/api/new"), Route("GET", "/console/hidden")} <= found


def test_nobody_gets_nothing(table: list[Route], stranger: httpx.Client) -> None:
    for route in table:
        name = name_of(route)
        if name in OPEN:
            continue
        if route.method in ("WS", "MOUNT"):
            assert stranger.get(f"{route.path}/socket.io/?EIO=4&transport=polling").status_code == 303, name
            continue
        response = stranger.request(route.method, filled(route.path), content=b"{}")
        page = route.path.startswith("/console/") and route.method == "GET"
        if name in TOKEN:
            assert response.status_code == 400, name
        elif page:
            assert response.status_code == 303, name
            assert response.headers["location"].startswith("/console/sign-in?next="), name
        else:
            assert response.status_code == 401, name


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_sees_its_pages_and_no_other(console: Console, table: list[Route], role: Role) -> None:
    forbidden = say("shell", "forbidden", "zh")
    pages = [route for route in table if route.path in PAGES]
    assert len(pages) == len(PAGES)
    with console.client(role) as client:
        for route in pages:
            response = client.get(filled(route.path))
            assert response.status_code in (200, 404), route.path
            assert (forbidden not in response.text) is may(role, PAGES[route.path]), (role, route.path)


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_may_call_what_its_permissions_say(console: Console, table: list[Route], role: Role) -> None:
    with console.client(role) as client:
        for route in table:
            if route.permission in (NAMES_NOTHING, None):
                continue
            allowed = may(role, route.permission)  # type: ignore[arg-type]
            if allowed and route.method != "GET":
                continue  # what it does is tested elsewhere; here nothing is to change
            status = client.request(route.method, filled(route.path), content=b"{}").status_code
            assert (status == 403) is not allowed and status != 401, (role, name_of(route), status)


@pytest.mark.parametrize(
    "path",
    [
        "//console/overview",
        "/console//overview",
        "/console/./overview",
        "/console/../console/overview",
        "/x/../console/overview",
        "/console/static/../overview",
        "/console/static/%2e%2e/overview",
        "/console/static/..%2foverview",
        "/console/_nicegui/3.18.0/static/../../../overview",
        "/console/_nicegui/3.18.0/esm/../../../overview",
        "/console/sign-in/../overview",
        "/console/sign-in/overview",
        "/console/sign-in%2f..%2foverview",
        "/console/overview/",
        "/console/overview;a=b",
        "/console/overview%00",
        "/console%2foverview",
        "/%63onsole/overview",
        "/CONSOLE/overview",
        "/console\\overview",
        "/api//staff",
        "//api/staff",
        "/%61pi/staff",
        "/api%2fstaff",
        "/api/session/../staff",
        "/api/session%2f..%2fstaff",
        "/api/staff/",
        "/API/staff",
        "/api/staff%3f",
        "/v1//models",
        "/%76%31/models",
    ],
)
def test_no_way_around_the_gate(console: Console, path: str) -> None:
    status, _, _ = raw(console, path)
    assert status in (303, 307, 400, 401, 404), (path, status)


@pytest.mark.parametrize(
    "prefix", ["", "/console/static", "/console/_nicegui/3.18.0/static", "/console/_nicegui/3.18.0/esm/a"]
)
@pytest.mark.parametrize("step", ["..", "%2e%2e", "..%2f..", "..%5c..", ".%00./..", "%c0%ae%c0%ae", "....//"])
def test_no_file_outside_is_served(console: Console, prefix: str, step: str) -> None:
    secrets = [(console.data / name).read_text().strip() for name in SECRETS if (console.data / name).exists()]
    assert len(secrets) >= 2
    for wanted in (*(console.data / name for name in SECRETS), console.data / "kefu.sqlite", ROOT / "web" / "app.py"):
        for up in ("/".join([step] * 12) + str(wanted), str(wanted), f"/{wanted}"):
            status, body, _ = raw(console, f"{prefix}/{up.lstrip('/')}")
            assert status != 200, (prefix, up)
            assert not any(secret in body for secret in secrets) and "SQLite format" not in body


def test_every_kind_of_answer_has_the_headers(console: Console, stranger: httpx.Client) -> None:
    for path in (
        "/",
        "/health",
        "/openapi.json",
        "/api/staff",
        "/console/sign-in",
        "/nowhere",
        "/v1/models",
        "/metrics",
    ):
        headers = stranger.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "frame-ancestors" in headers["content-security-policy"], path
        assert headers["referrer-policy"] and headers["cross-origin-opener-policy"] == "same-origin", path
        assert "server" not in headers and "x-powered-by" not in headers, path
    with console.client("admin") as admin:
        policy = admin.get("/console/overview").headers["content-security-policy"]
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0] and "'nonce-" in policy


def test_a_proxys_word_is_not_believed_unasked(console: Console, stranger: httpx.Client) -> None:
    """Who is no trusted proxy can neither hide its address nor say that the connection is safe."""
    sign_in = {"name": "admin", "password": PASSWORD}
    forged = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7", "forwarded": "proto=https"}
    response = stranger.post("/api/session", json=sign_in, headers=forged)
    assert response.status_code == 200 and "secure" not in response.headers["set-cookie"].lower()
    stranger.cookies.clear()


def raw(console: Console, path: str) -> tuple[int, str, http.client.HTTPMessage]:
    """The answer to a request whose path nobody has tidied up."""
    connection = http.client.HTTPConnection("127.0.0.1", int(console.url.rsplit(":", 1)[1]), timeout=60)
    try:
        connection.putrequest("GET", path.encode("latin-1", "replace").decode("latin-1"), skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode("latin-1"), response.headers
    finally:
        connection.close()
