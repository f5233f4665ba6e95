"""`kefu move`: everything that is stored, from the data folder's SQLite to PostgreSQL. Copies nothing itself."""

from __future__ import annotations

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, hint, say, say_json


def move(data: Data = None, as_json: Json = False) -> None:
    """Copy the data folder's database into the empty one that KEFU_DATABASE_URL names; stop the server first."""
    from knowledge_base.database import open_database
    from web.errors import WebError
    from web.moving import move as copy

    settings = compose.read_settings(data)
    file = settings.data / "kefu.sqlite"
    if not settings.database_url:
        raise WebError("set KEFU_DATABASE_URL to the database to move to: postgresql://user:password@host/kefu")
    if not file.is_file():
        raise WebError(f"there is no {file}: nothing is stored that could be moved")
    source, target = open_database(f"sqlite:///{file}"), open_database(settings.database_url)
    try:
        with bar("moving") as shown:
            moved = copy(source, target, shown)
    finally:
        source.dispose()
        target.dispose()
    if as_json:
        return say_json(moved)
    say(f"{sum(moved.values())} rows of {sum(map(bool, moved.values()))} tables")
    hint(f"Start the server with the same KEFU_DATABASE_URL. {file} is as it was; delete it when all is well.")
