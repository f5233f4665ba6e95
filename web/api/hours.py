"""When people are at the desk, and which matters go to them, over HTTP. Knows no conversation and no page."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from bot.handoff import sensitive_words
from web.api.rules import TheDesk, needs
from web.cleaning import clean
from web.desk import Desk
from web.hours import Hours
from web.staff.sessions import Session

router = APIRouter(tags=["inbox"])


class HoursBody(BaseModel):
    """When people are at the desk; null: always."""

    model_config = ConfigDict(extra="forbid")

    hours: Hours | None


class SensitiveBody(BaseModel):
    """Words of matters that go to a person when the bot is unsure; null: those that Kefu brings."""

    model_config = ConfigDict(extra="forbid")

    words: list[Annotated[str, Field(min_length=1, max_length=64)]] | None = Field(max_length=500)


@router.get("/inbox/hours")
def read_hours(desk: TheDesk, session: Annotated[Session, needs("desk.use")]) -> HoursBody:
    """When people are at the desk."""
    return HoursBody(hours=desk.inbox.staffing.hours)


@router.put("/inbox/hours")
def write_hours(body: HoursBody, desk: TheDesk, session: Annotated[Session, needs("staff.manage")]) -> HoursBody:
    """Set when people are at the desk."""
    set_hours(desk, session, body)
    return body


@router.get("/inbox/sensitive")
def read_sensitive(desk: TheDesk, session: Annotated[Session, needs("desk.use")]) -> SensitiveBody:
    """The words of matters that go to a person when the bot is unsure."""
    return SensitiveBody(words=list(desk.inbox.sensitive()))


@router.put("/inbox/sensitive")
def write_sensitive(
    body: SensitiveBody, desk: TheDesk, session: Annotated[Session, needs("staff.manage")]
) -> SensitiveBody:
    """Set the words of matters that go to a person when the bot is unsure."""
    set_sensitive(desk, session, body)
    return SensitiveBody(words=list(desk.inbox.sensitive()))


def set_hours(desk: Desk, session: Session, body: HoursBody) -> None:
    """Set the hours and note it."""
    staffing = desk.inbox.staffing
    before = HoursBody(hours=staffing.hours).model_dump(mode="json")
    staffing.set_hours(body.hours)
    desk.access.audit.note(session.staff.name, "desk.hours", "desk.hours", before, body.model_dump(mode="json"))


def set_sensitive(desk: Desk, session: Session, body: SensitiveBody) -> None:
    """Set the words and note it; Kefu's own list is kept as such, so that it may grow."""
    words = None if body.words is None else list(dict.fromkeys(filter(None, map(clean, body.words))))
    before: dict[str, Any] = {"words": list(desk.inbox.sensitive())}
    desk.inbox.staffing.set_sensitive(None if words == list(sensitive_words()) else words)
    after = {"words": list(desk.inbox.sensitive())}
    desk.access.audit.note(session.staff.name, "desk.sensitive", "desk.sensitive", before, after)
