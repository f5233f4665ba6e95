"""Logged conversations over HTTP: search, transcript, correction, export, erasing. Knows no page."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from bot.corrections import correct, withdraw
from bot.outcome import Outcome
from bot.search_log import Wanted, ids_of, releases, search
from bot.transcript import Transcript, transcript, transcripts
from bot.types import Kind, Role
from knowledge_base.types import LONGEST_ID, Language
from web.api.conversation_text import as_text
from web.api.periods import Day, Period
from web.api.rules import TheDesk, needs
from web.api.the_log import log_of
from web.api.unanswered import gaps_of
from web.cleaning import clean
from web.desk import Desk
from web.erasure import Receipt, carry_out, plan
from web.problems import ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["conversations"])
MOST_EXPORTED = 10_000
"""Conversations of one export."""
ConversationId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
MessageId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
_log = structlog.stdlib.get_logger(__name__)


class Filter(BaseModel):
    """Which conversations; kind, language, release and source are those of one and the same answer."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=200)] = ""
    since: Day | None = None
    until: Day | None = None
    language: Language | None = None
    outcome: Outcome | None = None
    kind: Kind | None = None
    source: Annotated[str, Field(max_length=LONGEST_ID)] = ""
    release: Annotated[str, Field(max_length=128)] = ""

    def wanted(self) -> Wanted:
        """As the log is asked."""
        period = Period(self.since, self.until)
        return Wanted(
            text=clean(self.text),
            since=period.since,
            until=period.until,
            language=self.language,
            outcome=self.outcome,
            kind=self.kind,
            source=clean(self.source),
            release=clean(self.release),
        )


class Page(Filter):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    oldest_first: bool = False


class FoundOut(BaseModel):
    """One conversation of the list."""

    id: str
    opened: datetime
    last: datetime
    question: str
    messages: int
    outcome: Outcome
    kind: Kind | None
    language: Language | None


class FoundPage(BaseModel):
    """A page of the list and how many there are in all."""

    total: int
    items: list[FoundOut]


class LineOut(BaseModel):
    """One message. `answer` says of the bot's messages why they are as they are."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    role: Role
    text: str
    at: datetime
    author: str | None
    answer: dict[str, Any] | None
    feedback: dict[str, Any] | None
    correction: dict[str, Any] | None


class TranscriptOut(BaseModel):
    """Everything that is logged of a conversation."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    opened: datetime
    solved: bool | None
    lines: list[LineOut]
    handoffs: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    contacts: list[dict[str, Any]]


class CorrectionIn(BaseModel):
    """What the answer should have been."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=10_000)]


@router.get("/conversations")
def list_conversations(
    query: Annotated[Page, Query()], desk: TheDesk, session: Annotated[Session, needs("conversations.read")]
) -> FoundPage:
    """Conversations that meet the filters, newest first."""
    found, total = search(log_of(desk), query.wanted(), query.limit, query.offset, query.oldest_first)
    return FoundPage(total=total, items=[FoundOut.model_validate(asdict(one)) for one in found])


@router.get("/conversations/releases")
def list_releases(desk: TheDesk, session: Annotated[Session, needs("conversations.read")]) -> list[str]:
    """The releases that answers came from."""
    return releases(log_of(desk))


@router.get(
    "/conversations/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
def export(
    query: Annotated[Filter, Query()], desk: TheDesk, session: Annotated[Session, needs("conversations.read")]
) -> Response:
    """The newest 10,000 conversations that meet the filters, one JSON object a line."""
    headers = {"Content-Disposition": 'attachment; filename="conversations.jsonl"', "Cache-Control": "no-store"}
    rows = exported(desk, session, query)
    return StreamingResponse(rows, media_type="application/x-ndjson", headers=headers)


@router.get("/conversations/{conversation_id}")
def read_conversation(
    conversation_id: ConversationId, desk: TheDesk, session: Annotated[Session, needs("conversations.read")]
) -> TranscriptOut:
    """The whole conversation with each answer's sources and scores."""
    return TranscriptOut.model_validate(found_transcript(desk, conversation_id))


@router.get("/conversations/{conversation_id}/text", response_class=PlainTextResponse)
def read_text(
    conversation_id: ConversationId,
    desk: TheDesk,
    session: Annotated[Session, needs("conversations.read")],
    language: Language | None = None,
) -> str:
    """The conversation as text to read."""
    return as_text(found_transcript(desk, conversation_id), language or session.staff.language)


@router.put("/conversations/{conversation_id}/messages/{message_id}/correction", status_code=204)
def put_correction(
    conversation_id: ConversationId,
    message_id: MessageId,
    body: CorrectionIn,
    desk: TheDesk,
    session: Annotated[Session, needs("conversations.correct")],
) -> None:
    """Say what an answer should have been; a later correction replaces it."""
    corrected(desk, session, conversation_id, message_id, body.text)


@router.delete("/conversations/{conversation_id}/messages/{message_id}/correction", status_code=204)
def delete_correction(
    conversation_id: ConversationId,
    message_id: MessageId,
    desk: TheDesk,
    session: Annotated[Session, needs("conversations.correct")],
) -> None:
    """Withdraw a correction."""
    withdrawn(desk, session, conversation_id, message_id)


@router.get("/conversations/{conversation_id}/erasure")
def plan_erasure(
    conversation_id: ConversationId, desk: TheDesk, session: Annotated[Session, needs("conversations.erase")]
) -> Receipt:
    """What would be gone, and what is kept."""
    return planned_erasure(desk, conversation_id)


@router.delete("/conversations/{conversation_id}")
def erase_conversation(
    conversation_id: ConversationId, desk: TheDesk, session: Annotated[Session, needs("conversations.erase")]
) -> Receipt:
    """Erase all that is logged of the conversation, for good. Answers what is gone, and what is kept."""
    return erased(desk, session, conversation_id)


def found_transcript(desk: Desk, conversation_id: str) -> Transcript:
    """The conversation. Raises ApiError."""
    found = transcript(log_of(desk), conversation_id)
    if found is None:
        raise _unknown(conversation_id)
    return found


def corrected(desk: Desk, session: Session, conversation_id: str, message_id: str, text: str) -> None:
    """Keep a correction and note it, by its length only: the words go when the conversation is erased."""
    text = clean(text)
    if not text:
        raise ApiError(400, "text: say what the answer should have been", "empty_correction")
    before = correct(log_of(desk), conversation_id, message_id, text, session.staff.name)
    if before is None:
        raise ApiError(404, f"conversation {conversation_id!r} has no answer {message_id!r}", "no_such_answer")
    _note(desk, session, "conversation.correct", f"{conversation_id}/{message_id}", len(before), len(text))


def withdrawn(desk: Desk, session: Session, conversation_id: str, message_id: str) -> None:
    """Withdraw a correction and note it. Raises ApiError."""
    before = withdraw(log_of(desk), conversation_id, message_id)
    if before is None:
        raise ApiError(404, f"answer {message_id!r} has no correction", "no_such_correction")
    _note(desk, session, "conversation.uncorrect", f"{conversation_id}/{message_id}", len(before), 0)


def planned_erasure(desk: Desk, conversation_id: str) -> Receipt:
    """What erasing would delete. Raises ApiError."""
    planned = plan(log_of(desk), desk.settings.data, conversation_id)
    if planned is None:
        raise _unknown(conversation_id)
    return planned


def erased(desk: Desk, session: Session, conversation_id: str) -> Receipt:
    """Erase a conversation and note id and counts. Raises ApiError."""
    gone = carry_out(log_of(desk), desk.settings.data, conversation_id)
    if gone is None:
        raise _unknown(conversation_id)
    gaps_of(desk).forget()
    after = {**gone.counts, "golden": list(gone.golden), "rounds": list(gone.rounds)}
    desk.access.audit.note(session.staff.name, "conversation.erase", conversation_id, after=after)
    _log.info("conversation erased", conversation=conversation_id, messages=gone.counts["message"])
    return gone


def exported(desk: Desk, session: Session, query: Filter) -> Iterator[str]:
    """Lines of JSON, a few conversations in memory at a time; which filters were set is noted."""
    filters = sorted(query.model_fields_set)
    desk.access.audit.note(session.staff.name, "conversation.export", "", after={"filters": filters})
    engine = log_of(desk)
    for ids in ids_of(engine, query.wanted(), MOST_EXPORTED):
        for one in transcripts(engine, ids):
            yield TranscriptOut.model_validate(one).model_dump_json() + "\n"


def _note(desk: Desk, session: Session, action: str, subject: str, before: int, after: int) -> None:
    lengths = ({"characters": before}, {"characters": after})
    desk.access.audit.note(session.staff.name, action, subject, *lengths)


def _unknown(conversation_id: str) -> ApiError:
    return ApiError(404, f"there is no conversation {conversation_id!r}", "no_such_conversation")
