"""Where the conversation log is read from. Knows no table."""

from sqlalchemy import Engine

from web.desk import Desk


def log_of(desk: Desk) -> Engine:
    """The database with the conversation log. Raises Closed until the bot has brought its tables up to date."""
    assert desk.bot
    return desk.access.engine
