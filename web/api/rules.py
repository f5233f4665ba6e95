"""Which permission a route needs: a dependency that every route under /api names. Decides nothing else."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from web.desk import Desk, desk_of
from web.gate import session_of
from web.problems import ApiError
from web.staff.roles import Permission
from web.staff.sessions import Session

TheDesk = Annotated[Desk, Depends(desk_of)]
"""The desk of the app, as a dependency."""


def needs(permission: Permission | None) -> Any:
    """The session of somebody who has `permission` (None: anybody of the staff); else 401 or 403."""

    def admitted(request: Request) -> Session:
        session = session_of(request)
        if session is None:
            raise ApiError(401, "sign in first", "unauthorized")
        if permission is not None and not session.may(permission):
            raise ApiError(403, f"the role {session.staff.role!r} does not have {permission!r}", "forbidden")
        return session

    admitted.permission = permission  # type: ignore[attr-defined]  # read by the test of all routes
    return Depends(admitted)
