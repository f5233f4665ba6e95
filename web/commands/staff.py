"""`kefu staff …`: accounts of the console. Knows nothing of sessions or pages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import say, say_json

if TYPE_CHECKING:
    from web.staff.access import Access

T = TypeVar("T")
staff = typer.Typer(help="Accounts of the staff console.", no_args_is_help=True)
Role = Annotated[str, typer.Option(help="admin, editor, agent or trainer.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")]


@staff.command()
def add(name: str, role: Role = "editor", password_stdin: FromStdin = False, data: Data = None) -> None:
    """Make an account; asks for its password."""
    from web.staff.roles import ROLES

    if role not in ROLES:
        raise typer.BadParameter(f"{role!r} must be one of {', '.join(ROLES)}", param_hint="--role")
    password = _password(password_stdin)
    access = _open(data)
    added = _done(lambda: access.accounts.add(name, password, role))
    access.audit.note("kefu staff", "staff.add", added.id, after={"name": added.name, "role": added.role})
    say(f"added {added.name} ({added.role})")


@staff.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """Everybody who has an account."""
    for person in _open(data).accounts.all():
        if as_json:
            say_json(person)
        else:
            say(f"{person.name}  {person.role}{'' if person.active else '  disabled'}")


@staff.command()
def password(name: str, password_stdin: FromStdin = False, data: Data = None) -> None:
    """Set a new password, unlock the account and end its sessions."""
    access = _open(data)
    person = access.accounts.named(name)
    if person is None:
        raise typer.BadParameter(f"there is no account of the name {name!r}; see `kefu staff list`")
    new = _password(password_stdin)
    _done(lambda: access.accounts.change(person.id, {"password": new}))
    access.audit.note("kefu staff", "staff.change", person.id, after={"password": "changed"})
    say(f"changed the password of {person.name}")


@staff.command()
def key(name: str, label: str = "key", data: Data = None) -> None:
    """Print a key with which a program acts as this person under /api; it is shown once."""
    access = _open(data)
    person = access.accounts.named(name)
    if person is None:
        raise typer.BadParameter(f"there is no account of the name {name!r}; see `kefu staff list`")
    made = access.sessions.new_key(person, label)
    access.audit.note("kefu staff", "key.add", person.id, after={"label": label})
    say(made)


def _open(data: Path | None) -> Access:
    from web.staff.access import open_access

    return open_access(compose.read_settings(data))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return entered


def _done(act: Callable[[], T]) -> T:
    from web.staff.accounts import AccountError

    try:
        return act()
    except AccountError as problem:
        raise typer.BadParameter(str(problem)) from problem
