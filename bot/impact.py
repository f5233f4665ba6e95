"""Which questions would get another answer if an FAQ were published as it stands in the editor, or removed.

Looks at what customers asked and at the golden questions. Decides as the bot does; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Engine, func, select

from bot import tables
from bot.calibration import Calibration
from bot.control import control
from bot.decide import decide
from bot.query import standalone
from bot.types import Decision, Kind
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.searching import Searching
from knowledge_base.types import Faq, Hit, Language, Progress

LOGGED = 200
"""Different questions of customers that are looked at, the newest."""
GOLDEN = 500
"""Golden questions that are looked at, the newest."""
_GROUP = 32  # questions encoded together


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched for."""

    origin: Literal["logged", "golden"]
    query: str
    language: Language


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered: a text, the questions offered, or nothing; and from which FAQ or document."""

    kind: Kind
    text: str = ""
    source_id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A question that would get another answer."""

    asked: Asked
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Impact:
    """The changes among so many questions looked at."""

    changes: tuple[Change, ...]
    logged: int
    golden: int


def questions(engine: Engine) -> list[Asked]:
    """The newest questions that customers asked, each once, and the golden ones; without small talk."""
    answer, golden = tables.answer.c, tables.golden.c
    newest = func.max(answer.message_number)
    logged = (
        select(answer.query, answer.language)
        .where(answer.query != "", answer.kind != "smalltalk")
        .group_by(answer.query, answer.language)
        .order_by(newest.desc())
        .limit(LOGGED)
    )
    chosen = select(golden.question, golden.language, golden.history).order_by(golden.at.desc()).limit(GOLDEN)
    with engine.connect() as connection:
        found = [Asked("logged", row.query, row.language) for row in connection.execute(logged)]
        for row in connection.execute(chosen):
            earlier = [turn["text"] for turn in row.history if turn.get("role") in ("user", "customer")]
            found.append(Asked("golden", standalone(row.question, earlier), row.language))
    return found


def impact(
    knowledge: KnowledgeBase,
    calibration: Calibration,
    asked: Sequence[Asked],
    faq: Faq,
    removed: bool = False,
    progress: Progress | None = None,
) -> Impact:
    """What publishing `faq`, or removing it, changes for these questions.

    progress: (questions looked at, questions in all); what it raises ends the work.
    """
    changed = () if removed else (replace(faq, status="published"),)
    now, then = knowledge.with_changes(changed, (faq.id,))
    changes: list[Change] = []
    for start in range(0, len(asked), _GROUP):
        group = asked[start : start + _GROUP]
        knowledge.encoder.encode_queries([one.query for one in group])  # remembered for the searches
        for at, one in enumerate(group, start=start + 1):
            if change := _change(now, then, calibration, one):
                changes.append(change)
            if progress:
                progress(at, len(asked))
    logged = sum(one.origin == "logged" for one in asked)
    return Impact(tuple(changes), logged, len(asked) - logged)


def _change(now: Searching, then: Searching, calibration: Calibration, asked: Asked) -> Change | None:
    """The change for one question; what is found alike needs no closer look."""
    hits, other = now.first_look(asked.query, asked.language), then.first_look(asked.query, asked.language)
    if hits == other:
        return None
    before = _outcome(now, calibration, asked, hits)
    after = _outcome(then, calibration, asked, other)
    return None if before == after else Change(asked, before, after)


def _outcome(searching: Searching, calibration: Calibration, asked: Asked, hits: list[Hit]) -> Outcome:
    hits = searching.second_look(asked.query, asked.language, hits)
    if control(asked.query) and not (hits and hits[0].exact):
        return Outcome("smalltalk")
    return _told(decide(hits, asked.query, asked.language, calibration))


def _told(decision: Decision) -> Outcome:
    if decision.kind == "clarify":
        return Outcome("clarify", "\n".join(decision.options))
    if not decision.hits:
        return Outcome(decision.kind)
    passage = decision.hits[0].passage
    return Outcome(decision.kind, passage.text, passage.source_id, passage.title)
