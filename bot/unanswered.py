"""What customers asked that was not answered, or not well: read from the log, newest first. Knows no encoder.

A question counts when its answer abstained or passed to a person, when it was asked back about and no answer
followed, when the answer got a thumb down, and when staff corrected it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Engine, Row, Select, case, func, literal, or_, select

from bot import tables
from bot.control import control
from bot.outcome import ANSWERED
from knowledge_base import tables as knowledge
from knowledge_base.language import language_of, normalise
from knowledge_base.types import Language

Why = Literal["abstain", "clarify", "handoff", "thumb", "correction"]
_FAILED = ("abstain", "clarify", "handoff")
_LONGEST = 500  # characters of a question that are read
_EXAMPLES = 5  # conversations that are named
_GROUP = 400  # conversations read at once
_MESSAGE = tables.message.c
_ANSWER = tables.answer.c
_FEEDBACK = tables.feedback.c


@dataclass(slots=True)
class Asked:
    """One question, however often it was asked with the same words."""

    text: str
    language: Language
    last: datetime
    why: Counter[Why] = field(default_factory=Counter)
    conversations: list[str] = field(default_factory=list)  # the newest few
    answer: str = ""  # what it should be, as staff said last

    @property
    def count(self) -> int:
        """How often it was asked."""
        return self.why.total()


@dataclass(frozen=True, slots=True)
class _Failure:
    text: str
    language: Language
    at: datetime
    why: Why
    conversation_id: str
    answer: str = ""


def asked(engine: Engine, since: datetime | None, until: datetime | None, most: int) -> dict[str, Asked]:
    """The newest `most` distinct questions without a good answer, by their normal form."""
    found: dict[str, Asked] = {}
    with engine.connect() as connection:
        ids = list(connection.execute(_conversations(since, until)).scalars())
        for start in range(0, len(ids), _GROUP):
            rows = connection.execute(_messages(ids[start : start + _GROUP], since, until)).all()
            for failure in _newest_first(_failures(rows)):
                normal = normalise(failure.text)
                if normal not in found and len(found) >= most:
                    return found
                _add(found, normal, failure)
    return found


def covered(engine: Engine, normals: Iterable[str]) -> set[str]:
    """Those normal forms that are phrasings of published FAQs."""
    wanted, entry = list(normals), knowledge.entry.c
    known: set[str] = set()
    with engine.connect() as connection:
        for start in range(0, len(wanted), _GROUP):
            batch = [normal[:512] for normal in wanted[start : start + _GROUP]]
            statement = select(entry.normal).where(entry.normal.in_(batch), entry.role == "question")
            known.update(connection.execute(statement).scalars())
    return {normal for normal in wanted if normal[:512] in known}


def drafted(engine: Engine) -> dict[str, str]:
    """Phrasings of FAQs that are not published yet, in normal form, each with the id of its FAQ."""
    faq = knowledge.faq.c
    with engine.connect() as connection:
        rows = connection.execute(select(faq.id, faq.question, faq.similar).where(faq.status != "published"))
        return {normalise(text): row.id for row in rows for text in (row.question, *row.similar)}


def signature(engine: Engine) -> tuple[object, ...]:
    """Changes whenever something new was logged, judged, corrected, erased, or an FAQ changed."""
    faq = knowledge.faq.c
    statements: list[Any] = [
        select(func.max(_ANSWER.message_number)),
        select(func.count(), func.max(_FEEDBACK.at)).select_from(tables.feedback),
        select(func.count(), func.max(tables.correction.c.at)).select_from(tables.correction),
        select(func.count()).select_from(tables.conversation),
        select(func.count(), func.max(faq.updated), func.sum(faq.version)).select_from(knowledge.faq),
    ]
    with engine.connect() as connection:
        return tuple(tuple(connection.execute(statement).one()) for statement in statements)


def _conversations(since: datetime | None, until: datetime | None) -> Select[Any]:
    """Ids of conversations with an answer in the period that was none, or was thought badly of; newest first."""
    joined = tables.message.join(tables.answer, _ANSWER.message_number == _MESSAGE.number)
    bad = select(_FEEDBACK.message_number).where(_FEEDBACK.helpful.is_(False))
    corrected = select(tables.correction.c.message_number)
    failed = or_(_ANSWER.kind.in_(_FAILED), _MESSAGE.number.in_(bad), _MESSAGE.number.in_(corrected))
    statement = select(_MESSAGE.conversation_id).select_from(joined).where(failed)
    if since:
        statement = statement.where(_MESSAGE.at >= since)
    if until:
        statement = statement.where(_MESSAGE.at < until)
    return statement.group_by(_MESSAGE.conversation_id).order_by(func.max(_MESSAGE.number).desc())


def _messages(ids: Sequence[str], since: datetime | None, until: datetime | None) -> Select[Any]:
    """The customers' words and what was thought of the answers, conversation by conversation, in order."""
    joined = (
        tables.message.outerjoin(tables.answer, _ANSWER.message_number == _MESSAGE.number)
        .outerjoin(tables.feedback, _FEEDBACK.message_number == _MESSAGE.number)
        .outerjoin(tables.correction, tables.correction.c.message_number == _MESSAGE.number)
    )
    said = case((_MESSAGE.role == "customer", func.substr(_MESSAGE.text, 1, _LONGEST)), else_="")
    columns = (_MESSAGE.conversation_id, _MESSAGE.at, said.label("said"), _ANSWER.kind, _ANSWER.language)
    within = [_MESSAGE.at >= since] if since else []
    within += [_MESSAGE.at < until] if until else []
    counts = case(*[(~condition, False) for condition in within], else_=True) if within else literal(True)
    judged = (_FEEDBACK.helpful.label("helpful"), tables.correction.c.text.label("corrected"))
    statement = select(*columns, counts.label("counts"), *judged).select_from(joined)
    return statement.where(_MESSAGE.conversation_id.in_(ids)).order_by(_MESSAGE.conversation_id, _MESSAGE.number)


def _failures(rows: Sequence[Row[Any]]) -> Iterator[_Failure]:
    for conversation_id, group in groupby(rows, key=lambda row: row.conversation_id):
        yield from _failures_of(str(conversation_id), list(group))


def _failures_of(conversation_id: str, rows: Sequence[Row[Any]]) -> Iterator[_Failure]:
    """Each question once, for the first reason that there is."""
    kinds = [row.kind for row in rows if row.kind and row.kind != "smalltalk"]
    question, told, number = "", False, 0
    for row in rows:
        if row.said and control(row.said) is None:
            question, told = row.said.strip(), False
        if not row.kind:
            continue
        number += row.kind != "smalltalk"
        why = _why(row, next(iter(kinds[number:]), None))
        if why and question and row.counts and not told:
            told = True
            yield _Failure(
                question, language_of(question, row.language), row.at, why, conversation_id, row.corrected or ""
            )


def _why(row: Row[Any], following: str | None) -> Why | None:
    """Why an answer was not good; `following` is the kind of the next one."""
    if row.corrected is not None:
        return "correction"
    if row.helpful is False:
        return "thumb"
    if row.kind == "abstain":
        return "abstain"
    if row.kind == "handoff":
        return "handoff"
    return "clarify" if row.kind == "clarify" and following not in ANSWERED else None


def _newest_first(failures: Iterable[_Failure]) -> list[_Failure]:
    return sorted(failures, key=lambda failure: failure.at, reverse=True)


def _add(found: dict[str, Asked], normal: str, failure: _Failure) -> None:
    if normal not in found:
        found[normal] = Asked(failure.text, failure.language, failure.at)
    one = found[normal]
    one.why[failure.why] += 1
    one.last = max(one.last, failure.at)
    one.answer = one.answer or failure.answer
    if len(one.conversations) < _EXAMPLES and failure.conversation_id not in one.conversations:
        one.conversations.append(failure.conversation_id)


def reasons(many: Iterable[Asked]) -> Mapping[Why, int]:
    """The reasons of several questions together, the most frequent first."""
    total: Counter[Why] = Counter()
    for one in many:
        total.update(one.why)
    return dict(total.most_common())
