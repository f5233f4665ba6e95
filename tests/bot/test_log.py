import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from bot import tables
from bot.erase import erase
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import Answer, Citation, Message
from knowledge_base.database import migrate, open_database
from knowledge_base.types import Hit, Passage

MakePassage = Callable[..., Passage]


@pytest.fixture
def answer(passage: MakePassage) -> Answer:
    found = passage("七天内可退。", headings=("售后", "退货"))
    return Answer(
        id="b1",
        kind="grounded",
        text="七天内可退。👨‍👩‍👧",
        language="zh",
        confidence=0.87,
        query="怎么退货",
        hits=(Hit(found, 0.9, 0.88, 0.5), Hit(passage("答", phrasing="问？"), 1.0, exact=True)),
        citations=(Citation(1, "document", "d1", found.id, "说明", ("售后",), "七天内可退。", 2, found.updated),),
        options=("甲？", "乙？"),
        reason="confidence 0.87",
        release="r1",
        stopped=True,
        latency_ms={"search": 1.5, "total": 20.25},
    )


def test_a_conversation_reads_back_as_it_was(log: ConversationLog, answer: Answer) -> None:
    conversation = log.open()
    at = datetime(2026, 3, 1, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    log.ask(conversation.id, Message("c1", "customer", "怎么退货？'; DROP TABLE message; --", at))
    log.answer(conversation.id, answer)
    log.ask(conversation.id, Message("s1", "staff", "我来了", at))
    loaded = log.load(conversation.id)
    assert loaded is not None
    asked, answered, staff = loaded.messages
    assert asked == Message("c1", "customer", "怎么退货？'; DROP TABLE message; --", at)
    assert asked.at.tzinfo is not None
    assert (answered.id, answered.role, answered.text) == ("b1", "bot", answer.text)
    without_text = tuple(replace(h, passage=replace(h.passage, text="")) for h in answer.hits)
    assert answered.answer == replace(answer, hits=without_text)
    assert (staff.role, staff.answer) == ("staff", None)
    assert datetime.now(UTC) - answered.at < timedelta(minutes=1)


def test_an_unknown_conversation_is_none(log: ConversationLog) -> None:
    assert log.load("nowhere") is None
    opened = log.open()
    assert log.load(opened.id) == opened


def test_a_conversation_that_began_elsewhere_is_begun_on_its_first_message(log: ConversationLog, now: datetime) -> None:
    log.ask("api-1", Message("c1", "customer", "hi", now))
    loaded = log.load("api-1")
    assert loaded is not None and [m.text for m in loaded.messages] == ["hi"]


def test_the_same_message_id_may_stand_in_two_conversations(log: ConversationLog, now: datetime) -> None:
    for conversation in (log.open(), log.open()):
        log.ask(conversation.id, Message("c1", "customer", "hi", now))
        loaded = log.load(conversation.id)
        assert loaded is not None and len(loaded.messages) == 1


def test_feedback_is_kept_for_answers_only_and_the_last_counts(
    log: ConversationLog, answer: Answer, now: datetime
) -> None:
    conversation, other = log.open(), log.open()
    log.ask(conversation.id, Message("c1", "customer", "hi", now))
    log.answer(conversation.id, answer)
    assert log.feedback(conversation.id, "b1", True, "", "")
    assert log.feedback(conversation.id, "b1", False, "wrong", "价格不对")
    assert not log.feedback(conversation.id, "c1", True, "", "")
    assert not log.feedback(conversation.id, "nothing", True, "", "")
    assert not log.feedback(other.id, "b1", True, "", "")
    with log._engine.connect() as connection:
        rows = connection.execute(select(tables.feedback)).mappings().all()
    assert [(r["helpful"], r["reason"], r["comment"]) for r in rows] == [(False, "wrong", "价格不对")]


def test_a_contact_is_kept(log: ConversationLog) -> None:
    conversation = log.open()
    log.contact(conversation.id, "13800000000", "请回电")
    with log._engine.connect() as connection:
        (row,) = connection.execute(select(tables.contact)).mappings().all()
    assert (row["conversation_id"], row["contact"], row["text"]) == (conversation.id, "13800000000", "请回电")


def test_many_threads_may_write_at_once(log: ConversationLog, now: datetime) -> None:
    failures: list[BaseException] = []

    def talk(name: str) -> None:
        try:
            conversation = log.open()
            for number in range(5):
                log.ask(conversation.id, Message(f"{name}-{number}", "customer", "hi", now))
            loaded = log.load(conversation.id)
            assert loaded is not None
            assert [m.id for m in loaded.messages] == [f"{name}-{n}" for n in range(5)]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=talk, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_migrations_make_the_tables_that_the_code_describes(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_what_comes_after_the_erasing_does_not_bring_the_conversation_back(log: ConversationLog) -> None:
    id = log.open().id
    log.ask(id, Message("q", "customer", "my number is 13800000000", datetime.now(UTC)))
    assert erase(log._engine, id) is not None
    log.answer(id, Answer("a", "abstain", "13800000000", "en"))  # it was still being made
    assert log.contact(id, "13800000000") is False
    assert log.load(id) is None
