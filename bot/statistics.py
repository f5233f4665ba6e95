"""Counts what the log holds of a period: conversations, answers, latencies, judgements, handoffs. Reads only.

Everything is counted in the database or on slim columns. What an outcome is, `bot.outcome` says.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    FromClause,
    String,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from bot import tables
from bot.outcome import ANSWERED, Outcome, ended
from bot.types import Kind
from knowledge_base import tables as knowledge
from knowledge_base.types import Language, SourceKind

NEWEST = 10_000
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
    """All numbers of a scope. The days, the longest of them, are counted beside the others."""
    with ThreadPoolExecutor(1) as beside, engine.connect() as connection:
        counting = beside.submit(_counted_days, engine, scope)
        first_token, whole = _latencies(connection, scope)
        liked, judged = _judgements(connection, scope)
        cited = _cited(connection, scope)
        by_all = _cited(connection, replace(scope, language=None)) if scope.language else cited
        return Statistics(
            kinds=_kinds(connection, scope),
            false=_false(connection, scope),
            liked=liked,
            judged=judged,
            first_token=first_token,
            whole=whole,
            top=_top(connection, cited),
            unused=_unused(connection, scope, by_all),
            handoffs=_handoffs(connection, scope),
            days=counting.result(),
        )


def _counted_days(engine: Engine, scope: Scope) -> dict[date, dict[Outcome, int]]:
    with engine.connect() as connection:
        return _days(connection, scope)


def _days(connection: Connection, scope: Scope) -> dict[date, dict[Outcome, int]]:
    """Conversations with a question by day and outcome, every day from the first to the last, in local time."""
    opened = tables.conversation.c.opened
    columns, over = ended(select(tables.conversation.c.id).where(*scope.within(opened)))
    stored = cast(type_coerce(opened, DateTime), String)  # as text, which is read and compared fastest
    statement = over.with_only_columns(stored.label("opened"), columns.outcome.label("outcome"))
    if scope.language:
        statement = statement.where(columns.language == scope.language)
    rows = [row for row in connection.execute(statement) if row.outcome != "none"]
    if not rows:
        return {}
    days = _local_days(min(row.opened for row in rows), max(row.opened for row in rows))
    begins = list(days)
    counted = Counter((bisect_right(begins, row.opened) - 1, row.outcome) for row in rows)
    found: dict[date, dict[Outcome, int]] = {day: {} for day in days.values()}
    for (place, outcome), count in counted.items():
        found[days[begins[place]]][outcome] = count
    return found


def _local_days(first: str, last: str) -> dict[str, date]:
    """The local days from one stored moment to another, by their beginnings as they would be stored."""
    day, until = (datetime.fromisoformat(one).replace(tzinfo=UTC).astimezone().date() for one in (first, last))
    days: dict[str, date] = {}
    while day <= until:
        begins = datetime.combine(day, time.min).astimezone(UTC)
        days[f"{begins:%Y-%m-%d %H:%M:%S}"] = day
        day += timedelta(days=1)
    return days


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
    joined = _said(scope).join(tables.feedback, _FEEDBACK.message_number == _MESSAGE.number)
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


def _cited(connection: Connection, scope: Scope) -> Counter[tuple[SourceKind, str]]:
    """How many answers cite each source."""
    joined = _said(scope).join(tables.answer_source, _SOURCE.message_number == _MESSAGE.number)
    statement = select(_SOURCE.kind, _SOURCE.source_id, func.count()).select_from(joined)
    statement = statement.where(*scope.of(_MESSAGE.at, _ANSWER.language)).group_by(_SOURCE.kind, _SOURCE.source_id)
    return Counter({(row[0], row[1]): row[2] for row in connection.execute(statement)})


def _top(connection: Connection, cited: Counter[tuple[SourceKind, str]]) -> list[Used]:
    """What was asked most: the sources that most answers cite."""
    most = sorted(cited.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    ids = [id for (_, id), _ in most]
    faq, document = knowledge.faq.c, knowledge.document.c
    titles: dict[tuple[SourceKind, str], str] = {}
    named: tuple[tuple[SourceKind, Any, Any], ...] = (
        ("faq", faq.id, faq.question),
        ("document", document.id, document.title),
    )
    for kind, id, title in named:
        titles |= {(kind, row[0]): row[1] for row in connection.execute(select(id, title).where(id.in_(ids)))}
    return [Used(*source, titles.get(source, source[1]), count) for source, count in most]


def _unused(connection: Connection, scope: Scope, cited: Collection[tuple[SourceKind, str]]) -> Unused:
    faq = knowledge.faq.c
    published = [faq.status == "published", *([faq.language == scope.language] if scope.language else [])]
    known = connection.execute(select(faq.id).where(*published).order_by(faq.id)).scalars().all()
    lonely = [id for id in known if ("faq", id) not in cited]
    asked = select(faq.id, faq.question).where(faq.id.in_(lonely[:_UNUSED]))
    questions = {row.id: row.question for row in connection.execute(asked)}
    return Unused([(id, questions[id]) for id in lonely[:_UNUSED]], len(lonely), len(known))


def _handoffs(connection: Connection, scope: Scope) -> Handoffs:
    conditions = scope.of(_HANDOFF.asked, _HANDOFF.language)
    statement = select(_HANDOFF.asked, _HANDOFF.claimed, _HANDOFF.ended).where(*conditions)
    rows = connection.execute(statement.order_by(_HANDOFF.id.desc()).limit(NEWEST)).all()
    waits = [max(0.0, (row.claimed - row.asked).total_seconds()) for row in rows if row.claimed]
    unclaimed = [row for row in rows if not row.claimed]
    missed = sum(row.ended is not None for row in unclaimed)
    return Handoffs(len(rows), _quantiles(waits, 0.9), len(unclaimed) - missed, missed)


def _said(scope: Scope) -> FromClause:
    """The messages, with their answers only where the language is asked for: those rows are large."""
    return _JOINED if scope.language else tables.message


def _quantiles(values: Sequence[float], high: float) -> Quantiles:
    if not values:
        return Quantiles(0, None, None)
    middle, top = np.quantile(np.asarray(values), (0.5, high))
    return Quantiles(len(values), float(middle), float(top))
