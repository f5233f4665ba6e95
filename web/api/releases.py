"""Releases over HTTP: list with their story, judgement, promote, try, roll back. Knows no page and no training."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from bot.releases import Release, Releases
from bot.story import Act, Chapter
from bot.types import BotError
from bot.watch import FIGURES, LANGUAGES, Figure, Share
from knowledge_base.types import Language
from web.api.learning import no_clash
from web.api.moment import Moment
from web.api.rules import TheDesk, needs
from web.desk import Desk
from web.problems import MOST_BODY, ApiError
from web.staff.sessions import Session
from web.watching import Look, limits

router = APIRouter(tags=["learning"], prefix="/learning", max_body_size=MOST_BODY)
Name = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Why = Annotated[str, Field(max_length=300)]
Trainer = Annotated[Session, needs("training.use")]


class ShareOut(BaseModel):
    """So many of so many conversations."""

    count: int
    of: int


class FigureOut(BaseModel):
    """How conversations of one language go on a watched release, and with the release before; limit: most of a rise."""

    figure: Figure
    language: Language
    before: ShareOut
    now: ShareOut
    limit: float


class ChapterOut(BaseModel):
    """One thing that became of a release. found: what made the watch take it back."""

    at: Moment
    act: Act
    release: str
    before: str
    why: str
    found: FigureOut | None


class WatchOut(BaseModel):
    """Which release is watched since when, with which it is compared, and how conversations go."""

    release: str
    before: str
    since: Moment
    figures: list[FigureOut]


class ReleaseOut(BaseModel):
    """A release. passed: whether its round let it pass; None: no round has judged it. damaged: why it cannot serve.

    trial: the share (0..1) of the conversations that run on it beside the serving release; 0: none.
    """

    name: str
    serving: bool
    trial: float
    parts: list[str]
    passed: bool | None
    damaged: str
    story: list[ChapterOut]


class ReleasesOut(BaseModel):
    """All releases, the newest first; whether one is being prepared to serve, and what went wrong with the last."""

    items: list[ReleaseOut]
    promoting: bool
    failed: str
    can_roll_back: bool
    watch: WatchOut | None


class PromoteIn(BaseModel):
    """Why, for the story; anyway: although its round has refused it.

    share: let only this share (0..1) of the conversations run on it, as a trial; 1: it takes over.
    """

    model_config = ConfigDict(extra="forbid")

    why: Why = ""
    anyway: bool = False
    share: float = Field(default=1.0, ge=0.01, le=1.0)


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
    """End the trial, if there is one; else let the release before the current one serve again. At once."""
    rolled_back(desk, session, body.why)
    return releases(desk)


def releases(desk: Desk) -> ReleasesOut:
    """All of them, the serving one first, then by what became of them last."""
    known = _releases(desk)
    story, serving, trial = known.story(), known.serving(), known.trial()
    told = {chapter.release: number for number, chapter in enumerate(story)}
    names = sorted(known.names(), key=lambda name: (name == serving, told.get(name, len(story)), name), reverse=True)
    items = [_out(known, name, serving, [one for one in story if one.is_about(name)]) for name in names]
    if trial:
        items = [one.model_copy(update={"trial": trial.share}) if one.name == trial.release else one for one in items]
    look = desk.watchman.seen()
    return ReleasesOut(
        items=items,
        promoting=desk.learning.busy("promote"),
        failed=desk.learning.failed("promote"),
        can_roll_back=known.can_roll_back(),
        watch=_watch(desk, look) if look else None,
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
    arguments += ["--share", str(body.share)] if body.share < 1 else []
    with no_clash():
        desk.learning.begin("promote", arguments + (["--anyway"] if body.anyway else []))
    after = {"why": body.why, "anyway": body.anyway, "share": body.share}
    desk.access.audit.note(session.staff.name, "release.promote", name, {"serving": known.serving()}, after)


def rolled_back(desk: Desk, session: Session, why: str) -> None:
    """Roll back. Raises ApiError where there is nothing to go back to, and while a release is being promoted."""
    if desk.learning.busy("promote"):
        raise ApiError(409, "a release is being promoted; wait until it serves", "promote_running")
    known = _releases(desk)
    trial = known.trial()
    before = trial.release if trial else known.serving()
    try:
        release = known.rollback(f"{session.staff.name}: {why}".rstrip(": "))
    except BotError as error:
        raise ApiError(409, str(error), "no_way_back") from error
    desk.access.audit.note(
        session.staff.name, "release.rollback", before, {"serving": before}, {"serving": release.name, "why": why}
    )


def _releases(desk: Desk) -> Releases:
    return Releases(desk.settings.data / "releases")


def _watch(desk: Desk, look: Look) -> WatchOut:
    most = limits(desk.settings)
    figures = [
        FigureOut(
            figure=figure,
            language=language,
            before=_share(look.before.get((figure, language), Share())),
            now=_share(look.now.get((figure, language), Share())),
            limit=getattr(most, figure),
        )
        for figure in FIGURES
        for language in LANGUAGES
    ]
    return WatchOut(release=look.what.release, before=look.what.before, since=look.what.since, figures=figures)


def _share(share: Share) -> ShareOut:
    return ShareOut(count=share.count, of=share.of)


def _out(known: Releases, name: str, serving: str, story: list[Chapter]) -> ReleaseOut:
    release: Release | None = None
    damaged = ""
    try:
        release = known.get(name)
    except BotError as error:
        damaged = str(error)
    parts = [part for part in ("encoder", "reranker", "generator") if release and getattr(release, part).adapter]
    passed = (known.judgement(name) or {"passed": None})["passed"]
    chapters = [ChapterOut.model_validate(asdict(one)) for one in story]
    fields = {"name": name, "serving": name == serving, "parts": parts, "passed": passed, "damaged": damaged}
    return ReleaseOut.model_validate(fields | {"trial": 0.0, "story": chapters})
