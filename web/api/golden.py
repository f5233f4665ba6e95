"""Golden questions over HTTP: list, add, delete, export. Knows no page."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from bot.golden import GoldenQuestion, GoldenQuestions
from knowledge_base.language import language_of
from knowledge_base.types import LONGEST_ID, Language
from web.api.documents import knowledge_of
from web.api.rules import TheDesk, needs
from web.cleaning import clean
from web.desk import Desk
from web.problems import MOST_BODY, ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["golden questions"], max_body_size=MOST_BODY)
GoldenId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
Question = Annotated[str, Field(max_length=4_000)]
Reader = Annotated[Session, needs("knowledge.read")]
Corrector = Annotated[Session, needs("conversations.correct")]


class Turn(BaseModel):
    """What was said before."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["customer", "bot"]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class GoldenIn(BaseModel):
    """A question with the FAQs and documents that answer it, or the word that nothing does.

    answers: one of these must stand in a right answer. history: what was said before, oldest first.
    """

    model_config = ConfigDict(extra="forbid")

    question: Question
    language: Language | None = None
    relevant: Annotated[list[Id], Field(max_length=50)] = []
    answers: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=20)] = []
    answerable: bool = True
    history: Annotated[list[Turn], Field(max_length=20)] = []


class GoldenOut(BaseModel):
    """A golden question."""

    id: str
    question: str
    language: Language
    relevant: list[str]
    answers: list[str]
    answerable: bool
    history: list[Turn]
    staff_name: str
    at: datetime


class GoldenPage(BaseModel):
    """Some of the golden questions, newest first, and how many there are."""

    total: int
    items: list[GoldenOut]


@router.get("/golden")
def list_golden(
    desk: TheDesk,
    session: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> GoldenPage:
    """Golden questions, newest first."""
    return golden_page(desk, limit, offset)


@router.post("/golden", status_code=201)
def add_golden(body: GoldenIn, desk: TheDesk, session: Corrector) -> GoldenOut:
    """Keep a question to judge releases by."""
    return added_golden(desk, session, body)


@router.get("/golden/export", response_class=StreamingResponse)
def export_golden(desk: TheDesk, session: Reader) -> StreamingResponse:
    """All of them as a golden set's `questions.jsonl`."""
    name = {"Content-Disposition": 'attachment; filename="questions.jsonl"'}
    return StreamingResponse(_questions(desk).export(), media_type="application/x-ndjson", headers=name)


@router.delete("/golden/{golden_id}", status_code=204)
def delete_golden(golden_id: GoldenId, desk: TheDesk, session: Corrector) -> None:
    """Take a question out."""
    deleted_golden(desk, session, golden_id)


def golden_page(desk: Desk, limit: int, offset: int = 0) -> GoldenPage:
    """A page of the list."""
    questions, total = _questions(desk).page(limit, offset)
    return GoldenPage(total=total, items=[_out(one) for one in questions])


def titles_of(desk: Desk, source_ids: Iterable[str]) -> dict[str, str]:
    """The title of each FAQ and document that there is."""
    knowledge = knowledge_of(desk)
    found = {}
    for id in source_ids:
        if faq := knowledge.faq(id):
            found[id] = faq.question
        elif document := knowledge.document(id):
            found[id] = document.title or id
    return found


def added_golden(desk: Desk, session: Session, body: GoldenIn) -> GoldenOut:
    """Keep a question and note it. Raises ApiError for what no golden set may hold."""
    text = clean(body.question)
    if not text:
        raise ApiError(400, "the question is empty", "no_question")
    knowledge = knowledge_of(desk)
    for source_id in body.relevant:
        if knowledge.faq(source_id) is None and knowledge.document(source_id) is None:
            raise ApiError(400, f"there is no FAQ and no document {source_id[:80]!r}", "unknown_source")
    question = GoldenQuestion(
        question=text,
        language=body.language or language_of(text),
        relevant=tuple(dict.fromkeys(body.relevant)),
        answers=tuple(body.answers),
        answerable=body.answerable,
        history=tuple(turn.model_dump() for turn in body.history),
        staff_name=session.staff.name,
    )
    try:
        _questions(desk).add(question)
    except ValueError as problem:
        raise ApiError(400, str(problem), "sources_disagree") from problem
    desk.access.audit.note(session.staff.name, "golden.add", question.id, after=_noted(question))
    return _out(question)


def deleted_golden(desk: Desk, session: Session, golden_id: str) -> None:
    """Take a question out and note it. Raises ApiError."""
    question = _questions(desk).delete(golden_id)
    if question is None:
        raise ApiError(404, "there is no such golden question", "no_such_golden")
    desk.access.audit.note(session.staff.name, "golden.delete", golden_id, before=_noted(question))


def _questions(desk: Desk) -> GoldenQuestions:
    return GoldenQuestions(desk.access.engine)


def _noted(question: GoldenQuestion) -> dict[str, object]:
    """What the audit log keeps: not the question, which may be a customer's words."""
    return {"relevant": list(question.relevant), "answerable": question.answerable, "language": question.language}


def _out(question: GoldenQuestion) -> GoldenOut:
    return GoldenOut.model_validate(asdict(question))
