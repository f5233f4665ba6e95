"""Stores what a visitor leaves besides questions: judgements and contacts. Knows nothing of sockets."""

from web.cleaning import clean
from web.desk import Desk
from web.frames import Contact, ContactSaved, ErrorFrame, Feedback, FeedbackSaved, error


async def save(desk: Desk, conversation_id: str, left: Feedback | Contact) -> ErrorFrame | FeedbackSaved | ContactSaved:
    """Store it and say so, or say what is wrong with it."""
    if isinstance(left, Feedback):
        return await _feedback(desk, conversation_id, left)
    contact = clean(left.contact)
    if not contact:
        return error("empty")
    await desk.call(desk.bot.log.contact, conversation_id, contact, clean(left.text))
    return ContactSaved()


async def _feedback(desk: Desk, conversation_id: str, left: Feedback) -> ErrorFrame | FeedbackSaved:
    known = await desk.call(
        desk.bot.log.feedback,
        conversation_id,
        left.message_id,
        left.helpful,
        left.reason,
        clean(left.comment),
    )
    if not known:
        return error("unknown_message")
    desk.metrics.feedback.labels(str(left.helpful).lower()).inc()
    return FeedbackSaved(message_id=left.message_id)
