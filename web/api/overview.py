"""How the bot is doing, over HTTP: numbers of a period, and each table of them as CSV. Knows no page."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from bot.outcome import Outcome
from bot.statistics import Quantiles, Scope, Statistics, statistics
from bot.types import Kind
from knowledge_base.types import Language
from web.api.csv_text import csv_text
from web.api.periods import Day, Period
from web.api.rules import TheDesk, needs
from web.api.the_log import log_of
from web.desk import Desk
from web.staff.sessions import Session

router = APIRouter(tags=["overview"])
OUTCOMES: tuple[Outcome, ...] = ("confirmed", "assumed", "abandoned", "open")
"""How a conversation with a question may have ended."""
KINDS: tuple[Kind, ...] = ("faq", "grounded", "clarify", "abstain", "handoff")
"""Kinds of answers to questions."""
TableName = Literal["days", "answers", "quality", "latency", "top", "unused", "handoffs"]
Table = tuple[Sequence[str], list[Sequence[object]]]


class Looking(BaseModel):
    """The period, and one of the languages or both."""

    model_config = ConfigDict(extra="forbid")

    since: Day | None = None
    until: Day | None = None
    language: Language | None = None

    def period(self) -> Period:
        """The period of whole days."""
        return Period(self.since, self.until)


class QuantilesOut(BaseModel):
    """Of so many values."""

    count: int
    median: float | None
    high: float | None


class UsedOut(BaseModel):
    """An FAQ or document, and how many answers cite it."""

    kind: str
    id: str
    title: str
    count: int


class UnusedOut(BaseModel):
    """A published FAQ that no answer cites."""

    id: str
    question: str


class OverviewOut(BaseModel):
    """The numbers of a period. latency: milliseconds, high is p95; wait: seconds, high is p90."""

    days: dict[date, dict[Outcome, int]]
    outcomes: dict[Outcome, int]
    answers: dict[Kind, int]
    questions: int
    answered: int
    false_answers: int
    liked: int
    judged: int
    first_token: QuantilesOut
    whole: QuantilesOut
    top: list[UsedOut]
    unused: list[UnusedOut]
    unused_count: int
    published: int
    handoffs: int
    wait: QuantilesOut
    waiting: int
    missed: int


@router.get("/overview")
def overview(
    query: Annotated[Looking, Query()], desk: TheDesk, session: Annotated[Session, needs("overview.read")]
) -> OverviewOut:
    """Conversations, resolution, coverage, quality, speed, sources and handoffs of a period."""
    found = looked(desk, query)
    return OverviewOut(
        days={day: dict(counts) for day, counts in found.days.items()},
        outcomes=dict(found.outcomes),
        answers=dict(found.kinds),
        questions=found.questions,
        answered=found.answered,
        false_answers=found.false,
        liked=found.liked,
        judged=found.judged,
        first_token=_quantiles(found.first_token),
        whole=_quantiles(found.whole),
        top=[UsedOut.model_validate(asdict(one)) for one in found.top],
        unused=[UnusedOut(id=id, question=question) for id, question in found.unused.faqs],
        unused_count=found.unused.count,
        published=found.unused.published,
        handoffs=found.handoffs.asked,
        wait=_quantiles(found.handoffs.wait),
        waiting=found.handoffs.waiting,
        missed=found.handoffs.missed,
    )


@router.get(
    "/overview/{table}.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def download(
    table: Annotated[TableName, Path()],
    query: Annotated[Looking, Query()],
    desk: TheDesk,
    session: Annotated[Session, needs("overview.read")],
) -> Response:
    """One table of the overview as CSV."""
    header, rows = TABLES[table](looked(desk, query))
    name = f"{table}_{query.period().name}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(csv_text(header, rows), media_type="text/csv; charset=utf-8", headers=headers)


def looked(desk: Desk, query: Looking) -> Statistics:
    """The numbers of a period."""
    period = query.period()
    return statistics(log_of(desk), Scope(period.since, period.until, query.language))


def _days(found: Statistics) -> Table:
    rows = [(day.isoformat(), *(counts.get(one, 0) for one in OUTCOMES)) for day, counts in found.days.items()]
    return ("day", *OUTCOMES), list(rows)


def _answers(found: Statistics) -> Table:
    return ("kind", "answers", "of"), [(kind, found.kinds.get(kind, 0), found.questions) for kind in KINDS]


def _quality(found: Statistics) -> Table:
    rows: list[Sequence[object]] = [
        ("answered questions", found.answered, found.questions),
        ("false answers found", found.false, found.answered),
        ("judged helpful", found.liked, found.judged),
    ]
    return ("what", "count", "of"), rows


def _latency(found: Statistics) -> Table:
    named = (("first token", found.first_token), ("whole answer", found.whole))
    return ("what", "answers", "p50 ms", "p95 ms"), [(name, one.count, one.middle, one.high) for name, one in named]


def _top(found: Statistics) -> Table:
    return ("kind", "id", "title", "answers"), [(one.kind, one.id, one.title, one.count) for one in found.top]


def _unused(found: Statistics) -> Table:
    return ("id", "question"), list(found.unused.faqs)


def _handoffs(found: Statistics) -> Table:
    one = found.handoffs
    row = (one.asked, one.wait.count, one.waiting, one.missed, one.wait.middle, one.wait.high)
    return ("asked", "taken", "waiting", "missed", "median wait s", "p90 wait s"), [row]


TABLES: dict[TableName, Callable[[Statistics], Table]] = {
    "days": _days,
    "answers": _answers,
    "quality": _quality,
    "latency": _latency,
    "top": _top,
    "unused": _unused,
    "handoffs": _handoffs,
}
"""How each table is made."""
assert set(TABLES) == set(get_args(TableName))


def _quantiles(found: Quantiles) -> QuantilesOut:
    return QuantilesOut(count=found.count, median=found.middle, high=found.high)
