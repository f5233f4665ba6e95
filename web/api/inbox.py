"""The live desk over HTTP: who waits, claiming, replying, notes, giving back. Knows no page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from bot import history
from bot.handoffs import Handoff, Listed, Note, View
from bot.types import Conversation, Message, Role
from knowledge_base.types import Hit, Language, SourceKind
from web.api.rules import TheDesk, needs
from web.cleaning import clean
from web.desk import Desk
from web.frames import PastMessage, past
from web.problems import ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["inbox"])
ConversationId = Annotated[str, Path(pattern=r"^[\x21-\x7e]{1,64}$")]
Agent = Annotated[Session, needs("desk.use")]
_SUGGESTED = 3
_SEARCHED = 10


class HandoffOut(BaseModel):
    """A conversation's time away from the bot."""

    model_config = ConfigDict(from_attributes=True)

    conversation_id: str
    reason: str
    language: Language
    asked: datetime
    claimed: datetime | None
    staff_id: str | None
    staff_name: str | None
    ended: datetime | None
    outcome: str | None


class ListedOut(HandoffOut):
    """A handoff with what was said last."""

    text: str
    role: Role
    at: datetime


class InboxPage(BaseModel):
    """One page of a list."""

    total: int
    items: list[ListedOut]


class NoteOut(BaseModel):
    """A note among staff."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    staff_name: str
    text: str
    at: datetime


class Suggestion(BaseModel):
    """A text of the knowledge base that may answer the customer's last question."""

    kind: SourceKind
    source_id: str
    title: str
    text: str
    language: Language
    score: float


class TalkOut(BaseModel):
    """One conversation: the handoff, everything that was said, the notes, what each side has read."""

    handoff: HandoffOut
    messages: list[PastMessage]
    notes: list[NoteOut]
    read_by_customer: str | None
    read_by_staff: str | None


class Words(BaseModel):
    """What one of the staff writes."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=4_000)


class Closing(BaseModel):
    """How it ended."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["solved", "unsolved"]


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation as staff see it."""

    handoff: Handoff
    messages: Sequence[Message]
    notes: Sequence[Note]


@router.get("/inbox")
def list_inbox(
    desk: TheDesk,
    session: Agent,
    view: View = "waiting",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> InboxPage:
    """Who waits, what is mine, or all; waiting and mine longest first, all newest first."""
    rows, total = listed(desk, session, view, limit, offset)
    return InboxPage(total=total, items=[_listed_out(row) for row in rows])


@router.get("/inbox/{conversation_id}")
def read_conversation(conversation_id: ConversationId, desk: TheDesk, session: Agent) -> TalkOut:
    """One conversation that people have, had or may have."""
    found = talk(desk, conversation_id)
    return TalkOut(
        handoff=HandoffOut.model_validate(found.handoff),
        messages=[past(message) for message in found.messages],
        notes=[NoteOut.model_validate(note) for note in found.notes],
        read_by_customer=desk.inbox.last_read(conversation_id, "customer"),
        read_by_staff=desk.inbox.last_read(conversation_id, "staff"),
    )


@router.get("/inbox/{conversation_id}/suggestions")
def read_suggestions(conversation_id: ConversationId, desk: TheDesk, session: Agent) -> list[Suggestion]:
    """Texts of the knowledge base that may answer the customer's last question."""
    return suggestions(desk, talk(desk, conversation_id))


@router.post("/inbox/{conversation_id}/claim")
def claim(conversation_id: ConversationId, desk: TheDesk, session: Agent) -> HandoffOut:
    """Take a waiting conversation; 409 when somebody was quicker."""
    return HandoffOut.model_validate(claimed(desk, session, conversation_id))


@router.post("/inbox/{conversation_id}/reply", status_code=201)
def reply(conversation_id: ConversationId, body: Words, desk: TheDesk, session: Agent) -> PastMessage:
    """Say something to the customer; 409 when the conversation is not mine."""
    return past(replied(desk, session, conversation_id, body))


@router.post("/inbox/{conversation_id}/read", status_code=204)
def read(conversation_id: ConversationId, desk: TheDesk, session: Agent) -> None:
    """Show the customer that everything so far has been read, if the conversation is mine."""
    seen(desk, session, talk(desk, conversation_id))


@router.post("/inbox/{conversation_id}/note", status_code=201)
def note(conversation_id: ConversationId, body: Words, desk: TheDesk, session: Agent) -> list[NoteOut]:
    """Keep a note for the others of the staff."""
    return [NoteOut.model_validate(one) for one in noted(desk, session, conversation_id, body)]


@router.post("/inbox/{conversation_id}/return", status_code=204)
def give_back(conversation_id: ConversationId, desk: TheDesk, session: Agent) -> None:
    """Let the bot go on; 409 when the conversation is not mine."""
    returned(desk, session, conversation_id)


@router.post("/inbox/{conversation_id}/close", status_code=204)
def close(conversation_id: ConversationId, body: Closing, desk: TheDesk, session: Agent) -> None:
    """End the talk with an outcome; 409 when the conversation is not mine."""
    closed(desk, session, conversation_id, body)


def listed(desk: Desk, session: Session, view: View, limit: int, offset: int) -> tuple[list[Listed], int]:
    """One page of a list and how many it has in all."""
    return desk.inbox.handoffs.listed(view, session.staff.id, limit, offset)


def talk(desk: Desk, conversation_id: str) -> Talk:
    """One conversation. Raises ApiError when people never had it nor were to have it."""
    handoff = desk.inbox.handoffs.latest(conversation_id)
    conversation = desk.bot.log.load(conversation_id) if handoff else None
    if handoff is None or conversation is None:
        raise ApiError(404, "nobody was asked to take this conversation", "no_such_conversation")
    return Talk(handoff, conversation.messages, desk.inbox.handoffs.notes(conversation_id))


def suggestions(desk: Desk, found: Talk) -> list[Suggestion]:
    """The best hits for the customer's last question, one per source, those in the customer's language first."""
    asked = history.questions(Conversation(found.handoff.conversation_id, tuple(found.messages)))
    if not asked:
        return []
    language = found.handoff.language
    best: dict[str, Hit] = {}
    for hit in desk.bot.knowledge.search(asked[-1], language, _SEARCHED):
        best.setdefault(hit.passage.source_id, hit)
    ranked = sorted(best.values(), key=lambda hit: hit.passage.language != language)
    return [_suggestion(hit) for hit in ranked[:_SUGGESTED]]


def claimed(desk: Desk, session: Session, conversation_id: str) -> Handoff:
    """Take a waiting conversation. Raises ApiError when there is none, or somebody was quicker."""
    handoff = talk(desk, conversation_id).handoff
    desk.inbox.present(session.staff.id)
    if not desk.inbox.claim(conversation_id, session.staff):
        raise ApiError(409, f"{handoff.staff_name or 'somebody'} was quicker, or it has ended", "taken")
    desk.access.audit.note(session.staff.name, "desk.claim", conversation_id)
    return talk(desk, conversation_id).handoff


def replied(desk: Desk, session: Session, conversation_id: str, body: Words) -> Message:
    """Say something to the customer. Raises ApiError when the conversation is not the person's, or nothing is said."""
    desk.inbox.present(session.staff.id)
    said = desk.inbox.say(conversation_id, session.staff, _cleaned(body))
    if said is None:
        raise _not_yours()
    return said


def seen(desk: Desk, session: Session, found: Talk) -> None:
    """Show the customer what has been read, if the conversation is the person's."""
    said = [message for message in found.messages if message.role == "customer"]
    if said and found.handoff.ended is None and found.handoff.staff_id == session.staff.id:
        desk.inbox.staff_read(found.handoff.conversation_id, session.staff, said[-1].id)


def noted(desk: Desk, session: Session, conversation_id: str, body: Words) -> Sequence[Note]:
    """Keep a note. Raises ApiError when there is no such conversation or nothing is noted."""
    text = _cleaned(body)
    talk(desk, conversation_id)
    desk.inbox.note(conversation_id, session.staff, text)
    return desk.inbox.handoffs.notes(conversation_id)


def returned(desk: Desk, session: Session, conversation_id: str) -> None:
    """Let the bot go on. Raises ApiError when the conversation is not the person's."""
    if not desk.inbox.give_back(conversation_id, session.staff):
        raise _not_yours()
    desk.access.audit.note(session.staff.name, "desk.return", conversation_id)


def closed(desk: Desk, session: Session, conversation_id: str, body: Closing) -> None:
    """End the talk. Raises ApiError when the conversation is not the person's."""
    if not desk.inbox.close(conversation_id, session.staff, body.outcome):
        raise _not_yours()
    desk.access.audit.note(session.staff.name, "desk.close", conversation_id, after={"outcome": body.outcome})


def _cleaned(body: Words) -> str:
    text = clean(body.text)
    if not text:
        raise ApiError(400, "there is no visible text in it", "empty")
    return text


def _not_yours() -> ApiError:
    return ApiError(409, "this conversation is not yours, or it has ended", "not_yours")


def _listed_out(row: Listed) -> ListedOut:
    handoff = HandoffOut.model_validate(row.handoff).model_dump()
    return ListedOut(**handoff, text=row.text, role=row.role, at=row.at)


def _suggestion(hit: Hit) -> Suggestion:
    passage = hit.passage
    return Suggestion(
        kind=passage.kind,
        source_id=passage.source_id,
        title=passage.title,
        text=passage.text,
        language=passage.language,
        score=hit.score,
    )
