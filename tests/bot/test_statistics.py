"""The numbers of a period."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from bot import tables
from bot.corrections import correct
from bot.log import ConversationLog
from bot.statistics import Scope, statistics
from bot.types import Answer, Citation, Kind, Message
from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Language
from tests.fakes import HashEncoder

NOON = datetime.now().astimezone().replace(hour=12) - timedelta(days=3)


@pytest.fixture
def knowledge(log: ConversationLog, tmp_path: Path, database_url: str) -> Iterator[KnowledgeBase]:
    opened = open_in(tmp_path, Retrieval(HashEncoder()), database_url)
    opened.put_faqs([Faq("a", "怎么退货？", "…", "zh"), Faq("b", "运费？", "…", "zh"), Faq("c", "Fee?", "…", "en")])
    opened.put_faqs([Faq("d", "草稿", "…", "zh", status="draft")])
    yield opened
    opened.close()


@pytest.fixture
def engine(log: ConversationLog, knowledge: KnowledgeBase) -> Engine:
    return log._engine


def talk(log: ConversationLog, days_ago: int, *kinds: Kind, language: Language = "zh", source: str = "") -> str:
    id, at = log.open().id, NOON - timedelta(days=days_ago)
    cited = (Citation(1, "faq", source, 1, "t", (), "q", 1, datetime.now(UTC)),) if source else ()
    for number, kind in enumerate(kinds):
        log.ask(id, Message(f"q{number}", "customer", "?", at))
        latency = {"first_token": 10.0 * (number + 1), "total": 100.0 * (number + 1)}
        log.answer(id, Answer(f"a{number}", kind, "…", language, citations=cited, latency_ms=latency))
    with log._engine.begin() as connection:
        message, conversation = tables.message.c, tables.conversation.c
        connection.execute(update(tables.message).where(message.conversation_id == id).values(at=at))
        connection.execute(update(tables.conversation).where(conversation.id == id).values(opened=at))
    return id


def test_conversations_are_counted_by_day_and_outcome(log: ConversationLog, engine: Engine) -> None:
    talk(log, 2, "faq")
    talk(log, 2, "abstain")
    talk(log, 2, "smalltalk")
    liked = talk(log, 0, "grounded")
    log.feedback(liked, "a0", True)
    found = statistics(engine, Scope())
    days = [(NOON - timedelta(days=number)).date() for number in (2, 1, 0)]
    assert dict(found.days) == {days[0]: {"assumed": 1, "abandoned": 1}, days[1]: {}, days[2]: {"confirmed": 1}}
    assert found.outcomes == {"assumed": 1, "abandoned": 1, "confirmed": 1}


def test_answers_are_counted_by_kind_language_and_period(log: ConversationLog, engine: Engine) -> None:
    talk(log, 0, "faq", "grounded", "abstain", "smalltalk")
    talk(log, 5, "clarify", language="en")
    found = statistics(engine, Scope())
    assert (found.answered, found.questions) == (2, 4)
    assert statistics(engine, Scope(language="en")).kinds == {"clarify": 1}
    assert statistics(engine, Scope(since=NOON - timedelta(days=1))).questions == 3
    assert statistics(engine, Scope(until=NOON - timedelta(days=1))).questions == 1
    assert statistics(engine, Scope(language="en")).outcomes == {"abandoned": 1}


def test_false_answers_are_those_that_were_corrected_or_called_wrong(log: ConversationLog, engine: Engine) -> None:
    id = talk(log, 0, "faq", "faq", "faq", "abstain")
    log.feedback(id, "a0", False, "wrong")
    log.feedback(id, "a1", False, "unclear")
    log.feedback(id, "a2", True)
    for number in (0, 1, 3):
        correct(engine, id, f"a{number}", "…", "An")
    found = statistics(engine, Scope())
    assert (found.false, found.liked, found.judged) == (2, 1, 3)


def test_latencies_are_given_as_median_and_p95(log: ConversationLog, engine: Engine) -> None:
    talk(log, 0, "faq", "faq", "faq", "smalltalk")
    found = statistics(engine, Scope())
    assert (found.first_token.count, found.first_token.middle) == (3, 20.0)
    assert found.whole.middle == 200.0 and found.whole.high == pytest.approx(290.0)
    assert statistics(engine, Scope(language="en")).whole.middle is None


def test_sources_are_ranked_and_unused_faqs_named(log: ConversationLog, engine: Engine) -> None:
    for source in ("a", "a", "gone"):
        talk(log, 0, "faq", source=source)
    found = statistics(engine, Scope())
    assert [(one.id, one.title, one.count) for one in found.top] == [("a", "怎么退货？", 2), ("gone", "gone", 1)]
    assert (list(found.unused.faqs), found.unused.count, found.unused.published) == (
        [("b", "运费？"), ("c", "Fee?")],
        2,
        3,
    )
    assert statistics(engine, Scope(language="en")).unused.published == 1
    assert statistics(engine, Scope(until=NOON - timedelta(days=1))).unused.count == 3


def test_waiting_for_a_person_is_measured(log: ConversationLog, engine: Engine) -> None:
    id = talk(log, 0, "handoff")
    with engine.begin() as connection:
        for wait, ended in ((10, True), (20, True), (60, False), (None, True), (None, False)):
            claimed = None if wait is None else NOON + timedelta(seconds=wait)
            values = {"conversation_id": id, "reason": "asked", "language": "zh", "asked": NOON, "claimed": claimed}
            connection.execute(insert(tables.handoff).values(**values, ended=NOON if ended else None))
    found = statistics(engine, Scope()).handoffs
    assert (found.asked, found.wait.count, found.wait.middle, found.waiting, found.missed) == (5, 3, 20.0, 1, 1)
