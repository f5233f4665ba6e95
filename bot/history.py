"""What a dialogue so far says: its language, the questions asked, the source cited last. Pure functions."""

from bot.control import control
from bot.types import Conversation
from knowledge_base.language import language_of
from knowledge_base.types import Language


def language(conversation: Conversation, question: str) -> Language:
    """The language of the question; where it has none ("12345", "👍"), that of what the customer said before."""
    known: Language = "zh"
    for message in conversation.messages:
        if message.role == "customer":
            known = language_of(message.text, known)
    return language_of(question, known)


def questions(conversation: Conversation) -> list[str]:
    """What the customer asked, oldest first, without greetings, thanks and the like."""
    return [m.text for m in conversation.messages if m.role == "customer" and control(m.text) is None]


def topic(conversation: Conversation) -> str:
    """The title of the source that was cited last; empty when none was."""
    for message in reversed(conversation.messages):
        if message.answer and message.answer.citations:
            return message.answer.citations[0].title
    return ""
