"""Who has a conversation, the bot or people, as a customer may know it. Knows no database and no frame."""

from typing import Literal

from pydantic import BaseModel

from web.wording import Text


class DeskState(BaseModel):
    """Who has the conversation; `open`: a person may be asked for, else `hours` says when; `read`: by staff."""

    state: Literal["bot", "waiting", "staff", "closed"] = "bot"
    open: bool = False
    position: int | None = None  # in the queue, from 1
    minutes: int | None = None  # expected; None: not known
    name: str | None = None
    text: Text | None = None
    read: str | None = None
    hours: Text | None = None
