"""Signing in and out, first setup, keys, forged requests, and the rule of every route."""

from collections.abc import Callable
from typing import get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from web.app import API
from web.desk import Desk
from web.staff.roles import ROLES, Permission, Role, may

PASSWORD = "a long password"
SignIn = Callable[..., TestClient]
OPEN = {("POST", "/api/session"), ("POST", "/api/setup")}


def api_routes(app: FastAPI) -> list[tuple[str, str, APIRoute]]:
    """(method, path, route) of every route under /api, as the OpenAPI document has them too."""
    routes = [route for router in API for route in router.routes if isinstance(route, APIRoute)]
    found = [(method, f"/api{route.path_format}", route) for route in routes for method in sorted(route.methods)]
    documented = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if path.startswith("/api/")
    }
    assert documented == {(method, path) for method, path, _ in found}
    return found


def permission_of(route: APIRoute) -> Permission | None:
    """What the route needs. Raises LookupError when it names nothing."""
    for dependency in route.dependant.dependencies:
        if hasattr(dependency.call, "permission"):
            return dependency.call.permission
    raise LookupError(f"{route.path} has no rule; give it needs(…)")


def test_every_route_has_a_rule_and_refuses_strangers(app: FastAPI, client: TestClient) -> None:
    routes = [found for found in api_routes(app) if found[:2] not in OPEN]
    assert routes
    for method, path, route in routes:
        permission_of(route)
        response = client.request(method, path.replace("{", "").replace("}", ""), content=b"not json")
        assert response.status_code == 401, (method, path)
    assert client.get("/api/nothing").status_code == 401
    assert client.get("/console/overview", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("role", get_args(Role))
def test_each_role_is_kept_to_its_permissions(app: FastAPI, sign_in: SignIn, role: Role) -> None:
    person = sign_in(role)
    for method, path, route in api_routes(app):
        if (method, path) in OPEN or path == "/api/session":
            continue
        permission = permission_of(route)
        status = person.request(method, path.replace("{", "").replace("}", "")).status_code
        allowed = permission is None or may(role, permission)
        assert (status == 403) is not allowed, (method, path, status)
        assert status != 401


def test_an_admin_may_do_everything_and_nobody_else_may_manage_staff() -> None:
    assert ROLES["admin"] == frozenset(get_args(Permission))
    assert [role for role in ROLES if may(role, "staff.manage")] == ["admin"]


def test_a_change_needs_the_csrf_token_and_our_own_origin(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    body = {"name": "Bo", "password": PASSWORD, "role": "agent"}
    token = admin.headers.pop("x-csrf-token")
    assert admin.post("/api/staff", json=body).status_code == 403
    forged = {"x-csrf-token": token, "origin": "https://elsewhere.example"}
    assert admin.post("/api/staff", json=body, headers=forged).status_code == 403
    own = {"x-csrf-token": token, "origin": "http://kefu.test"}
    assert admin.post("/api/staff", json=body, headers=own).status_code == 201


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient, desk: Desk) -> None:
    desk.access.accounts.add("An", PASSWORD, "editor")
    response = client.post("/api/session", json={"name": "An", "password": PASSWORD})
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    client.base_url = "https://kefu.test"
    again = client.post("/api/session", json={"name": "An", "password": PASSWORD})
    assert "secure" in again.headers["set-cookie"].lower()
    assert again.cookies["kefu_staff"] != response.cookies["kefu_staff"]


def test_a_session_ends_with_sign_out_a_new_password_or_a_disabled_account(sign_in: SignIn) -> None:
    admin, editor = sign_in("admin"), sign_in("editor")
    assert editor.get("/api/session").json()["name"] == "editor"
    assert editor.delete("/api/session").status_code == 204
    assert editor.get("/api/session").status_code == 401
    for change in ({"password": "another long one"}, {"active": False}):
        person = sign_in("agent", name=f"a{len(change)}{next(iter(change))}")
        id = person.get("/api/session").json()["id"]
        assert admin.patch(f"/api/staff/{id}", json=change).status_code == 200
        assert person.get("/api/session").status_code == 401


def test_a_changed_role_holds_at_once(sign_in: SignIn) -> None:
    admin, editor = sign_in("admin"), sign_in("editor")
    id = editor.get("/api/session").json()["id"]
    admin.patch(f"/api/staff/{id}", json={"role": "admin"})
    assert editor.get("/api/staff").status_code == 200


def test_five_wrong_passwords_lock_the_account(client: TestClient, desk: Desk) -> None:
    desk.access.accounts.add("An", PASSWORD, "editor")
    wrong = {"name": "An", "password": "wrong"}
    assert [client.post("/api/session", json=wrong).status_code for _ in range(6)] == [401] * 5 + [429]
    locked = client.post("/api/session", json={"name": "An", "password": PASSWORD})
    assert locked.status_code == 429 and locked.json()["error"]["code"] == "locked"
    assert client.post("/api/session", json={"name": "nobody", "password": "wrong"}).status_code == 401


def test_the_first_admin_comes_by_the_setup_link_once(client: TestClient, desk: Desk) -> None:
    token = desk.access.setup_token()
    body = {"name": "An", "password": PASSWORD, "token": "x" * 43}
    assert client.post("/api/setup", json=body).status_code == 403
    assert client.post("/api/setup", json={**body, "token": token, "password": "short"}).status_code == 400
    assert client.post("/api/setup", json={**body, "token": token}).json()["role"] == "admin"
    assert client.post("/api/setup", json={**body, "token": token, "name": "Bo"}).status_code == 403
    assert desk.access.setup_token() is None and not desk.access.setup_file.exists()


def test_a_key_acts_as_its_person_without_csrf(client: TestClient, desk: Desk) -> None:
    editor = desk.access.accounts.add("An", PASSWORD, "editor")
    desk.access.accounts.add("Bo", PASSWORD, "admin")
    key = {"Authorization": f"Bearer {desk.access.sessions.new_key(editor, 'sync')}"}
    assert client.get("/api/session", headers=key).json()["name"] == "An"
    assert client.get("/api/staff", headers=key).status_code == 403
    assert client.get("/api/session", headers={"Authorization": "Bearer kefu-staff-wrong"}).status_code == 401
    desk.access.accounts.change(editor.id, {"active": False})
    assert client.get("/api/session", headers=key).status_code == 401


def test_the_last_admin_stays_and_every_change_is_noted(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    id = admin.get("/api/session").json()["id"]
    assert admin.patch(f"/api/staff/{id}", json={"role": "editor"}).json()["error"]["code"] == "last_admin"
    admin.post("/api/staff", json={"name": "Bo", "password": PASSWORD, "role": "agent"})
    assert admin.post("/api/staff", json={"name": "Bo", "password": PASSWORD, "role": "agent"}).status_code == 409
    entries = admin.get("/api/audit").json()
    assert entries["items"][0]["action"] == "staff.add" and entries["items"][0]["after"]["name"] == "Bo"
    assert PASSWORD not in admin.get("/api/audit").text


def test_a_forged_or_damaged_cookie_opens_nothing(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    cookie = admin.cookies["kefu_staff"]
    for wrong in (cookie[:-2], "x" + cookie, "", "a.b.c"):
        admin.cookies.clear()
        assert admin.get("/api/session", headers={"cookie": f"kefu_staff={wrong}"}).status_code == 401
