"""Sign in, sign out, who am I, and the first admin's account. Knows no page."""

import hmac
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knowledge_base.types import Language
from web.api.rules import TheDesk, needs
from web.desk import Desk
from web.gate import COOKIE
from web.limits import address_of
from web.problems import ApiError
from web.staff.accounts import AccountError, Staff
from web.staff.roles import ROLES
from web.staff.sessions import Session

router = APIRouter(tags=["session"])
Password = Annotated[str, Field(min_length=1, max_length=256)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class SignIn(BaseModel):
    """Name and password."""

    name: Name
    password: Password


class Setup(SignIn):
    """The first admin, with the token of the setup link."""

    token: str = Field(max_length=128)
    language: Language = "zh"


class Me(BaseModel):
    """Who is signed in. `csrf` goes into the header X-CSRF-Token of every change."""

    id: str
    name: str
    role: str
    language: Language
    permissions: list[str]
    csrf: str


@router.post("/session", response_model=Me)
def sign_in(request: Request, body: SignIn, desk: TheDesk) -> Response:
    """Sign in; the session's cookie comes with the response."""
    return signed_in(request, sign_in_with(desk, request, body.name, body.password))


@router.get("/session", response_model=Me)
def who_am_i(session: Annotated[Session, needs(None)]) -> Me:
    """Who is signed in."""
    return _me(session)


@router.delete("/session", status_code=204)
def sign_out(desk: TheDesk, session: Annotated[Session, needs(None)]) -> Response:
    """End the session."""
    desk.access.sessions.end(session.cookie)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


@router.post("/setup", response_model=Me)
def set_up(request: Request, body: Setup, desk: TheDesk) -> Response:
    """Make the first admin's account, once, with the token of the link that the server prints."""
    return signed_in(request, set_up_with(desk, request, body))


def sign_in_with(desk: Desk, request: Request, name: str, password: str) -> Session:
    """A session for name and password. Raises ApiError: 401 for wrong ones, 429 for too many tries."""
    _count(desk, request)
    try:
        staff = desk.access.accounts.admit(name, password)
    except AccountError as problem:
        raise ApiError(429, "too many wrong passwords; try again in 15 minutes", problem.code, 900.0) from problem
    if staff is None:
        raise ApiError(401, "wrong name or password", "wrong_password")
    return _begun(desk, staff, "session.begin")


def set_up_with(desk: Desk, request: Request, body: Setup) -> Session:
    """A session for the first admin. Raises ApiError."""
    _count(desk, request)
    if not is_setup_token(desk, body.token):
        raise ApiError(403, "this setup link is used up or wrong", "setup_done")
    try:
        staff = desk.access.accounts.add(body.name, body.password, "admin", body.language, first=True)
    except AccountError as problem:
        raise ApiError(400, str(problem), problem.code) from problem
    desk.access.setup_file.unlink(missing_ok=True)
    return _begun(desk, staff, "staff.add")


def is_setup_token(desk: Desk, token: str) -> bool:
    """Whether this is the token of the setup link, and nobody has an account yet."""
    secret = desk.access.setup_token()
    return secret is not None and hmac.compare_digest(token.encode("utf-8", "surrogateescape"), secret.encode())


def signed_in(request: Request, session: Session, response: Response | None = None) -> Response:
    """The response that carries the session's cookie."""
    response = response or JSONResponse(_me(session).model_dump())
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, session.cookie, httponly=True, samesite="lax", secure=secure, path="/")
    response.headers["Cache-Control"] = "no-store"
    return response


def _count(desk: Desk, request: Request) -> None:
    wait = desk.limits.sign_in(address_of(request.client.host if request.client else None))
    if wait is not None:
        desk.metrics.limited.labels("sign_in").inc()
        raise ApiError(429, "too many tries from this address", "rate_limited", wait)


def _begun(desk: Desk, staff: Staff, action: str) -> Session:
    desk.access.audit.note(staff.name, action, staff.id)
    return desk.access.sessions.begin(staff)


def _me(session: Session) -> Me:
    staff = session.staff
    return Me(
        id=staff.id,
        name=staff.name,
        role=staff.role,
        language=staff.language,
        permissions=sorted(ROLES[staff.role]),
        csrf=session.csrf,
    )
