"""How often sources were cited in answers, when last, and how customers judged those answers. Counted in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, case, func, select

from bot import tables
from knowledge_base.types import SourceKind

_SOURCE = tables.answer_source.c
_MOST = 500  # ids of one question to the database


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one source: answers that cite it, the last one's time, thumbs up and down on them."""

    answers: int = 0
    last: datetime | None = None
    helpful: int = 0
    unhelpful: int = 0


def usage(engine: Engine, kind: SourceKind, ids: Sequence[str]) -> dict[str, Usage]:
    """The use of each of these sources; those never cited are left out."""
    judged = tables.feedback.c.helpful
    joined = tables.answer_source.join(tables.message, tables.message.c.number == _SOURCE.message_number).outerjoin(
        tables.feedback, tables.feedback.c.message_number == _SOURCE.message_number
    )
    counted = (
        select(
            _SOURCE.source_id,
            func.count().label("answers"),
            func.max(tables.message.c.at).label("last"),
            func.sum(case((judged.is_(True), 1), else_=0)).label("helpful"),
            func.sum(case((judged.is_(False), 1), else_=0)).label("unhelpful"),
        )
        .select_from(joined)
        .group_by(_SOURCE.source_id)
    )
    found: dict[str, Usage] = {}
    with engine.connect() as connection:
        for start in range(0, len(ids), _MOST):
            mine = counted.where(_SOURCE.kind == kind, _SOURCE.source_id.in_(ids[start : start + _MOST]))
            for row in connection.execute(mine):
                found[row.source_id] = Usage(row.answers, row.last, int(row.helpful), int(row.unhelpful))
    return found
