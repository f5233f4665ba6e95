"""Staff accounts and the audit log over HTTP. Knows no page."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from knowledge_base.types import Language
from web.api.rules import TheDesk, needs
from web.api.session import Name, Password
from web.desk import Desk
from web.problems import ApiError
from web.staff.accounts import AccountError, Staff
from web.staff.roles import Role
from web.staff.sessions import Session

router = APIRouter(tags=["staff"])
StaffId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class StaffOut(BaseModel):
    """An account."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    role: Role
    language: Language
    active: bool
    created: datetime


class StaffIn(BaseModel):
    """A new account."""

    name: Name
    password: Password
    role: Role
    language: Language = "zh"


class StaffChange(BaseModel):
    """What of an account is to change."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    language: Language | None = None
    active: bool | None = None
    password: Password | None = None


class ChangeOut(BaseModel):
    """One entry of the audit log."""

    id: int
    at: datetime
    staff_name: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(BaseModel):
    """Entries of the audit log, newest first."""

    total: int
    items: list[ChangeOut]


@router.get("/staff")
def list_staff(desk: TheDesk, session: Annotated[Session, needs("staff.manage")]) -> list[StaffOut]:
    """Everybody who has an account."""
    return [StaffOut.model_validate(staff) for staff in desk.access.accounts.all()]


@router.post("/staff", status_code=201)
def add_staff(body: StaffIn, desk: TheDesk, session: Annotated[Session, needs("staff.manage")]) -> StaffOut:
    """Make an account."""
    return StaffOut.model_validate(added_staff(desk, session, body))


@router.patch("/staff/{staff_id}")
def change_staff(
    staff_id: StaffId, body: StaffChange, desk: TheDesk, session: Annotated[Session, needs("staff.manage")]
) -> StaffOut:
    """Change an account; a new password or a disabled account ends its sessions."""
    return StaffOut.model_validate(changed_staff(desk, session, staff_id, body))


@router.get("/audit")
def audit(
    desk: TheDesk,
    session: Annotated[Session, needs("staff.manage")],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    subject: Annotated[str, Query(max_length=512)] = "",
) -> AuditPage:
    """Who changed what, newest first."""
    changes, total = desk.access.audit.page(limit, offset, subject)
    return AuditPage(total=total, items=[ChangeOut.model_validate(asdict(change)) for change in changes])


def added_staff(desk: Desk, session: Session, body: StaffIn) -> Staff:
    """Make an account and note it. Raises ApiError."""
    try:
        staff = desk.access.accounts.add(body.name, body.password, body.role, body.language)
    except AccountError as problem:
        raise _refused(problem) from problem
    desk.access.audit.note(session.staff.name, "staff.add", staff.id, after=_noted(staff))
    return staff


def changed_staff(desk: Desk, session: Session, staff_id: str, body: StaffChange) -> Staff:
    """Change an account and note it. Raises ApiError."""
    changes = body.model_dump(exclude_none=True)
    try:
        before, after = desk.access.accounts.change(staff_id, changes)
    except AccountError as problem:
        raise _refused(problem) from problem
    new_password = {"password": "changed"} if body.password else {}
    desk.access.audit.note(session.staff.name, "staff.change", staff_id, _noted(before), _noted(after) | new_password)
    return after


def _noted(staff: Staff) -> dict[str, Any]:
    return {"name": staff.name, "role": staff.role, "language": staff.language, "active": staff.active}


def _refused(problem: AccountError) -> ApiError:
    return ApiError(404 if problem.code == "no_such_staff" else 409, str(problem), problem.code)
