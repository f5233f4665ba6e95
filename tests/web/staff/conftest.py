"""The staff's side over a SQLite file, with passwords hashed quickly."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from web.settings import Settings
from web.staff.access import Access, open_access

QUICK = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's clock is not Greenwich's."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def open_staff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Access]]:
    """Opens the staff's side of the test's data folder, with the given settings."""
    monkeypatch.setattr("web.staff.accounts.PasswordHasher", QUICK)
    (tmp_path / "data").mkdir()
    opened: list[Access] = []

    def make(**given: object) -> Access:
        opened.append(open_access(Settings(**{"data": tmp_path / "data", **given})))
        return opened[-1]

    yield make
    for access in opened:
        access.engine.dispose()


@pytest.fixture
def access(open_staff: Callable[..., Access]) -> Access:
    return open_staff()
