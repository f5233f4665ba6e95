"""Counts what the log holds of a period: conversations, answers, latencies, judgements, handoffs. Reads only.

Everything is counted in the database or on slim columns. What an outcome is, `bot.outcome` says.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, FromClause, func, or_, select

from bot import tables
from bot.outcome import ANSWERED, Outcome, ended
from bot.types import Kind
from knowledge_base import tables as knowledge
from knowledge_base.types import Language, SourceKind

NEWEST = 20_000
"""Answers whose latencies are looked at: the newest of the period."""
_TOP = 20
_UNUSED = 200
_MESSAGE = tables.message.c
_ANSWER = tables.answer.c
_FEEDBACK = tables.feedback.c
_SOURCE = tables.answer_source.c
_HANDOFF = tables.handoff.c
_JOINED = tables.message.join(tables.answer, _ANSWER.message_number == _MESSAGE.number)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which period (until is exclusive) and language; None: no bound, both."""

    since: datetime | None = None
    until: datetime | None = None
    language: Language | None = None

    def within(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions by which a time lies in the period."""
        since = [column >= self.since] if self.since else []
        return since + ([column < self.until] if self.until else [])

    def of(self, times: ColumnElement[Any], languages: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a time and a language."""
        return self.within(times) + ([languages == self.language] if self.language else [])


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of so many values; None where there is none."""

    count: int
    middle: float | None  # the median
    high: float | None  # p95 of latencies, p90 of waits


@dataclass(frozen=True, slots=True)
class Used:
    """An FAQ or document, and how many answers cite it."""

    kind: SourceKind
    id: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Unused:
    """Published FAQs that no answer cites: the first of them, how many there are, of how many."""

    faqs: Sequence[tuple[str, str]]  # (id, question)
    count: int
    published: int


@dataclass(frozen=True, slots=True)
class Handoffs:
    """How long customers waited for a person, in seconds (median and p90), and who waited in vain."""

    asked: int
    wait: Quantiles  # of those that a person took
    waiting: int  # still
    missed: int  # ended without a person


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one scope."""

    days: Mapping[date, Mapping[Outcome, int]]  # by the day on which a conversation was opened; none is left out
    kinds: Mapping[Kind, int]  # of answers; small talk among them
    false: int  # answers that staff corrected, or that the customer called wrong
    liked: int
    judged: int
    first_token: Quantiles  # milliseconds
    whole: Quantiles
    top: Sequence[Used]
    unused: Unused
    handoffs: Handoffs

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """Conversations by outcome."""
        total: Counter[Outcome] = Counter()
        for day in self.days.values():
            total.update(day)
        return dict(total)

    @property
    def answered(self) -> int:
        """Questions that got an answer."""
        return sum(self.kinds.get(kind, 0) for kind in ("faq", "grounded"))

    @property
    def questions(self) -> int:
        """Answers that are no small talk: each is to one question."""
        return sum(count for kind, count in self.kinds.items() if kind != "smalltalk")


def statistics(engine: Engine, scope: Scope) -> Statistics:
    """All numbers of a scope."""
    with engine.connect() as connection:
        first_token, whole = _latencies(connection, scope)
        liked, judged = _judgements(connection, scope)
        return Statistics(
            days=_days(connection, scope),
            kinds=_kinds(connection, scope),
            false=_false(connection, scope),
            liked=liked,
            judged=judged,
            first_token=first_token,
            whole=whole,
            top=_top(connection, scope),
            unused=_unused(connection, scope),
            handoffs=_handoffs(connection, scope),
        )


def _days(connection: Connection, scope: Scope) -> dict[date, dict[Outcome, int]]:
    """Conversations with a question by day and outcome, every day from the first to the last, in local time."""
    opened = tables.conversation.c.opened
    columns, statement = ended(select(tables.conversation.c.id).where(*scope.within(opened)))
    statement = statement.with_only_columns(opened, columns.outcome.label("outcome"))
    if scope.language:
        statement = statement.where(columns.language == scope.language)
    counted: dict[date, Counter[Outcome]] = {}
    for row in connection.execute(statement):
        if row.outcome != "none":
            counted.setdefault(row.opened.astimezone().date(), Counter())[row.outcome] += 1
    if not counted:
        return {}
    first, last = min(counted), max(counted)
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day: dict(counted.get(day, {})) for day in every}


def _kinds(connection: Connection, scope: Scope) -> dict[Kind, int]:
    conditions = scope.of(_MESSAGE.at, _ANSWER.language)
    statement = select(_ANSWER.kind, func.count().label("count")).select_from(_JOINED).where(*conditions)
    return {row.kind: row[1] for row in connection.execute(statement.group_by(_ANSWER.kind))}


def _false(connection: Connection, scope: Scope) -> int:
    corrected = select(tables.correction.c.message_number)
    wrong = select(_FEEDBACK.message_number).where(_FEEDBACK.helpful.is_(False), _FEEDBACK.reason == "wrong")
    conditions = [
        or_(_MESSAGE.number.in_(corrected), _MESSAGE.number.in_(wrong)),
        _ANSWER.kind.in_(ANSWERED),
        *scope.of(_MESSAGE.at, _ANSWER.language),
    ]
    return int(connection.execute(select(func.count()).select_from(_JOINED).where(*conditions)).scalar_one())


def _judgements(connection: Connection, scope: Scope) -> tuple[int, int]:
    joined = _JOINED.join(tables.feedback, _FEEDBACK.message_number == _MESSAGE.number)
    liked = func.count().filter(_FEEDBACK.helpful.is_(True))
    statement = select(liked, func.count()).select_from(joined).where(*scope.of(_MESSAGE.at, _ANSWER.language))
    row = connection.execute(statement).one()
    return int(row[0]), int(row[1])


def _latencies(connection: Connection, scope: Scope) -> tuple[Quantiles, Quantiles]:
    columns = (_ANSWER.latency_ms["first_token"].as_float(), _ANSWER.latency_ms["total"].as_float())
    conditions = [_ANSWER.kind != "smalltalk", *scope.of(_MESSAGE.at, _ANSWER.language)]
    statement = select(*columns).select_from(_JOINED).where(*conditions).order_by(_MESSAGE.number.desc()).limit(NEWEST)
    rows = connection.execute(statement).all()
    first, whole = ([row[place] for row in rows if row[place] is not None] for place in (0, 1))
    return _quantiles(first, 0.95), _quantiles(whole, 0.95)


def _top(connection: Connection, scope: Scope) -> list[Used]:
    """What was asked most: the sources that most answers cite."""
    joined: FromClause = _JOINED if scope.language else tables.message
    joined = joined.join(tables.answer_source, _SOURCE.message_number == _MESSAGE.number)
    count = func.count().label("count")
    statement = select(_SOURCE.kind, _SOURCE.source_id, count).select_from(joined)
    statement = statement.where(*scope.of(_MESSAGE.at, _ANSWER.language)).group_by(_SOURCE.kind, _SOURCE.source_id)
    rows = connection.execute(statement.order_by(count.desc(), _SOURCE.source_id).limit(_TOP)).all()
    ids = [row.source_id for row in rows]
    faq, document = knowledge.faq.c, knowledge.document.c
    titles: dict[tuple[str, str], str] = {}
    for kind, statement_ in (
        ("faq", select(faq.id, faq.question).where(faq.id.in_(ids))),
        ("document", select(document.id, document.title).where(document.id.in_(ids))),
    ):
        titles |= {(kind, row[0]): row[1] for row in connection.execute(statement_)}
    named = ((row.kind, row.source_id, titles.get((row.kind, row.source_id), row.source_id), row[2]) for row in rows)
    return [Used(*values) for values in named]


def _unused(connection: Connection, scope: Scope) -> Unused:
    faq = knowledge.faq.c
    published = [faq.status == "published", *([faq.language == scope.language] if scope.language else [])]
    joined = tables.answer_source.join(tables.message, _MESSAGE.number == _SOURCE.message_number)
    cited = select(_SOURCE.source_id).select_from(joined).where(_SOURCE.kind == "faq", *scope.within(_MESSAGE.at))
    known = connection.execute(select(faq.id).where(*published).order_by(faq.id)).scalars().all()
    used = set(connection.execute(cited.distinct()).scalars())
    lonely = [id for id in known if id not in used]
    asked = select(faq.id, faq.question).where(faq.id.in_(lonely[:_UNUSED]))
    questions = {row.id: row.question for row in connection.execute(asked)}
    return Unused([(id, questions[id]) for id in lonely[:_UNUSED]], len(lonely), len(known))


def _handoffs(connection: Connection, scope: Scope) -> Handoffs:
    conditions = scope.of(_HANDOFF.asked, _HANDOFF.language)
    statement = select(_HANDOFF.asked, _HANDOFF.claimed, _HANDOFF.ended).where(*conditions)
    rows = connection.execute(statement.order_by(_HANDOFF.id.desc()).limit(NEWEST)).all()
    waits = [(row.claimed - row.asked).total_seconds() for row in rows if row.claimed]
    unclaimed = [row for row in rows if not row.claimed]
    missed = sum(row.ended is not None for row in unclaimed)
    return Handoffs(len(rows), _quantiles(waits, 0.9), len(unclaimed) - missed, missed)


def _quantiles(values: Sequence[float], high: float) -> Quantiles:
    if not values:
        return Quantiles(0, None, None)
    middle, top = np.quantile(np.asarray(values), (0.5, high))
    return Quantiles(len(values), float(middle), float(top))
