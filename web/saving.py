"""Stores what a visitor leaves besides questions: judgements, contacts, wishes. Knows nothing of sockets."""

from web.cleaning import clean
from web.desk import Desk
from web.frames import CancelHandoff, Contact, ContactSaved, Feedback, FeedbackSaved, ServerFrame, Solved, error
from web.live_frames import DeskFrame, SolvedSaved


async def save(desk: Desk, conversation_id: str, left: Feedback | Contact | Solved | CancelHandoff) -> ServerFrame:
    """Store it and say so, or say what is wrong with it."""
    if isinstance(left, Feedback):
        return await _feedback(desk, conversation_id, left)
    if isinstance(left, CancelHandoff):
        await desk.call(desk.inbox.cancel, conversation_id)
        state = await desk.call(desk.inbox.state, conversation_id)
        return DeskFrame(**state.model_dump())
    if isinstance(left, Solved):
        await desk.call(desk.bot.log.handoffs.solved, conversation_id, left.solved)
        return SolvedSaved(solved=left.solved)
    contact = clean(left.contact)
    if not contact:
        return error("empty")
    known = await desk.call(desk.bot.log.contact, conversation_id, contact, clean(left.text))
    return ContactSaved() if known else error("unauthorized")  # erased while its token still lives


async def _feedback(desk: Desk, conversation_id: str, left: Feedback) -> ServerFrame:
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
