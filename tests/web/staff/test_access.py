"""What the staff's side shares: the setup link's secret, and the secrets that machines share."""

import stat
from collections.abc import Callable

from sqlalchemy import inspect

from web.staff.access import Access

PASSWORD = "a long password"
Open = Callable[..., Access]


def test_the_setup_secret_is_kept_until_there_is_an_account_and_then_deleted(access: Access) -> None:
    token = access.setup_token()
    assert token is not None and access.setup_token() == token
    assert access.setup_file.read_text().strip() == token
    assert stat.S_IMODE(access.setup_file.stat().st_mode) == 0o600
    access.accounts.add("An", PASSWORD, "admin")
    assert access.setup_token() is None and not access.setup_file.exists()
    assert access.setup_token() is None


def test_opening_again_finds_the_accounts_and_the_sessions(open_staff: Open) -> None:
    first = open_staff()
    session = first.sessions.begin(first.accounts.add("An", PASSWORD, "admin"))
    first.kept.put("hours", {"open": 9})
    first.audit.note("An", "staff.add", "1")
    again = open_staff()
    assert again.accounts.named("An") == session.staff
    assert again.sessions.find(session.cookie) == session
    assert again.kept.get("hours") == {"open": 9} and again.audit.page()[1] == 1
    assert inspect(again.engine).has_table("web_version")


def test_machines_that_share_a_secret_share_setup_link_and_sessions_without_a_file(open_staff: Open) -> None:
    one, two, other = open_staff(secret="s" * 32), open_staff(secret="s" * 32), open_staff(secret="t" * 32)
    assert one.setup_token() == two.setup_token() != other.setup_token()
    assert not one.setup_file.exists()
    session = one.sessions.begin(one.accounts.add("An", PASSWORD, "admin"))
    assert two.sessions.find(session.cookie) == session
    assert other.sessions.find(session.cookie) is None


def test_the_shared_secret_is_not_shown_with_it(open_staff: Open) -> None:
    assert "s" * 32 not in repr(open_staff(secret="s" * 32))


def test_the_file_of_each_secret_is_named_for_it(access: Access) -> None:
    access.setup_token()
    assert sorted(path.name for path in access.setup_file.parent.glob("*.secret")) == ["setup.secret", "staff.secret"]
