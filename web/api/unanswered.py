"""Unanswered questions over HTTP: gathered by meaning, to be made FAQs or ignored. Knows no page."""

from datetime import datetime
from threading import Lock
from typing import Annotated
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from bot.bot import Bot
from bot.gaps import Gap, Gaps, Work, keys
from bot.unanswered import Why
from knowledge_base.faq_list import StoredFaq
from knowledge_base.language import normalise
from knowledge_base.types import Language
from web.api.faq_forms import LONGEST_ANSWER, LONGEST_PHRASING, MOST_PHRASINGS, FaqIn, FaqOut, faq_out
from web.api.faqs import saved_faq
from web.api.periods import Day, Period
from web.api.rules import TheDesk, needs
from web.api.the_log import log_of
from web.desk import Desk
from web.problems import ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["unanswered"])
KEPT = "unanswered.ignored"
TO_WRITE: dict[Language, str] = {"zh": "【待填写回答】", "en": "[Answer to be written]"}
"""What stands in a draft until somebody has written its answer."""
_MOST_IGNORED = 10_000
_PATIENCE = 1.0  # seconds in which most work is done, so that it need not be asked for again
_SIMILAR = 50  # phrasings that a draft takes over
GapId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_gaps: WeakKeyDictionary[Bot, Gaps] = WeakKeyDictionary()
_opening, _ignoring = Lock(), Lock()


class Asking(BaseModel):
    """The period of which the unanswered questions are wanted, and one of the languages or both."""

    model_config = ConfigDict(extra="forbid")

    since: Day | None = None
    until: Day | None = None
    language: Language | None = None

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The period's first moment and the first after it."""
        period = Period(self.since, self.until)
        return period.since, period.until


class QuestionOut(BaseModel):
    """One question of a gap. conversations: ids of the newest few in which it was asked."""

    text: str
    language: Language
    count: int
    last: datetime
    why: dict[Why, int]
    conversations: list[str]


class GapOut(BaseModel):
    """Questions that mean the same. draft: the FAQ that is being written for them."""

    id: str
    question: str
    language: Language
    count: int
    last: datetime
    why: dict[Why, int]
    questions: list[QuestionOut]
    draft: str | None


class Gathered(BaseModel):
    """The gaps, the most asked first. While `working`, those that were known before; ask again."""

    working: bool
    failed: bool
    done: int
    total: int
    items: list[GapOut]


class Drafting(BaseModel):
    """The answer of the draft; else it is what staff corrected an answer to, if they did."""

    model_config = ConfigDict(extra="forbid")

    answer: Annotated[str, Field(max_length=LONGEST_ANSWER)] = ""


class Ignored(BaseModel):
    """How many questions were ignored, or are again looked at."""

    questions: int


@router.get("/unanswered")
def list_unanswered(
    query: Annotated[Asking, Query()], desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]
) -> Gathered:
    """What customers asked without a good answer, gathered by meaning in both languages."""
    work = gathered(desk, query, _PATIENCE)
    return Gathered(
        working=not work.finished.is_set(),
        failed=work.failed,
        done=work.done,
        total=work.total,
        items=[_out(gap) for gap in spoken(work.gaps, query.language)],
    )


@router.post("/unanswered/{gap_id}/draft", status_code=201)
def draft(
    gap_id: GapId,
    body: Drafting,
    query: Annotated[Asking, Query()],
    desk: TheDesk,
    session: Annotated[Session, needs("knowledge.write")],
) -> FaqOut:
    """Make a draft FAQ of a gap; its most typical question and the similar ones are filled in."""
    return faq_out(drafted_faq(desk, session, found_gap(desk, query, gap_id), body.answer))


@router.post("/unanswered/{gap_id}/ignore")
def ignore(
    gap_id: GapId,
    query: Annotated[Asking, Query()],
    desk: TheDesk,
    session: Annotated[Session, needs("knowledge.write")],
) -> Ignored:
    """Leave the questions of a gap out from now on."""
    return Ignored(questions=ignored(desk, session, found_gap(desk, query, gap_id)))


@router.delete("/unanswered/ignored")
def look_again(desk: TheDesk, session: Annotated[Session, needs("knowledge.write")]) -> Ignored:
    """Look again at everything that was ignored."""
    return Ignored(questions=looked_again(desk, session))


def gaps_of(desk: Desk) -> Gaps:
    """What gathers the questions of the desk's bot. Raises Closed while there is none."""
    bot = desk.bot
    with _opening:
        if bot not in _gaps:
            _gaps[bot] = Gaps(log_of(desk), bot.knowledge.encoder)
        return _gaps[bot]


def gathered(desk: Desk, query: Asking, patience: float) -> Work:
    """The work on a period, waited for at most `patience` seconds."""
    return gaps_of(desk).look(query.bounds(), desk.access.kept.get(KEPT, []), patience)


def spoken(gaps: tuple[Gap, ...], language: Language | None) -> list[Gap]:
    """Those gaps that were asked in a language; None: all."""
    return [gap for gap in gaps if language is None or any(one.language == language for one in gap.questions)]


def found_gap(desk: Desk, query: Asking, gap_id: str) -> Gap:
    """One gap of a period. Raises ApiError."""
    work = gathered(desk, query, 30.0)
    gap = next((gap for gap in work.gaps if gap.id == gap_id), None)
    if gap is None:
        raise ApiError(404, f"there is no gap {gap_id!r} in this period; it may have been filled", "no_such_gap")
    return gap


def drafted_faq(desk: Desk, session: Session, gap: Gap, answer: str = "") -> StoredFaq:
    """Make a draft FAQ and note it; its answer is to be written where none is given. Raises ApiError."""
    body = FaqIn(
        question=gap.question[:LONGEST_PHRASING],
        answer=answer.strip() or gap.answer or TO_WRITE[gap.language],
        language=gap.language,
        similar=gap.similar[: min(_SIMILAR, MOST_PHRASINGS)],
        status="draft",
    )
    return saved_faq(desk, session, body.faq(), 0)


def ignored(desk: Desk, session: Session, gap: Gap) -> int:
    """Ignore a gap's questions, by keys that tell nothing of the words, and note how many."""
    new = keys(gap, normalise)
    with _ignoring:
        kept = [one for one in desk.access.kept.get(KEPT, []) if one not in new]
        desk.access.kept.put(KEPT, [*kept, *new][-_MOST_IGNORED:])
    desk.access.audit.note(session.staff.name, "unanswered.ignore", gap.id, after={"questions": len(new)})
    return len(new)


def looked_again(desk: Desk, session: Session) -> int:
    """Ignore nothing any more, and note how many questions were."""
    with _ignoring:
        before = desk.access.kept.get(KEPT, [])
        desk.access.kept.put(KEPT, [])
    desk.access.audit.note(session.staff.name, "unanswered.look_again", "", before={"questions": len(before)})
    return len(before)


def _out(gap: Gap) -> GapOut:
    return GapOut(
        id=gap.id,
        question=gap.question,
        language=gap.language,
        count=gap.count,
        last=gap.last,
        why=dict(gap.why),
        questions=[
            QuestionOut(
                text=one.text,
                language=one.language,
                count=one.count,
                last=one.last,
                why=dict(one.why),
                conversations=list(one.conversations),
            )
            for one in gap.questions
        ],
        draft=gap.draft,
    )
