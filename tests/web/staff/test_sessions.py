"""Sessions and keys: what opens one, how long it lasts, and what is stored of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import Row, select, update

from web.secrets_file import kept_secret
from web.staff import tables
from web.staff.access import Access
from web.staff.accounts import Staff
from web.staff.sessions import Session, Sessions

PASSWORD = "a long password"


@pytest.fixture
def sessions(access: Access) -> Sessions:
    return access.sessions


@pytest.fixture
def an(access: Access) -> Staff:
    return access.accounts.add("An", PASSWORD, "editor")


def rows(access: Access) -> list[Row[Any]]:
    """What is stored of all sessions."""
    with access.engine.connect() as connection:
        return list(connection.execute(select(tables.session)))


def age(access: Access, **ago: timedelta) -> None:
    """Let all sessions have begun or been seen so long ago."""
    with access.engine.begin() as connection:
        connection.execute(update(tables.session).values({name: datetime.now(UTC) - by for name, by in ago.items()}))


def test_a_session_is_found_by_its_cookie_until_it_ends(sessions: Sessions, an: Staff) -> None:
    session, other = sessions.begin(an), sessions.begin(an)
    assert session.staff == an and session.cookie != other.cookie and session.csrf != other.csrf
    assert sessions.find(session.cookie) == session
    sessions.end(session.cookie)
    assert sessions.find(session.cookie) is None
    assert sessions.find(other.cookie) == other


def test_a_session_may_what_its_person_s_role_may(an: Staff) -> None:
    assert Session(an, "").may("knowledge.write") and not Session(an, "").may("staff.manage")


def test_neither_cookie_nor_key_can_be_made_from_what_is_stored(access: Access, an: Staff) -> None:
    session, key = access.sessions.begin(an), access.sessions.new_key(an, "sync")
    token = URLSafeSerializer(kept_secret(access.setup_file.with_name("staff.secret")), salt="kefu-staff").loads(
        session.cookie
    )
    assert len(token) == 43 and len(session.csrf) == 32 and len(key) == len("kefu-staff-") + 43
    with access.engine.connect() as connection:
        stored = [*connection.execute(select(tables.session)), *connection.execute(select(tables.key))]
    assert not any(secret in str(row) for row in stored for secret in (token, key))
    assert all(len(row.id) == 64 for row in stored)


@pytest.mark.parametrize("claim", [["An"], {"id": "An"}, 1, None, "another"])
def test_what_is_signed_but_names_no_session_opens_nothing(access: Access, an: Staff, claim: object) -> None:
    secret = kept_secret(access.setup_file.with_name("staff.secret"))
    cookie = URLSafeSerializer(secret, salt="kefu-staff").dumps(claim)
    session = access.sessions.begin(an)
    access.sessions.end(cookie)
    assert access.sessions.find(cookie) is None and access.sessions.find(session.cookie) == session


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "\udcff", "ключ"])
def test_what_is_not_signed_opens_and_ends_nothing(access: Access, an: Staff, cookie: str) -> None:
    session = access.sessions.begin(an)
    access.sessions.end(cookie)
    assert access.sessions.find(cookie) is None and access.sessions.find(session.cookie) == session


def test_a_cookie_of_another_secret_or_use_opens_nothing(access: Access, an: Staff) -> None:
    cookie = access.sessions.begin(an).cookie
    secret = kept_secret(access.setup_file.with_name("staff.secret"))
    token = URLSafeSerializer(secret, salt="kefu-staff").loads(cookie)
    assert Sessions(access.engine, "t" * 43).find(cookie) is None
    assert access.sessions.find(str(URLSafeSerializer(secret, salt="kefu-visitor").dumps(token))) is None


@pytest.mark.parametrize(
    ("idle", "old", "open"),
    [
        (timedelta(hours=11, minutes=59), timedelta(0), True),
        (timedelta(hours=12, minutes=1), timedelta(0), False),
        (timedelta(0), timedelta(days=6, hours=23), True),
        (timedelta(0), timedelta(days=7, minutes=1), False),
    ],
)
def test_a_session_ends_after_half_a_day_unused_and_after_a_week(
    access: Access, an: Staff, idle: timedelta, old: timedelta, open: bool
) -> None:
    session = access.sessions.begin(an)
    age(access, seen=idle, created=old)
    assert (access.sessions.find(session.cookie) is not None) is open


def test_use_prolongs_a_session_and_is_noted_once_a_minute(access: Access, an: Staff) -> None:
    session = access.sessions.begin(an)
    age(access, seen=timedelta(seconds=50))
    (before,) = rows(access)
    access.sessions.find(session.cookie)
    assert rows(access) == [before]
    age(access, seen=timedelta(hours=11))
    other = access.sessions.begin(an)
    age(access, seen=timedelta(hours=11))
    access.sessions.find(session.cookie)
    seen = {row.id: datetime.now(UTC) - row.seen for row in rows(access)}
    assert seen.pop(before.id) < timedelta(minutes=1)
    assert min(seen.values()) > timedelta(hours=10) and access.sessions.find(other.cookie) == other


def test_who_signs_in_clears_away_what_nobody_used(access: Access, an: Staff) -> None:
    access.sessions.begin(an)
    age(access, seen=timedelta(hours=11))
    access.sessions.begin(an)
    assert len(rows(access)) == 2
    age(access, seen=timedelta(hours=13))
    session = access.sessions.begin(an)
    assert len(rows(access)) == 1 and access.sessions.find(session.cookie) == session


def test_a_disabled_account_has_no_session_though_one_is_stored(access: Access, an: Staff) -> None:
    session, key = access.sessions.begin(an), access.sessions.new_key(an, "sync")
    with access.engine.begin() as connection:
        connection.execute(update(tables.staff).values(active=False))
    assert access.sessions.find(session.cookie) is None and access.sessions.find_key(key) is None


def test_a_key_speaks_for_its_person_and_needs_no_csrf_token(access: Access, an: Staff) -> None:
    bo = access.accounts.add("Bo", PASSWORD, "agent")
    key, other = access.sessions.new_key(an, "sync"), access.sessions.new_key(bo, "l" * 80)
    assert key.startswith("kefu-staff-") and key != other
    assert access.sessions.find_key(key) == Session(an, "", "")
    assert access.sessions.find_key(other) == Session(bo, "", "")
    for wrong in ("", "kefu-staff-", key[:-1], key + "x", "\udcff"):
        assert access.sessions.find_key(wrong) is None
    with access.engine.connect() as connection:
        labels = {row.label for row in connection.execute(select(tables.key))}
    assert labels == {"sync", "l" * 64}


def test_when_a_session_and_a_key_were_made_is_stored(access: Access, an: Staff) -> None:
    before = datetime.now(UTC)
    access.sessions.begin(an)
    access.sessions.new_key(an, "sync")
    with access.engine.connect() as connection:
        key = connection.execute(select(tables.key)).one()
    (session,) = rows(access)
    assert all(before <= moment <= datetime.now(UTC) for moment in (session.created, session.seen, key.created))
    assert session.staff_id == key.staff_id == an.id
