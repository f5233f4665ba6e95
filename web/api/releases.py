"""Releases over HTTP: list with their story, judgement, promote, roll back. Knows no page and no training."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from bot.releases import Chapter, Release, Releases
from bot.types import BotError
from web.api.learning import no_clash
from web.api.moment import Moment
from web.api.rules import TheDesk, needs
from web.desk import Desk
from web.problems import MOST_BODY, ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["learning"], prefix="/learning", max_body_size=MOST_BODY)
Name = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Why = Annotated[str, Field(max_length=300)]
Trainer = Annotated[Session, needs("training.use")]


class ChapterOut(BaseModel):
    """One thing that became of a release."""

    at: Moment
    act: Literal["promote", "rollback", "refuse"]
    release: str
    before: str
    why: str


class ReleaseOut(BaseModel):
    """A release. passed: whether its round let it pass; None: no round has judged it. damaged: why it cannot serve."""

    name: str
    serving: bool
    parts: list[str]
    passed: bool | None
    damaged: str
    story: list[ChapterOut]


class ReleasesOut(BaseModel):
    """All releases, the newest first; which of them is being prepared to serve, and what went wrong with the last."""

    items: list[ReleaseOut]
    promoting: bool
    failed: str
    can_roll_back: bool


class PromoteIn(BaseModel):
    """Why, for the story; anyway: although its round has refused it."""

    model_config = ConfigDict(extra="forbid")

    why: Why = ""
    anyway: bool = False


class RollbackIn(BaseModel):
    """Why, for the story."""

    model_config = ConfigDict(extra="forbid")

    why: Why = ""


@router.get("/releases")
def list_releases(desk: TheDesk, session: Trainer) -> ReleasesOut:
    """Releases with their story, the one that serves first."""
    return releases(desk)


@router.get("/releases/{name}/judgement")
def get_judgement(name: Name, desk: TheDesk, session: Trainer) -> dict[str, Any]:
    """How it compared with the release before: every check, and the questions whose answers changed."""
    return judgement(desk, name)


@router.post("/releases/{name}/promote", status_code=202)
def promote_release(name: Name, body: PromoteIn, desk: TheDesk, session: Trainer) -> None:
    """Prepare the release beside the server, then let it serve; `promoting` of the list tells when it is done."""
    promoted(desk, session, name, body)


@router.post("/rollback")
def roll_back(body: RollbackIn, desk: TheDesk, session: Trainer) -> ReleasesOut:
    """Let the release before the current one serve again, at once."""
    rolled_back(desk, session, body.why)
    return releases(desk)


def releases(desk: Desk) -> ReleasesOut:
    """All of them, the serving one first, then by what became of them last."""
    known = _releases(desk)
    story, serving = known.story(), known.serving()
    told = {chapter.release: number for number, chapter in enumerate(story)}
    names = sorted(known.names(), key=lambda name: (name == serving, told.get(name, len(story)), name), reverse=True)
    items = [_out(known, name, serving, [one for one in story if _is_about(one, name)]) for name in names]
    return ReleasesOut(
        items=items,
        promoting=desk.learning.busy("promote"),
        failed=desk.learning.failed("promote"),
        can_roll_back=known.can_roll_back(),
    )


def judgement(desk: Desk, name: str) -> dict[str, Any]:
    """What the round of a release found. Raises ApiError where none has judged it."""
    known = _releases(desk)
    found = known.judgement(name) if name in known.names() else None
    if found is None:
        raise ApiError(404, f"no round has judged a release {name!r}", "no_judgement")
    return found


def promoted(desk: Desk, session: Session, name: str, body: PromoteIn) -> None:
    """Begin to promote. Raises ApiError for a release that is unknown, damaged, refused, or serves already."""
    known = _releases(desk)
    if name not in known.names():
        raise ApiError(404, f"there is no release {name!r}", "no_such_release")
    if name == known.serving():
        raise ApiError(409, f"{name!r} serves already", "serves_already")
    try:
        known.check(name, body.anyway)
        known.get(name)
    except BotError as error:
        raise ApiError(409, str(error), "not_promotable") from error
    arguments = ["promote", name, "--why", f"{session.staff.name}: {body.why}".rstrip(": ")]
    with no_clash():
        desk.learning.begin("promote", arguments + (["--anyway"] if body.anyway else []))
    after = {"why": body.why, "anyway": body.anyway}
    desk.access.audit.note(session.staff.name, "release.promote", name, {"serving": known.serving()}, after)


def rolled_back(desk: Desk, session: Session, why: str) -> None:
    """Roll back. Raises ApiError where there is nothing to go back to, and while a release is being promoted."""
    if desk.learning.busy("promote"):
        raise ApiError(409, "a release is being promoted; wait until it serves", "promote_running")
    known = _releases(desk)
    before = known.serving()
    try:
        release = known.rollback(f"{session.staff.name}: {why}".rstrip(": "))
    except BotError as error:
        raise ApiError(409, str(error), "no_way_back") from error
    desk.access.audit.note(
        session.staff.name, "release.rollback", before, {"serving": before}, {"serving": release.name, "why": why}
    )


def _releases(desk: Desk) -> Releases:
    return Releases(desk.settings.data / "releases")


def _is_about(chapter: Chapter, name: str) -> bool:
    return name == chapter.release or (name == chapter.before and chapter.act != "refuse")


def _out(known: Releases, name: str, serving: str, story: list[Chapter]) -> ReleaseOut:
    release: Release | None = None
    damaged = ""
    try:
        release = known.get(name)
    except BotError as error:
        damaged = str(error)
    parts = [part for part in ("encoder", "reranker", "generator") if release and getattr(release, part).adapter]
    passed = (known.judgement(name) or {"passed": None})["passed"]
    chapters = [ChapterOut(**{key: getattr(one, key) for key in ChapterOut.model_fields}) for one in story]
    return ReleaseOut(name=name, serving=name == serving, parts=parts, passed=passed, damaged=damaged, story=chapters)
