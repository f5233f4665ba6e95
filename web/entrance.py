"""Lets a visitor into a conversation: a new one, or that of a token. Knows nothing of sockets."""

from dataclasses import dataclass

from bot.types import Conversation
from web.auth import Visitor
from web.channel import Channel
from web.desk import Desk
from web.frames import ErrorFrame, SessionFrame, error, past

_REMEMBERED = 200  # messages of the history that are shown


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a visitor stands: the channel, from which frame number on, and the session frame that says so."""

    channel: Channel
    seq: int
    frame: SessionFrame


async def enter(desk: Desk, address: str) -> Entrance | ErrorFrame:
    """Into a new conversation, or an error when the address has opened too many.

    Raises Closed while there is no bot.
    """
    wait = desk.limits.session(address)
    if wait is not None:
        desk.metrics.limited.labels("session").inc()
        return error("rate_limited", retry_after=wait)
    conversation = await desk.call(desk.bot.log.open)
    return await _entrance(desk, desk.hub.channel(conversation.id), 0, conversation, resumed=False)


async def reenter(desk: Desk, token: str, last_seq: int) -> Entrance | None:
    """Into the conversation of `token`, `last_seq` being the last frame seen; None when it opens nothing.

    Raises Closed while there is no bot.
    """
    visitor = desk.tokens.read(token)
    if visitor is None:
        return None
    channel = desk.hub.channel(visitor.conversation_id)
    desk.inbox.attach()
    desk.hub.joined(channel)
    seq = channel.entry(visitor.epoch, last_seq)  # before the history is read, so that nothing falls between
    conversation = await desk.call(desk.bot.log.load, visitor.conversation_id)
    if conversation is None:
        return None
    return await _entrance(desk, channel, seq, conversation, resumed=True)


async def _entrance(desk: Desk, channel: Channel, seq: int, conversation: Conversation, *, resumed: bool) -> Entrance:
    desk.inbox.attach()
    welcome = await desk.welcome()
    state = await desk.call(desk.inbox.state, channel.conversation_id)
    coming = channel.answers_after(seq)
    frame = SessionFrame(
        token=desk.tokens.issue(Visitor(channel.conversation_id, channel.epoch)),
        expires_in=desk.tokens.lifetime,
        conversation=channel.conversation_id,
        resumed=resumed,
        greeting=welcome.greeting,
        suggestions=welcome.suggestions,
        history=tuple(past(said) for said in conversation.messages[-_REMEMBERED:] if said.id not in coming),
        last_seq=seq,
        privacy_url=desk.settings.privacy_url,
        desk=state,
    )
    return Entrance(channel, seq, frame)
