"""Turns what an operator can mend into one red line and exit code 1. Knows no verb.

KEFU_DEBUG=1 lets the traceback through. Errors of our own making always show theirs.
"""

import errno
import os
from typing import Any

import typer
from typer.core import TyperGroup

_ROOM = "free some disk space, or set KEFU_DATA to a folder on another disk"
_DISK = {errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM, errno.EROFS: "set KEFU_DATA to a folder that can be written"}
_SECRET = ("key", "secret", "password", "url")


class Mendable(TyperGroup):
    """A group of verbs whose mendable errors end as one line on stderr."""

    def get_help_option(self, ctx: Any) -> Any:
        """The help option with a plain "no": Typer would load pydantic to make one of None, a tenth of a second."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; Ctrl-C and wrong usage are left to Typer (exit codes 130 and 2)."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            line = mendable(error)
            if line is None or os.environ.get("KEFU_DEBUG"):
                raise
            from web.commands.terminal import hint

            hint(f"kefu: {line}", style="red")
            raise typer.Exit(1) from error


def mendable(error: Exception) -> str | None:
    """What to tell the operator about `error`, in one line; None when it is not theirs to mend."""
    from bot.types import BotError
    from knowledge_base.types import KnowledgeBaseError

    if isinstance(error, OSError) and error.errno in _DISK:
        place = f": {error.filename}" if error.filename is not None else ""
        return f"{error.strerror}{place}; {_DISK[error.errno]}"
    if isinstance(error, OSError) and error.errno != errno.EPIPE and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    if not isinstance(error, KnowledgeBaseError | BotError | ValueError):
        return None
    return " ".join((_settings(error) or str(error) or repr(error)).split())


def _settings(error: Exception) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return ""
    return "; ".join(_setting(wrong["loc"], wrong["input"], wrong["msg"]) for wrong in error.errors())


def _setting(where: tuple[int | str, ...], value: object, message: str) -> str:
    name = str(where[0]) if where else "settings"
    shown = "" if any(word in name for word in _SECRET) else f"={value!r}"
    return f"KEFU_{name.upper()}{shown}: {message}"
