"""How conversations ended, as SQL: what "confirmed", "assumed" and "abandoned" mean is said here and only here.

confirmed: the customer said that it is solved, or their last answer has a thumb up.
abandoned: the customer said that it is not solved, or their last judgement is a thumb down, or the last answer
    was none (abstained, asked back, passed to a person) and no person took over, or one closed it as unsolved.
assumed: answered by the bot or taken over by a person, nothing negative said, and left.
open: somebody is waiting for or talking with a person, or the last message is younger than 30 minutes.
none: nothing was asked; greetings only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, or_, select

from bot import tables

Outcome = Literal["confirmed", "assumed", "abandoned", "open", "none"]
QUIET = timedelta(minutes=30)
"""After so long without a message a conversation is over."""
ANSWERED = ("faq", "grounded")
"""Kinds of answers that answer."""

_CONVERSATION = tables.conversation.c
_MESSAGE = tables.message.c
_ANSWER = tables.answer.c
_HANDOFF = tables.handoff.c


@dataclass(frozen=True, slots=True)
class Ended:
    """The columns of `ended`, by which to filter and count."""

    outcome: ColumnElement[str]
    kind: ColumnElement[str | None]  # of the last answer that is no smalltalk
    language: ColumnElement[str | None]


def ended(among: Select[Any], now: datetime | None = None) -> tuple[Ended, Select[Any]]:
    """How each conversation of `among` (a select of ids) ended.

    Returns the columns and a select of conversation.id that they can be added to.
    """
    ids = among.cte("among")
    last = _last_answers(ids)
    judged = _last_judgements(ids)
    answer, feedback = tables.answer.alias("last_answer"), tables.feedback.alias("last_feedback")
    joined = (
        tables.conversation.join(ids, ids.c.id == _CONVERSATION.id)
        .outerjoin(last, last.c.id == _CONVERSATION.id)
        .outerjoin(answer, answer.c.message_number == last.c.number)
        .outerjoin(judged, judged.c.id == _CONVERSATION.id)
        .outerjoin(feedback, feedback.c.message_number == judged.c.number)
    )
    outcome = case(
        (_CONVERSATION.solved.is_(True), "confirmed"),
        (_CONVERSATION.solved.is_(False), "abandoned"),
        (_is_going_on(now or datetime.now(UTC)), "open"),
        (last.c.number.is_(None), "none"),
        (feedback.c.helpful.is_(False), "abandoned"),
        (and_(feedback.c.helpful.is_(True), judged.c.number == last.c.number), "confirmed"),
        (answer.c.kind.in_(ANSWERED), "assumed"),
        (and_(answer.c.kind == "handoff", _CONVERSATION.id.in_(_taken_over())), "assumed"),
        else_="abandoned",
    )
    statement = select(_CONVERSATION.id).select_from(joined)
    return Ended(outcome, answer.c.kind, answer.c.language), statement


def _last_answers(among: CTE) -> CTE:
    """The number of each conversation's last answer that is no smalltalk."""
    answers = select(_ANSWER.message_number).where(_ANSWER.kind != "smalltalk")  # read from the index on kind
    return (
        select(_MESSAGE.conversation_id.label("id"), func.max(_MESSAGE.number).label("number"))
        .where(_MESSAGE.number.in_(answers), _MESSAGE.conversation_id.in_(select(among.c.id)))
        .group_by(_MESSAGE.conversation_id)
        .cte("last")
    )


def _last_judgements(among: CTE) -> CTE:
    """The number of the answer that was judged last, for each conversation with a judgement."""
    joined = tables.feedback.join(tables.message, _MESSAGE.number == tables.feedback.c.message_number)
    return (
        select(_MESSAGE.conversation_id.label("id"), func.max(_MESSAGE.number).label("number"))
        .select_from(joined)
        .where(_MESSAGE.conversation_id.in_(select(among.c.id)))
        .group_by(_MESSAGE.conversation_id)
        .cte("judged")
    )


def _is_going_on(now: datetime) -> ColumnElement[bool]:
    handed = select(_HANDOFF.conversation_id).where(_HANDOFF.ended.is_(None))
    fresh = select(_MESSAGE.conversation_id).where(_MESSAGE.at.between(now - QUIET, now + QUIET))
    return or_(_CONVERSATION.id.in_(handed), _CONVERSATION.id.in_(fresh))


def _taken_over() -> Select[Any]:
    """Conversations whose last handoff a person took, and did not close as unsolved."""
    newest = select(func.max(_HANDOFF.id)).group_by(_HANDOFF.conversation_id)
    well = func.coalesce(_HANDOFF.outcome, "") != "unsolved"
    return select(_HANDOFF.conversation_id).where(_HANDOFF.id.in_(newest), _HANDOFF.claimed.is_not(None), well)
