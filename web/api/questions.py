"""Trying a question out over HTTP: the answer that a customer would get, with all that led to it. Logs nothing."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from bot.control import Control, control
from bot.types import Answer, Conversation, Kind, Message
from knowledge_base.types import Hit, Language, SourceKind
from web.api.rules import TheDesk, needs
from web.asking import checked
from web.desk import Desk
from web.frames import ErrorFrame
from web.problems import MOST_BODY, ApiError, api_error
from web.staff.sessions import Session

router = APIRouter(tags=["try it"], max_body_size=MOST_BODY)
_MOST_EARLIER = 5
Text = Annotated[str, Field(max_length=20_000)]


class TrialIn(BaseModel):
    """A question, and what the customer asked before it in the same conversation, oldest first."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    earlier: Annotated[list[Text], Field(max_length=_MOST_EARLIER)] = []


class HitOut(BaseModel):
    """A found passage with every part of its score; rerank and proximity are null where nothing has read it closely."""

    source_id: str
    kind: SourceKind
    title: str
    phrasing: str
    headings: list[str]
    text: str
    language: Language
    score: float
    dense: float
    keyword: float
    exact: bool
    rerank: float | None
    proximity: float | None


class ThresholdOut(BaseModel):
    """From which confidence on a first hit of this kind is answered from, or asked back about."""

    kind: SourceKind
    language: Language
    answer: float
    clarify: float


class CitationOut(BaseModel):
    """Evidence under the answer."""

    number: int
    kind: SourceKind
    source_id: str
    title: str
    quote: str


class TrialOut(BaseModel):
    """What became of a question, step by step. threshold: null when nothing was found."""

    question: str
    language: Language
    control: Control | None
    query: str
    hits: list[HitOut]
    kind: Kind
    reason: str
    confidence: float
    threshold: ThresholdOut | None
    text: str
    citations: list[CitationOut]
    options: list[str]
    latency_ms: dict[str, float]
    release: str


@router.post("/try")
def try_question(body: TrialIn, desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]) -> TrialOut:
    """Answer a question as the bot would, without a conversation in the log."""
    return tried(desk, body)


def tried(desk: Desk, body: TrialIn) -> TrialOut:
    """The same, for a page. Raises ApiError for a text that no customer could send, Closed while there is no bot."""
    bot = desk.bot
    conversation = Conversation("trial")
    for question in [_text(desk, one) for one in body.earlier]:
        conversation = _gone_on(conversation, question, bot.try_out(conversation, question))
    question = _text(desk, body.question)
    answer = bot.try_out(conversation, question)
    return TrialOut(
        question=question,
        language=answer.language,
        control=control(question),
        query=answer.query,
        hits=[_hit(hit) for hit in answer.hits],
        kind=answer.kind,
        reason=answer.reason,
        confidence=answer.confidence,
        threshold=_threshold(desk, answer),
        text=answer.text,
        citations=[CitationOut.model_validate(one, from_attributes=True) for one in answer.citations],
        options=list(answer.options),
        latency_ms=answer.latency_ms,
        release=answer.release,
    )


def _text(desk: Desk, text: str) -> str:
    found = checked(desk, text)
    if isinstance(found, ErrorFrame):
        problem = api_error(found)
        raise ApiError(problem.status, str(problem), "no_question" if found.code == "empty" else problem.code)
    return found


def _gone_on(conversation: Conversation, question: str, answer: Answer) -> Conversation:
    now = datetime.now(UTC)
    asked = Message(f"{answer.id}-asked", "customer", question, now)
    told = Message(answer.id, "bot", answer.text, now, answer)
    return Conversation(conversation.id, (*conversation.messages, asked, told))


def _threshold(desk: Desk, answer: Answer) -> ThresholdOut | None:
    if not answer.hits:
        return None
    kind = answer.hits[0].passage.kind
    threshold = desk.bot.calibration.threshold(kind, answer.language)
    return ThresholdOut(kind=kind, language=answer.language, answer=threshold.answer, clarify=threshold.clarify)


def _hit(hit: Hit) -> HitOut:
    names = ("score", "dense", "keyword", "exact", "rerank", "proximity")
    parts: dict[str, Any] = {name: getattr(hit, name) for name in names}
    passage = hit.passage
    return HitOut(
        source_id=passage.source_id,
        kind=passage.kind,
        title=passage.title,
        phrasing=passage.phrasing,
        headings=list(passage.headings),
        text=passage.text,
        language=passage.language,
        **parts,
    )
