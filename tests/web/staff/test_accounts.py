"""Accounts: who may have which name and password, who is admitted, when an account is locked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Row, select, update

from web.staff import tables
from web.staff.access import Access
from web.staff.accounts import AccountError, Accounts, Staff

PASSWORD = "a long password"


@pytest.fixture
def accounts(access: Access) -> Accounts:
    return access.accounts


@pytest.fixture
def an(accounts: Accounts) -> Staff:
    return accounts.add("An", PASSWORD, "admin")


def row_of(access: Access, staff: Staff) -> Row[Any]:
    """What is stored of a person."""
    with access.engine.connect() as connection:
        return connection.execute(select(tables.staff).where(tables.staff.c.id == staff.id)).one()


def store(access: Access, staff: Staff, **values: object) -> None:
    """Change what is stored of a person."""
    with access.engine.begin() as connection:
        connection.execute(update(tables.staff).where(tables.staff.c.id == staff.id).values(**values))


def wrong(accounts: Accounts, times: int) -> None:
    """Try so many wrong passwords."""
    for _ in range(times):
        assert accounts.admit("An", "a wrong password") is None


def test_a_new_account_is_active_and_found_by_id_and_name(access: Access, accounts: Accounts) -> None:
    before = datetime.now(UTC)
    bo = accounts.add(" Bo ", PASSWORD, "editor", "en")
    assert (bo.name, bo.role, bo.language, bo.active) == ("Bo", "editor", "en", True)
    assert before <= bo.created <= datetime.now(UTC)
    assert len(bo.id) == 32 and accounts.get(bo.id) == bo and accounts.named(" Bo ") == bo
    stored = row_of(access, bo)
    assert (stored.failures, stored.locked_until) == (0, None)
    assert stored.password.startswith("$argon2id$") and PASSWORD not in stored.password
    assert accounts.get("nobody") is None and accounts.named("bo") is None


def test_chinese_is_an_account_s_language_unless_told_otherwise(an: Staff) -> None:
    assert an.language == "zh"


def test_everybody_is_listed_by_name(accounts: Accounts) -> None:
    assert accounts.empty and accounts.all() == []
    for name in ("Bo", "An", "Cy"):
        accounts.add(name, PASSWORD, "agent")
    assert not accounts.empty
    assert [one.name for one in accounts.all()] == ["An", "Bo", "Cy"]


@pytest.mark.parametrize("name", ["", "  ", "n" * 65, "A\nn", "An\x00"])
def test_a_name_must_be_shown_in_a_line(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError) as refused:
        accounts.add(name, PASSWORD, "agent")
    assert refused.value.code == "bad_name" and accounts.empty


@pytest.mark.parametrize("password", ["nine char", "p" * 257, "ANNA-MARIA-", " anna-maria-  "])
def test_a_password_must_be_long_and_not_the_name(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountError) as refused:
        accounts.add("Anna-Maria-", password, "agent")
    assert refused.value.code == "weak_password" and accounts.empty


@pytest.mark.parametrize(("name", "password"), [("n" * 64, "ten chars!"), ("A", "p" * 256)])
def test_the_longest_and_shortest_are_taken(accounts: Accounts, name: str, password: str) -> None:
    added = accounts.add(name, password, "agent")
    assert accounts.admit(name, password) == added


def test_a_name_is_one_person_s_and_the_first_is_first_once(accounts: Accounts) -> None:
    accounts.add("An", PASSWORD, "admin", first=True)
    with pytest.raises(AccountError) as taken:
        accounts.add(" An", PASSWORD, "agent")
    with pytest.raises(AccountError) as done:
        accounts.add("Bo", PASSWORD, "admin", first=True)
    assert (taken.value.code, done.value.code) == ("name_taken", "setup_done")
    assert str(done.value) == "setup done"
    assert [one.name for one in accounts.all()] == ["An"]


def test_a_change_gives_the_account_before_and_after(accounts: Accounts, an: Staff) -> None:
    bo = accounts.add("Bo", PASSWORD, "agent")
    before, after = accounts.change(bo.id, {"role": "editor", "language": "en"})
    assert before == bo and (after.role, after.language) == ("editor", "en")
    assert accounts.get(bo.id) == after and accounts.get(an.id) == an
    assert accounts.change(bo.id, {}) == (after, after)


def test_nobody_cannot_be_changed(accounts: Accounts, an: Staff) -> None:
    with pytest.raises(AccountError, match="^no such staff$"):
        accounts.change("nobody", {"role": "admin"})
    with pytest.raises(AccountError, match="^no such staff$"):
        accounts.change("nobody", {"password": "another long one"})


@pytest.mark.parametrize("change", [{"role": "editor"}, {"active": False}])
def test_the_last_active_admin_stays_one(accounts: Accounts, an: Staff, change: dict[str, Any]) -> None:
    resting = accounts.add("Bo", PASSWORD, "admin")
    accounts.change(resting.id, {"active": False})
    accounts.add("Cy", PASSWORD, "editor")
    with pytest.raises(AccountError) as refused:
        accounts.change(an.id, change)
    assert refused.value.code == "last_admin" and accounts.get(an.id) == an
    accounts.change(resting.id, {"active": True})
    accounts.change(an.id, change)
    assert accounts.get(an.id) != an


def test_a_new_password_replaces_the_old_one_and_unlocks(access: Access, accounts: Accounts, an: Staff) -> None:
    wrong(accounts, 5)
    accounts.change(an.id, {"password": "another long one"})
    assert row_of(access, an).locked_until is None
    assert accounts.admit("An", "another long one") == an
    assert accounts.admit("An", PASSWORD) is None


@pytest.mark.parametrize("password", ["nine char", "p" * 257, "ANNA-MARIA-"])
def test_a_new_password_must_be_long_and_not_the_name_either(accounts: Accounts, an: Staff, password: str) -> None:
    person = accounts.add("Anna-Maria-", PASSWORD, "agent")
    with pytest.raises(AccountError) as refused:
        accounts.change(person.id, {"password": password})
    assert refused.value.code == "weak_password"
    assert accounts.admit("Anna-Maria-", PASSWORD) == person


def test_a_new_password_and_a_new_role_may_come_together(accounts: Accounts, an: Staff) -> None:
    bo = accounts.add("Bo", PASSWORD, "agent")
    _, after = accounts.change(bo.id, {"role": "editor", "password": "another long one"})
    assert after.role == "editor" and accounts.admit("Bo", "another long one") == after


def test_a_new_password_forgets_the_wrong_ones(access: Access, accounts: Accounts, an: Staff) -> None:
    wrong(accounts, 4)
    assert row_of(access, an).failures == 4
    accounts.change(an.id, {"password": "another long one"})
    assert row_of(access, an).failures == 0


@pytest.mark.parametrize(
    ("change", "stays"),
    [({"password": "another long one"}, False), ({"active": False}, False), ({"role": "editor"}, True), ({}, True)],
)
def test_only_a_new_password_or_a_lost_account_ends_its_sessions(
    access: Access, an: Staff, change: dict[str, Any], stays: bool
) -> None:
    bo = access.accounts.add("Bo", PASSWORD, "agent")
    mine, theirs = access.sessions.begin(bo), access.sessions.begin(an)
    access.accounts.change(bo.id, change)
    if not change.get("active", True):
        access.accounts.change(bo.id, {"active": True})
    assert (access.sessions.find(mine.cookie) is not None) is stays
    assert access.sessions.find(theirs.cookie) == theirs


def test_the_right_password_is_admitted_and_no_other(accounts: Accounts, an: Staff) -> None:
    assert accounts.admit(" An ", PASSWORD) == an
    for name, password in (("An", PASSWORD + "x"), ("An", ""), ("an", PASSWORD), ("nobody", PASSWORD), ("", "")):
        assert accounts.admit(name, password) is None


def test_a_disabled_account_is_not_admitted(accounts: Accounts, an: Staff) -> None:
    bo = accounts.add("Bo", PASSWORD, "agent")
    accounts.change(bo.id, {"active": False})
    assert accounts.admit("Bo", PASSWORD) is None


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(access: Access, accounts: Accounts, an: Staff) -> None:
    wrong(accounts, 5)
    for password in (PASSWORD, "a wrong password"):
        with pytest.raises(AccountError) as refused:
            accounts.admit("An", password)
        assert refused.value.code == "locked"
    left = row_of(access, an).locked_until - datetime.now(UTC)
    assert timedelta(minutes=14, seconds=50) < left <= timedelta(minutes=15)
    store(access, an, locked_until=datetime.now(UTC) - timedelta(seconds=1))
    wrong(accounts, 4)  # it is counted anew
    assert accounts.admit("An", PASSWORD) == an
    assert row_of(access, an).locked_until is None


def test_the_right_password_forgets_the_wrong_ones(accounts: Accounts, an: Staff) -> None:
    for _ in range(3):
        wrong(accounts, 4)
        assert accounts.admit("An", PASSWORD) == an


def test_wrong_passwords_of_one_person_lock_nobody_else(accounts: Accounts, an: Staff) -> None:
    bo = accounts.add("Bo", PASSWORD, "agent")
    wrong(accounts, 5)
    assert accounts.admit("Bo", PASSWORD) == bo


def test_a_hash_of_old_strength_is_renewed_when_somebody_signs_in(
    access: Access, accounts: Accounts, an: Staff
) -> None:
    fresh = row_of(access, an).password
    accounts.admit("An", PASSWORD)
    assert row_of(access, an).password == fresh
    store(access, an, password=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD))
    assert accounts.admit("An", PASSWORD) == an
    assert "m=8,t=1,p=1" in row_of(access, an).password
    assert accounts.admit("An", PASSWORD) == an


def test_a_damaged_hash_admits_nobody(access: Access, accounts: Accounts, an: Staff) -> None:
    store(access, an, password="not a hash")
    assert accounts.admit("An", PASSWORD) is None
