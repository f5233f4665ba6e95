"""The doors of the console: sign-in, first setup, sign-out. Plain pages that work without a script."""

from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from jinja2 import Environment, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from knowledge_base.types import Language
from web.api.rules import TheDesk
from web.api.session import Setup, is_setup_token, set_up_with, sign_in_with, signed_in
from web.console.visit import resume
from web.console.words import say, words
from web.gate import COOKIE, session_of
from web.problems import MOST_BODY, ApiError

router = APIRouter(include_in_schema=False, max_body_size=MOST_BODY)
Field = Annotated[str, Form(max_length=512)]
_HOME = "/console/overview"


@router.get("/console")
@router.get("/console/")
def home() -> Response:
    """To the first page."""
    return RedirectResponse(_HOME, 303)


@router.get("/console/sign-in")
def sign_in_page(request: Request, desk: TheDesk, next: str = "") -> Response:
    """The form; without any account, where to find the setup link."""
    if session_of(request) is not None:
        return RedirectResponse(_own(next), 303)
    if desk.access.accounts.empty:
        return _door(request, "no_setup", form=False)
    return _door(request, "", next=next)


@router.post("/console/sign-in")
def sign_in(request: Request, desk: TheDesk, name: Field, password: Field, next: Field = "") -> Response:
    """Sign in and go where one wanted to go."""
    _check_origin(request, desk)
    try:
        session = sign_in_with(desk, request, name, password)
    except ApiError as problem:
        return _door(request, "", problem=problem, name=name, next=next)
    return signed_in(request, session, RedirectResponse(_own(next), 303))


@router.get("/console/setup")
def setup_page(request: Request, desk: TheDesk, token: str = "") -> Response:
    """The first admin's form, for whoever has the link."""
    if not is_setup_token(desk, token):
        return _door(request, "setup_done", form=False)
    return _door(request, "setup_why", setup=True, token=token)


@router.post("/console/setup")
def setup(request: Request, desk: TheDesk, name: Field, password: Field, token: Field) -> Response:
    """Make the first admin and sign in."""
    _check_origin(request, desk)
    try:
        body = Setup.model_construct(name=name, password=password, token=token, language=_language(request))
        session = set_up_with(desk, request, body)
    except ApiError as problem:
        return _door(request, "setup_why", problem=problem, setup=True, name=name, token=token)
    return signed_in(request, session, RedirectResponse(_HOME, 303))


@router.get("/console/sign-out")
def sign_out(request: Request, desk: TheDesk) -> Response:
    """End the session; not on the word of another site's link."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        return RedirectResponse(_HOME, 303)
    session = session_of(request)
    if session is not None:
        desk.access.sessions.end(session.cookie)
    response = RedirectResponse("/console/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


@router.post("/console/resume/{visit_id}")
def resume_page(request: Request, visit_id: str) -> Response:
    """An open page whose session had ended goes on with this one."""
    session = session_of(request)
    return Response(status_code=204 if session and resume(visit_id, session) else 404)


def _check_origin(request: Request, desk: TheDesk) -> None:
    if not desk.own_site.admit(request.headers.get("origin"), request.headers.get("host")):
        raise ApiError(403, "this request comes from another site", "origin")


def _own(wanted: str) -> str:
    """Where to go next; never to another site."""
    return wanted if wanted.startswith("/console/") and "\\" not in wanted else _HOME


def _language(request: Request) -> Language:
    given = request.query_params.get("lang")
    if given in ("zh", "en"):
        return "en" if given == "en" else "zh"
    first = request.headers.get("accept-language", "").lstrip()[:2].lower()
    return "en" if first == "en" else "zh"


@cache
def _template() -> Environment:
    return Environment(autoescape=select_autoescape(default=True))


def _door(
    request: Request,
    hint: str,
    *,
    problem: ApiError | None = None,
    form: bool = True,
    setup: bool = False,
    **given: str,
) -> Response:
    language = _language(request)
    other = "en" if language == "zh" else "zh"
    query = {name: value for name, value in request.query_params.items() if name != "lang"}
    page = _template().from_string(Path(__file__).with_name("door.html").read_text(encoding="utf-8"))
    shown = page.render(
        language=language,
        title=say("shell", "setup" if setup else "sign_in", language),
        hint=say("shell", hint or "console", language),
        words={name: text[language] for name, text in words("shell").items()},
        action=f"{request.url.path}?{urlencode({'lang': language})}",
        other_url=f"{request.url.path}?{urlencode(query | {'lang': other})}",
        wrong=_words_of(problem, language) if problem else "",
        form=form,
        setup=setup,
        **({"name": "", "token": "", "next": ""} | given),
    )
    return HTMLResponse(shown, problem.status if problem else 200, headers={"Cache-Control": "no-store"})


def _words_of(problem: ApiError, language: Language) -> str:
    try:
        return say("shell", problem.code, language)
    except KeyError:
        return str(problem)
