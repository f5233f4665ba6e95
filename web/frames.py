"""Every frame of the chat protocol, typed, both ways. Knows nothing of sockets, limits or who is asking."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.types import Answer, Done, Event, Kind, Message, Role, Start, Token
from knowledge_base.types import Language, SourceKind
from web.desk_state import DeskState
from web.wording import Text, wording

Code = Literal[
    "bad_frame",
    "too_large",
    "too_long",
    "empty",
    "rate_limited",
    "busy",
    "unauthorized",
    "internal",
    "unknown_message",
]
Id = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
Credential = Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,512}$")]


class ClientFrame(BaseModel):
    """What a visitor sends. Fields that we do not know are ignored, so that newer widgets still work."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Resume(ClientFrame):
    """Go on with the conversation of `token`; frames up to `last_seq` have been seen."""

    type: Literal["resume"]
    token: Credential
    last_seq: int = Field(default=0, ge=0, lt=2**53)


class Ask(ClientFrame):
    """A question. `id` is the client's own: the same id again is not answered twice."""

    type: Literal["message"] = "message"
    text: str
    id: Id | None = None


class StopReply(ClientFrame):
    """End the reply in progress."""

    type: Literal["stop"]


class Feedback(ClientFrame):
    """The customer's judgement on one answer."""

    type: Literal["feedback"] = "feedback"
    message_id: Id
    helpful: bool
    reason: Literal["wrong", "incomplete", "unclear", "other", ""] = ""
    comment: str = Field(default="", max_length=1_000)


class Contact(ClientFrame):
    """How a person may reach the customer."""

    type: Literal["contact"] = "contact"
    contact: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=2_000)


class Typing(ClientFrame):
    """The customer is typing."""

    type: Literal["typing"]


class CancelHandoff(ClientFrame):
    """The customer does not want to wait for a person any more."""

    type: Literal["cancel_handoff"]


class Read(ClientFrame):
    """The customer has read what staff said, up to this message."""

    type: Literal["read"]
    message_id: Id


class Solved(ClientFrame):
    """Whether the talk with a person solved it."""

    type: Literal["solved"]
    solved: bool


class Ping(ClientFrame):
    """Asks for a pong."""

    type: Literal["ping"]


AnyClientFrame = Resume | Ask | StopReply | Feedback | Contact | Typing | CancelHandoff | Read | Solved | Ping
_CLIENT: TypeAdapter[AnyClientFrame] = TypeAdapter(Annotated[AnyClientFrame, Field(discriminator="type")])


def parse(text: str | bytes) -> AnyClientFrame | None:
    """The frame in `text`, or None when it is not one."""
    try:
        return _CLIENT.validate_json(text)
    except (ValidationError, UnicodeError):
        return None


class ServerFrame(BaseModel):
    """What the server sends."""

    model_config = ConfigDict(frozen=True)

    def encode(self) -> str:
        """The frame as JSON."""
        return self.model_dump_json()


class NumberedFrame(ServerFrame):
    """A frame that is kept for resume; its channel numbers it."""

    seq: int | None = None


class CitationPart(BaseModel):
    """One source under an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    number: int
    kind: SourceKind
    source_id: str
    title: str
    headings: tuple[str, ...]
    quote: str
    version: int
    updated: datetime


class PastMessage(BaseModel):
    """One message of the history; the answer's fields are there on the bot's messages only."""

    id: str
    role: Role
    text: str
    at: datetime
    author: str | None = None  # of staff
    kind: Kind | None = None
    language: Language | None = None
    confidence: float | None = None
    citations: tuple[CitationPart, ...] | None = None
    options: tuple[str, ...] | None = None
    stopped: bool | None = None


class SessionFrame(ServerFrame):
    """First frame: who the visitor is and what was said before. Frames after `last_seq` follow."""

    type: Literal["session"] = "session"
    token: str
    expires_in: int
    conversation: str
    resumed: bool
    greeting: dict[Language, str]
    suggestions: dict[Language, tuple[str, ...]]
    history: tuple[PastMessage, ...] = ()
    last_seq: int = 0
    privacy_url: str = ""
    desk: DeskState = DeskState()

    def encode(self) -> str:
        """The frame as JSON; what a past message does not have is left out."""
        return self.model_dump_json(exclude_none=True)


class StartFrame(NumberedFrame):
    """A reply begins."""

    type: Literal["start"] = "start"
    message_id: str
    reply_to: str | None
    language: Language


class TokenFrame(NumberedFrame):
    """A piece of text to append."""

    type: Literal["token"] = "token"
    message_id: str
    text: str


class AnswerFrame(NumberedFrame):
    """The reply's last frame, authoritative: it replaces the streamed text."""

    type: Literal["answer"] = "answer"
    message_id: str
    reply_to: str | None
    kind: Kind
    text: str
    language: Language
    confidence: float
    citations: tuple[CitationPart, ...]
    options: tuple[str, ...]
    stopped: bool


class ErrorFrame(NumberedFrame):
    """What went wrong, in both languages. Numbered only when it ends a reply."""

    type: Literal["error"] = "error"
    code: Code
    text: Text
    retry_after: float | None = None  # seconds
    reply_to: str | None = None

    def encode(self) -> str:
        """The frame as JSON, without what it does not have."""
        return self.model_dump_json(exclude_none=True)


class FeedbackSaved(ServerFrame):
    """The judgement is stored."""

    type: Literal["feedback_saved"] = "feedback_saved"
    message_id: str


class ContactSaved(ServerFrame):
    """The contact is stored."""

    type: Literal["contact_saved"] = "contact_saved"


class Pong(ServerFrame):
    """Answers a ping."""

    type: Literal["pong"] = "pong"


def error(
    code: Code,
    *,
    say: str = "",
    retry_after: float | None = None,
    reply_to: str | None = None,
    limit: int = 0,
) -> ErrorFrame:
    """The error frame of `code`; `say` names another sentence than the code's own, `limit` fills it."""
    text = wording(say or code, limit=limit)
    return ErrorFrame(code=code, text=text, retry_after=retry_after, reply_to=reply_to)


def to_frame(event: Event, message_id: str, reply_to: str | None) -> StartFrame | TokenFrame | AnswerFrame:
    """The frame of one event of the bot's reply `message_id` to the client's message `reply_to`."""
    match event:
        case Start():
            return StartFrame(message_id=event.message_id, reply_to=reply_to, language=event.language)
        case Token():
            return TokenFrame(message_id=message_id, text=event.text)
        case Done():
            return answer_frame(event.answer, reply_to)


def answer_frame(answer: Answer, reply_to: str | None) -> AnswerFrame:
    """The frame of a finished answer."""
    return AnswerFrame(message_id=answer.id, reply_to=reply_to, text=answer.text, **_answer_fields(answer))


def past(message: Message) -> PastMessage:
    """A logged message as the history shows it."""
    author = message.author or None
    said = PastMessage(id=message.id, role=message.role, text=message.text, at=message.at, author=author)
    return said.model_copy(update=_answer_fields(message.answer)) if message.answer else said


def _answer_fields(answer: Answer) -> dict[str, Any]:
    return {
        "kind": answer.kind,
        "language": answer.language,
        "confidence": answer.confidence,
        "citations": tuple(CitationPart.model_validate(citation) for citation in answer.citations),
        "options": answer.options,
        "stopped": answer.stopped,
    }
