"""The API keeps to its own OpenAPI document, whatever it is sent: Schemathesis on every route under /api."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from starlette.testclient import TestClient

from web.learning import Learning

SignIn = Callable[..., TestClient]
EXAMPLES = 8  # a route, of requests that keep to the document, and as many of requests that do not
_CHECKS = schemathesis.checks
_NOT_OURS = [
    _CHECKS.positive_data_acceptance,  # ids that are not there and texts that are blank are refused
    _CHECKS.negative_data_rejection,  # a number may stand for a date; a form has text only
]
_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the routes would start beside the server has ended at once."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    monkeypatch.setattr(Learning, "_begin", lambda self, arguments, log: ended)


def operations(app: FastAPI) -> list[Any]:
    """Every documented operation under /api."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path.startswith("/api/")]


def test_every_refusal_is_documented(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/"):
                assert {"4XX", "503"} <= set(operation["responses"]), (method, path)
                assert "422" not in operation["responses"], (method, path)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_every_route_keeps_to_the_document(app: FastAPI, sign_in: SignIn, mode: GenerationMode) -> None:
    failures = []
    admin = sign_in("admin")
    for operation in operations(app):
        if mode is GenerationMode.POSITIVE or _can_be_wrong(operation):
            try:
                _try(operation, mode, admin)
            except (Exception, BaseExceptionGroup) as error:
                failures.append(f"{operation.label}\n{_told(error)}")
        if operation.path == "/api/session":  # which may have signed out
            admin = sign_in("admin")
    assert not failures, "\n\n".join(failures)


def _try(operation: Any, mode: GenerationMode, admin: TestClient) -> None:
    """Send the operation's examples. Raises what Schemathesis finds."""
    headers = {"X-CSRF-Token": admin.headers["x-csrf-token"]}
    cookies = {"kefu_staff": admin.cookies["kefu_staff"]}

    @_SETTINGS
    @given(case=operation.as_strategy(mode))
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=headers, cookies=cookies, excluded_checks=_NOT_OURS)

    keeps()


def _can_be_wrong(operation: Any) -> bool:
    """Whether anything can be sent that does not keep to the document."""
    return bool(list(operation.iter_parameters()) or len(operation.body))


def _told(error: BaseException) -> str:
    """What went wrong, each finding of a group."""
    if isinstance(error, BaseExceptionGroup):
        return "\n".join(_told(one) for one in error.exceptions)
    return f"{type(error).__name__}: {error}"
