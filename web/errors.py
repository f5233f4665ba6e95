"""The one exception of the web package for operators. Knows nothing of requests."""

from bot.types import BotError


class WebError(BotError):
    """A problem of the server that the operator can mend; its message names the remedy."""
