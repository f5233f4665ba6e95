"""Takes what a customer says and does while people have the conversation. Knows nothing of sockets."""

from uuid import UUID, uuid4, uuid5

from web.asking import checked, rate
from web.channel import Channel
from web.desk import Desk
from web.frames import Ask, ErrorFrame, Read, Typing
from web.live_frames import ReceivedFrame

_MESSAGES = UUID("6b656675-0000-4000-8000-000000000002")  # the namespace of customers' message ids


async def hear(desk: Desk, channel: Channel, frame: Ask, address: str) -> ReceivedFrame | ErrorFrame | None:
    """Give the message to the people who have the conversation, or that it waits for; None while the bot has it.

    A message that comes again under the same id is logged once. Raises Closed while there is no bot.
    """
    if channel.asked(frame.id) is not None:
        return None
    id = channel.conversation_id
    message_id = uuid4().hex if frame.id is None else uuid5(_MESSAGES, f"{id}/{frame.id}").hex
    if not await desk.call(desk.bot.log.handoffs.hears, id, message_id):
        return None
    text = checked(desk, frame.text, frame.id)
    if isinstance(text, ErrorFrame):
        return text
    limited = rate(desk, id, address, frame.id)
    if limited is not None:
        return limited
    if not await desk.call(desk.inbox.hear, id, message_id, text):
        return None  # given back to the bot in this moment
    return ReceivedFrame(message_id=message_id, reply_to=frame.id, text=text)


def live(desk: Desk, conversation_id: str, frame: Typing | Read) -> None:
    """Let staff see that the customer types, or has read what they said."""
    if isinstance(frame, Typing):
        desk.inbox.customer_types(conversation_id)
    else:
        desk.inbox.customer_read(conversation_id, frame.message_id)
