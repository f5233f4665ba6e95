"""How conversations go that run on a release, counted in the log; which release is to be watched. Judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, case, func, select

from bot import tables
from bot.outcome import ANSWERED
from bot.releases import Releases
from bot.watch import Figure, Live, Share
from knowledge_base.types import Language

_MESSAGE = tables.message.c
_ANSWER = tables.answer.c
_COLUMNS: dict[Figure, tuple[str, str]] = {
    "abstained": ("abstained", "asked"),
    "disliked": ("disliked", "judged"),
    "corrected": ("corrected", "answered"),
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A release to be watched, and with what it is compared: `before`, in [from_, to) or, to None, beside it."""

    release: str
    before: str
    since: datetime
    from_: datetime
    to: datetime | None


def watched(releases: Releases, days: float, now: datetime) -> Watched | None:
    """The release on trial, else the one that serves if it was promoted less than `days` ago; None for neither."""
    if trial := releases.trial():
        return Watched(trial.release, trial.before, trial.since, trial.since, None)
    moves = [chapter for chapter in releases.story() if chapter.act in ("promote", "rollback")]
    last = moves[-1] if moves else None
    span = timedelta(days=days)
    if last is None or last.act != "promote" or last.at + span <= now:
        return None
    return Watched(last.release, last.before, last.at, last.at - span, last.at)


def compared(engine: Engine, what: Watched) -> tuple[Live, Live]:
    """How conversations went before, or go beside it, and on the watched release."""
    before = counted(engine, what.before, what.from_, what.to)
    return before, counted(engine, what.release, what.since)


def counted(engine: Engine, release: str, since: datetime, until: datetime | None = None) -> Live:
    """The conversations with answers of a release in a period, by language of the answers."""
    judged, corrected = tables.feedback, tables.correction
    joined = (
        tables.message.join(tables.answer, _ANSWER.message_number == _MESSAGE.number)
        .outerjoin(judged, judged.c.message_number == _MESSAGE.number)
        .outerjoin(corrected, corrected.c.message_number == _MESSAGE.number)
    )
    answered = _ANSWER.kind.in_(ANSWERED)

    def any_(condition: Any, name: str) -> Any:
        return func.max(case((condition, 1), else_=0)).label(name)

    each = (
        select(
            _ANSWER.language,
            any_(_ANSWER.kind == "abstain", "abstained"),
            any_(judged.c.helpful.is_(False), "disliked"),
            any_(judged.c.helpful.is_not(None), "judged"),
            any_(answered & corrected.c.text.is_not(None), "corrected"),
            any_(answered, "answered"),
        )
        .select_from(joined)
        .where(_MESSAGE.at >= since, _ANSWER.release == release, _ANSWER.kind != "smalltalk")
        .group_by(_MESSAGE.conversation_id, _ANSWER.language)
    )
    one = (each.where(_MESSAGE.at < until) if until else each).subquery()
    sums = [func.sum(one.c[name]).label(name) for name in ("abstained", "disliked", "judged", "corrected", "answered")]
    statement = select(one.c.language, func.count().label("asked"), *sums).group_by(one.c.language)
    with engine.connect() as connection:
        return _live(connection.execute(statement).all())


def _live(rows: Sequence[Row[Any]]) -> Live:
    found: dict[tuple[Figure, Language], Share] = {}
    for row in rows:
        counts = row._mapping
        for figure, (count, of) in _COLUMNS.items():
            found[figure, row.language] = Share(int(counts[count]), int(counts[of]))
    return found
