"""Who is signed in: sessions of the browser and keys of programs. Knows nothing of requests or pages.

Only a hash of what the cookie or key holds is stored, so a stolen database lets nobody in. Every check reads
the database: a changed role, a disabled account or a sign-out holds from the next act on.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Engine, delete, insert, select, update

from knowledge_base.database import writing
from web.staff import tables
from web.staff.accounts import Staff, staff_of
from web.staff.roles import Permission, may

_IDLE = timedelta(hours=12)
_LONGEST = timedelta(days=7)
_NOTED = timedelta(minutes=1)  # "last seen" is no more exact than this
_SESSION = tables.session.c


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in. `csrf` empty: by a key, which no other site can make a browser send."""

    staff: Staff
    cookie: str
    csrf: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the person's role allows it."""
        return may(self.staff.role, permission)


class Sessions:
    """Begins, finds and ends sessions. A connection per call, so any thread may call."""

    def __init__(self, engine: Engine, secret: str) -> None:
        self._engine = engine
        self._serializer = URLSafeSerializer(secret, salt="kefu-staff")

    def begin(self, staff: Staff) -> Session:
        """A new session, under a name that did not exist before the person signed in."""
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), datetime.now(UTC)
        with writing(self._engine) as connection:
            connection.execute(delete(tables.session).where(~_SESSION.seen.between(now - _IDLE, now + _IDLE)))
            connection.execute(
                insert(tables.session).values(id=_hash(token), staff_id=staff.id, csrf=csrf, created=now, seen=now)
            )
        return Session(staff, str(self._serializer.dumps(token)), csrf)

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is forged, ended, too old, or the account is disabled."""
        token = self._token(cookie)
        if token is None:
            return None
        now = datetime.now(UTC)
        joined = tables.session.join(tables.staff, tables.staff.c.id == _SESSION.staff_id)
        columns = (tables.staff, _SESSION.csrf, _SESSION.seen, _SESSION.created.label("begun"))
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).select_from(joined).where(_SESSION.id == _hash(token))).first()
        if row is None or not row.active or abs(now - row.seen) > _IDLE or abs(now - row.begun) > _LONGEST:
            return None  # what lies in the future is from before the clock went back, and does not last for ever
        if abs(now - row.seen) > _NOTED:
            with writing(self._engine) as connection:
                connection.execute(update(tables.session).where(_SESSION.id == _hash(token)).values(seen=now))
        return Session(staff_of(row), cookie, row.csrf)

    def end(self, cookie: str) -> None:
        """Sign out."""
        token = self._token(cookie)
        if token is not None:
            with writing(self._engine) as connection:
                connection.execute(delete(tables.session).where(_SESSION.id == _hash(token)))

    def new_key(self, staff: Staff, label: str) -> str:
        """A key with which a program acts as this person; it is shown once and cannot be read again."""
        key = f"kefu-staff-{secrets.token_urlsafe(32)}"
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.key).values(id=_hash(key), staff_id=staff.id, label=label[:64], created=datetime.now(UTC))
            )
        return key

    def find_key(self, key: str) -> Session | None:
        """The session of a program's key; None when there is none or the account is disabled."""
        joined = tables.key.join(tables.staff, tables.staff.c.id == tables.key.c.staff_id)
        statement = select(tables.staff).select_from(joined).where(tables.key.c.id == _hash(key))
        with self._engine.connect() as connection:
            row = connection.execute(statement).first()
        return Session(staff_of(row), "") if row and row.active else None

    def _token(self, cookie: str) -> str | None:
        try:
            token = self._serializer.loads(cookie)
        except (BadSignature, UnicodeError):
            return None
        return token if isinstance(token, str) else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
