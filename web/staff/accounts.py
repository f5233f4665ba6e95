"""Staff accounts and their passwords (argon2). Knows nothing of cookies, requests or pages.

A wrong name and a wrong password take the same time and give the same answer. After five wrong passwords an
account is locked for a quarter of an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import BoundedSemaphore
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from knowledge_base.database import writing
from knowledge_base.types import Language
from web.staff import tables
from web.staff.roles import Role

_PATIENCE = 5  # wrong passwords
_LOCKED = timedelta(minutes=15)
_AT_ONCE = 2  # passwords compared, each of which takes 64 MB meanwhile
_SHORTEST, _LONGEST = 10, 256  # characters of a password
_LONGEST_NAME = 64
_STAFF = tables.staff.c


class AccountError(Exception):
    """What was asked for cannot be done; `code` names a sentence of the console's wording."""

    def __init__(self, code: str) -> None:
        super().__init__(code.replace("_", " "))
        self.code = code


@dataclass(frozen=True, slots=True)
class Staff:
    """One person of the staff."""

    id: str
    name: str
    role: Role
    language: Language
    active: bool
    created: datetime


class Accounts:
    """Adds, changes and admits staff. A connection per call, so any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hasher = PasswordHasher()
        self._places = BoundedSemaphore(_AT_ONCE)

    def all(self) -> list[Staff]:
        """Everybody, by name."""
        with self._engine.connect() as connection:
            return [staff_of(row) for row in connection.execute(select(tables.staff).order_by(_STAFF.name))]

    def get(self, staff_id: str) -> Staff | None:
        """The person with this id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.staff).where(_STAFF.id == staff_id)).first()
        return staff_of(row) if row else None

    def named(self, name: str) -> Staff | None:
        """The person of this name."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.staff).where(_STAFF.name == name.strip())).first()
        return staff_of(row) if row else None

    @property
    def empty(self) -> bool:
        """Whether nobody has an account yet."""
        with self._engine.connect() as connection:
            return connection.execute(select(_STAFF.id).limit(1)).first() is None

    def add(self, name: str, password: str, role: Role, language: Language = "zh", *, first: bool = False) -> Staff:
        """A new account. first: only if there is none yet. Raises AccountError."""
        name = name.strip()
        _check(name, password)
        values = {"id": uuid4().hex, "name": name, "role": role, "language": language, "active": True, "failures": 0}
        hashed = self._hasher.hash(password)
        with writing(self._engine) as connection:
            if first and connection.execute(select(_STAFF.id).limit(1)).first():
                raise AccountError("setup_done")
            if connection.execute(select(_STAFF.id).where(_STAFF.name == name)).first():
                raise AccountError("name_taken")
            connection.execute(insert(tables.staff).values(**values, password=hashed, created=datetime.now(UTC)))
            row = connection.execute(select(tables.staff).where(_STAFF.id == values["id"])).one()
        return staff_of(row)

    def change(self, staff_id: str, changes: Mapping[str, Any]) -> tuple[Staff, Staff]:
        """Set role, language, active or password; returns the account before and after. Raises AccountError.

        A new password or a lost account ends the sessions. The last active admin stays one.
        """
        values = dict(changes)
        if (password := values.pop("password", None)) is not None:
            person = self.get(staff_id)
            _check(person.name if person else "-", password)
            values |= {"password": self._hasher.hash(password), "failures": 0, "locked_until": None}
        with writing(self._engine) as connection:
            before = _found(connection, staff_id)
            if values:
                connection.execute(update(tables.staff).where(_STAFF.id == staff_id).values(**values))
            after = _found(connection, staff_id)
            admins = select(func.count()).where(_STAFF.role == "admin", _STAFF.active)
            if not connection.execute(admins).scalar_one():
                raise AccountError("last_admin")
            if password is not None or not after.active:
                connection.execute(delete(tables.session).where(tables.session.c.staff_id == staff_id))
        return before, after

    def admit(self, name: str, password: str) -> Staff | None:
        """The person whose name and password these are; None for wrong ones. Raises AccountError when locked."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.staff).where(_STAFF.name == name.strip())).first()
        right = self._is_right(row.password if row else _nobody(), password[:_LONGEST])
        if row is None:
            return None
        if row.locked_until and row.locked_until > datetime.now(UTC):
            self._shorten(row.id, row.locked_until)
            raise AccountError("locked")
        if not right:
            self._note_failure(row.id)
            return None
        if not row.active:
            return None
        values: dict[str, Any] = {"failures": 0, "locked_until": None}
        if self._hasher.check_needs_rehash(row.password):
            values["password"] = self._hasher.hash(password)
        with writing(self._engine) as connection:
            connection.execute(update(tables.staff).where(_STAFF.id == row.id).values(**values))
        return staff_of(row)

    def _is_right(self, hashed: str, password: str) -> bool:
        with self._places:
            try:
                return self._hasher.verify(hashed, password)
            except (VerificationError, InvalidHashError):
                return False

    def _shorten(self, staff_id: str, until: datetime) -> None:
        """No lock lasts longer than it was meant to, though the clock has gone back since."""
        longest = datetime.now(UTC) + _LOCKED
        if until > longest:
            with writing(self._engine) as connection:
                connection.execute(update(tables.staff).where(_STAFF.id == staff_id).values(locked_until=longest))

    def _note_failure(self, staff_id: str) -> None:
        mine = _STAFF.id == staff_id
        with writing(self._engine) as connection:
            failures = connection.execute(select(_STAFF.failures).where(mine)).scalar_one() + 1
            until = datetime.now(UTC) + _LOCKED if failures >= _PATIENCE else None
            kept = 0 if until else failures
            connection.execute(update(tables.staff).where(mine).values(failures=kept, locked_until=until))


@cache
def _nobody() -> str:
    """The hash of a password that nobody has, so that a wrong name takes as long as a wrong password."""
    return PasswordHasher().hash(uuid4().hex)


def _check(name: str, password: str) -> None:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise AccountError("bad_name")
    if not _SHORTEST <= len(password) <= _LONGEST or password.strip().lower() == name.lower():
        raise AccountError("weak_password")


def _found(connection: Connection, staff_id: str) -> Staff:
    row = connection.execute(select(tables.staff).where(_STAFF.id == staff_id)).first()
    if row is None:
        raise AccountError("no_such_staff")
    return staff_of(row)


def staff_of(row: Row[Any]) -> Staff:
    """The person of a row that holds the columns of the staff table."""
    return Staff(row.id, row.name, row.role, row.language, row.active, row.created)
