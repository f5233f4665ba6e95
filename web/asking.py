"""Admits a question: cleans it, checks the limits, begins its reply. Knows nothing of sockets."""

from bot.handoff import People
from web.channel import Channel, Question, Reply
from web.cleaning import clean
from web.desk import Desk
from web.frames import Ask, ErrorFrame, error
from web.hub import Answering, Overloaded

_AGAIN = 1.0  # seconds until a running reply may have ended


def ask(desk: Desk, channel: Channel, frame: Ask, address: str, people: People | None = None) -> Reply | ErrorFrame:
    """Begin the reply to `frame`, or give the one it got before under the same id, or say what is wrong.

    people: who may take the conversation over. Raises Closed while there is no bot.
    """
    text = checked(desk, frame.text, frame.id)
    if isinstance(text, ErrorFrame):
        return text
    before = channel.asked(frame.id)
    if before is not None:
        return before
    limited = rate(desk, channel.conversation_id, address, frame.id)
    if limited is not None:
        return limited
    try:
        return desk.hub.ask(desk.bot_for(channel.conversation_id), channel, Question(text, frame.id, people=people))
    except Answering:
        return error("busy", say="answering", retry_after=_AGAIN, reply_to=frame.id)
    except Overloaded as overloaded:
        return error("busy", retry_after=overloaded.retry_after, reply_to=frame.id)


def checked(desk: Desk, text: str, reply_to: str | None = None) -> str | ErrorFrame:
    """The text as it may be asked, or what is wrong with it."""
    cleaned = clean(text)
    if not cleaned:
        return error("empty", reply_to=reply_to)
    most = desk.settings.max_message
    if len(cleaned) > most:
        return error("too_long", limit=most, reply_to=reply_to)
    return cleaned


def rate(desk: Desk, conversation_id: str, address: str, reply_to: str | None = None) -> ErrorFrame | None:
    """Count one message; the error if it is one too many."""
    wait = desk.limits.message(conversation_id, address)
    if wait is None:
        return None
    desk.metrics.limited.labels("message").inc()
    return error("rate_limited", retry_after=wait, reply_to=reply_to)
