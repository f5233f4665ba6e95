"""Counting what answers cite and how they were judged."""

from datetime import UTC, datetime

from bot.log import ConversationLog
from bot.types import Answer, Citation, Message
from bot.usage import Usage, usage

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def test_answers_and_thumbs_are_counted_by_source(log: ConversationLog) -> None:
    log.ask("c", Message("q", "customer", "?", WHEN))

    def answered(id: str, *sources: str) -> None:
        cited = tuple(Citation(n, "faq", one, 1, one, (), "q", 1, WHEN) for n, one in enumerate(sources, start=1))
        log.answer("c", Answer(id, "faq", "text", "en", citations=cited))

    answered("m1", "a", "b")
    answered("m2", "a")
    answered("m3", "a")
    log.feedback("c", "m1", True)
    log.feedback("c", "m2", False)
    found = usage(log._engine, "faq", ["a", "b", "never cited"])
    assert set(found) == {"a", "b"}
    assert (found["a"].answers, found["a"].helpful, found["a"].unhelpful) == (3, 1, 1)
    last = found["a"].last
    assert last is not None and (datetime.now(UTC) - last).total_seconds() < 60
    assert found["b"] == Usage(1, found["b"].last, 1, 0)
    assert usage(log._engine, "document", ["a"]) == {}
