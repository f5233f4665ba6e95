"""Visitor tokens, the API key, origins, and the files that keep their secrets."""

import base64
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.auth import ApiKey, Origins, Tokens, Visitor, api_key, visitor_tokens
from web.errors import WebError
from web.secrets_file import kept_secret, secret_of
from web.settings import Settings


def test_a_token_speaks_for_its_conversation_only() -> None:
    tokens = Tokens("s" * 32, 60)
    visitor = Visitor("conversation", "epoch")
    token = tokens.issue(visitor)
    assert tokens.read(token) == visitor
    assert Tokens("t" * 32, 60).read(token) is None
    signature = token.rindex(".") + 1  # its last character holds two bits that mean nothing, its first none
    assert tokens.read(token[:signature] + ("A" if token[signature] != "A" else "B") + token[signature + 1 :]) is None


def test_a_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens("s" * 32, 60)
    token = tokens.issue(Visitor("conversation"))
    now = __import__("time").time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 59)
    assert tokens.read(token) is not None
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 62)
    assert tokens.read(token) is None


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    assert Tokens("s" * 32, 60).read(text) is None


def test_the_api_key_admits_itself_only() -> None:
    key = ApiKey("right")
    assert key.admits("Bearer right") and key.admits("bearer right") and key.admits("Bearer  right ")
    wrong_ones = (None, "", "right", "Basic right", "Bearer", "Bearer wrong", "Bearer right2", "Bearer ключ")
    for wrong in (*wrong_ones, "Bearer \udcff"):
        assert not key.admits(wrong)


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        (None, "shop.example", True),
        ("https://shop.example", "shop.example", True),
        ("https://SHOP.example", "shop.Example:443", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://localhost:3000", "localhost:8000", False),
        ("https://evil.example", "shop.example", False),
        ("https://shop.example.evil.example", "shop.example", False),
        ("https://partner.example", "shop.example", True),
        ("http://partner.example", "shop.example", False),
        ("null", "shop.example", False),
        ("", "shop.example", False),
        ("https://shop.example", None, False),
        ("https://shop.example:x", "shop.example", False),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("HTTPS://Partner.Example", "shop.example", True),
        ("http://shop.example", "shop.example:0", False),
        ("ftp://shop.example", "shop.example", False),
    ],
)
def test_origins(origin: str | None, host: str | None, admitted: bool) -> None:
    assert Origins(("https://partner.example",)).admit(origin, host) is admitted


def test_any_origin_and_a_malformed_one() -> None:
    assert Origins(("*",)).admit("https://anybody.example", "shop.example")
    with pytest.raises(ValueError, match="shop.example.*https://"):
        Origins(("shop.example",))


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "very" / "deep" / "api.key"
    first = kept_secret(path, "kefu-")
    assert first.startswith("kefu-") and len(first) > 40
    assert kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["api.key"]


def test_a_secret_is_256_bits_and_a_line_of_its_file(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "visitor.secret")
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert (tmp_path / "visitor.secret").read_text() == secret + "\n"


def test_a_secret_is_private_from_its_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made private only afterwards, somebody could have read it meanwhile."""

    def too_late(path: Path, mode: int) -> None:
        raise AssertionError(f"{path.name} was changed to {mode:o}")

    monkeypatch.setattr(Path, "chmod", too_late)
    before = os.umask(0)
    try:
        kept_secret(tmp_path / "api.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "api.key").stat().st_mode) == 0o600


def test_machines_that_share_a_secret_have_the_same_ones_and_keep_no_file(tmp_path: Path) -> None:
    visitors, staff = tmp_path / "one" / "visitor.secret", tmp_path / "two" / "staff.secret"
    secret = secret_of(visitors, "s" * 32)
    assert secret == secret_of(tmp_path / "elsewhere" / visitors.name, "s" * 32)
    assert len({secret, secret_of(visitors, "t" * 32), secret_of(staff, "s" * 32)}) == 3
    assert len(secret) == 64 and not list(tmp_path.iterdir())
    assert secret_of(visitors, "") == kept_secret(visitors)


def test_processes_that_start_together_get_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(kept_secret, [tmp_path / "visitor.secret"] * 32))
    assert len(made) == 1


def test_a_readable_secret_is_made_private_again(tmp_path: Path) -> None:
    path = tmp_path / "api.key"
    kept_secret(path)
    path.chmod(0o644)
    kept_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"s" * 31 + b"\n", b"\xff" * 40, "ключ".encode() * 10])
def test_a_damaged_secret_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "api.key"
    path.write_bytes(content)
    with pytest.raises(WebError, match="api.key is damaged; delete it"):
        kept_secret(path)


def test_a_secret_of_32_characters_is_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "api.key"
    path.write_text("s" * 32 + "\n")
    assert kept_secret(path) == "s" * 32


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    path = tmp_path / "data" / "api.key"
    with pytest.raises(WebError) as refused:
        kept_secret(path)
    remedy = "free some disk space, or set KEFU_DATA to a folder that this account may write to"
    assert str(refused.value) == f"cannot keep a secret in {path}: File exists; {remedy}"


def test_the_given_key_wins_over_the_kept_one(settings: Callable[..., Settings]) -> None:
    assert api_key(settings(api_key="given")).admits("Bearer given")
    made = settings(api_key="")
    key = api_key(made)
    assert (made.data / "api.key").read_text().startswith("kefu-")
    assert key.admits(f"Bearer {(made.data / 'api.key').read_text().strip()}")


def test_the_signing_secret_outlives_a_restart(settings: Callable[..., Settings]) -> None:
    token = visitor_tokens(settings()).issue(Visitor("c"))
    assert visitor_tokens(settings()).read(token) == Visitor("c")
    assert (settings().data / "visitor.secret").is_file()


def test_tokens_live_as_long_as_the_settings_say_and_hold_on_every_machine_of_a_secret(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    one, two = (visitor_tokens(settings(data=tmp_path / name, secret="s" * 32, token_hours=1.5)) for name in "ab")
    assert one.lifetime == 90 * 60
    assert two.read(one.issue(Visitor("c", "e"))) == Visitor("c", "e")
    assert visitor_tokens(settings(data=tmp_path / "c", secret="t" * 32)).read(one.issue(Visitor("c"))) is None
