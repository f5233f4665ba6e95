"""`kefu backup` and `kefu restore`: a data folder in one file, and of that file a data folder. Knows no file in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, hint, say, say_json

Target = Annotated[
    Path | None, typer.Argument(help="The file to write; a folder gets one named by the moment.", show_default=False)
]


def backup(target: Target = None, data: Data = None, as_json: Json = False) -> None:
    """Write the data folder to one file, while the server goes on."""
    from web.backup import back_up
    from web.errors import WebError

    settings = compose.read_settings(data)
    if settings.database_url:
        raise WebError("KEFU_DATABASE_URL names a server: dump it with its own tool, and copy the data folder as well")
    if target is None or target.is_dir():
        target = (target or Path()) / f"kefu-{datetime.now():%Y%m%d-%H%M%S}.tar.gz"
    with bar("backing up") as shown:
        made = back_up(settings.data, target, shown)
    if as_json:
        say_json(made)
    else:
        say(f"{made.path}: {made.files} files, {made.size / 1e6:.1f} MB")
        hint("It holds customers' words and the server's secrets: keep it like the data folder itself.")


def restore(source: Path, data: Data = None, as_json: Json = False) -> None:
    """Make an empty data folder what a backup holds."""
    from web.backup import restore as unpack

    settings = compose.read_settings(data)
    with bar("restoring") as shown:
        found = unpack(source, settings.data, shown)
    if as_json:
        say_json(found)
    else:
        say(f"{settings.data}: {found.files} files of {found.made[:19]} UTC, Kefu {found.kefu}")
        hint("Models and indexes are made at the next start. Erase again who was erased since that moment.")
