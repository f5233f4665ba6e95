"""Handoffs in a real database: one open at a time, claimed by one, ended once; staff's messages and notes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from bot.log import ConversationLog
from bot.types import Message


def message(id: str, role: str = "customer", author: str = "") -> Message:
    return Message(id, role, f"text of {id}", datetime.now(UTC), author=author)  # type: ignore[arg-type]


@pytest.fixture
def waiting(log: ConversationLog) -> str:
    """The id of a conversation that waits."""
    id = log.open().id
    log.handoffs.begin(id, "asked", "zh")
    return id


def test_a_conversation_has_one_open_handoff(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    first = handoffs.open_of(waiting)
    assert first is not None and handoffs.begin(waiting, "anger", "en") == first
    assert (first.reason, first.claimed, first.ended) == ("asked", None, None)
    assert handoffs.end(waiting, "cancelled") and not handoffs.end(waiting, "solved")
    assert handoffs.open_of(waiting) is None and handoffs.latest(waiting).outcome == "cancelled"  # type: ignore[union-attr]
    again = handoffs.begin(waiting, "asked", "zh")
    assert again.id != first.id and handoffs.latest(waiting) == again


def test_of_many_who_claim_at_once_one_wins(log: ConversationLog, waiting: str) -> None:
    together = Barrier(8)

    def claim(number: int) -> bool:
        together.wait()
        return log.handoffs.claim(waiting, f"s{number}", f"Staff {number}")

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))
    assert won.count(True) == 1
    held = log.handoffs.open_of(waiting)
    assert held is not None and held.staff_id == f"s{won.index(True)}"
    assert log.handoffs.waiting() == [] and log.handoffs.held() == [held]


def test_of_many_who_begin_at_once_there_is_one(log: ConversationLog) -> None:
    id, together = log.open().id, Barrier(6)

    def begin(_: int) -> int:
        together.wait()
        return log.handoffs.begin(id, "asked", "zh").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(begin, range(6)))) == 1


def test_only_who_has_it_may_speak_and_end(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    assert not handoffs.speak(waiting, "s1", message("m1", "staff", "An"))
    assert handoffs.claim(waiting, "s1", "An")
    assert not handoffs.speak(waiting, "s2", message("m1", "staff", "Bo"))
    assert handoffs.speak(waiting, "s1", message("m1", "staff", "An"))
    assert not handoffs.end(waiting, "solved", "s2") and handoffs.end(waiting, "solved", "s1")
    assert not handoffs.speak(waiting, "s1", message("m2", "staff", "An"))
    logged = log.load(waiting)
    assert logged is not None
    assert [(said.id, said.role, said.author) for said in logged.messages] == [("m1", "staff", "An")]


def test_what_the_customer_says_is_logged_once_and_only_while_it_is_open(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    assert [handoffs.hear(waiting, message("c1")) for _ in range(2)] == [True, True]
    handoffs.end(waiting, "returned")
    assert handoffs.hear(waiting, message("c1"))  # sent again by one who did not hear that it arrived
    assert not handoffs.hear(waiting, message("c2"))
    logged = log.load(waiting)
    assert logged is not None and [said.id for said in logged.messages] == ["c1"]


def test_what_somebody_had_waits_again(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    other = log.open().id
    handoffs.begin(other, "asked", "en")
    handoffs.claim(waiting, "s1", "An"), handoffs.claim(other, "s2", "Bo")
    assert handoffs.release("s1") == [waiting] and handoffs.release("s1") == []
    assert [one.conversation_id for one in handoffs.waiting()] == [waiting]
    assert handoffs.claim(waiting, "s3", "Cy")


def test_the_queue_and_its_waiting_times(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    second, third = (handoffs.begin(log.open().id, "asked", "en") for _ in range(2))
    assert [handoffs.ahead(one) for one in (second, third)] == [1, 2]
    handoffs.claim(waiting, "s1", "An")
    assert handoffs.ahead(third) == 1 and len(handoffs.recent_waits()) == 1
    assert handoffs.recent_waits()[0].total_seconds() >= 0


def test_lists_are_paged_and_say_what_was_said_last(log: ConversationLog, waiting: str) -> None:
    handoffs = log.handoffs
    handoffs.hear(waiting, message("c1"))
    handoffs.hear(waiting, message("c2"))
    others = [handoffs.begin(log.open().id, "asked", "en").conversation_id for _ in range(3)]
    handoffs.claim(others[0], "s1", "An")
    handoffs.end(others[2], "cancelled")
    rows, total = handoffs.listed("waiting", "s1", limit=1)
    assert total == 2 and [(row.handoff.conversation_id, row.text, row.role) for row in rows] == [
        (waiting, "text of c2", "customer")
    ]
    rows, total = handoffs.listed("waiting", "s1", limit=5, offset=1)
    assert total == 2 and [row.handoff.conversation_id for row in rows] == [others[1]]
    assert [row.handoff.conversation_id for row in handoffs.listed("mine", "s1")[0]] == [others[0]]
    assert [row.handoff.conversation_id for row in handoffs.listed("all", "s1")[0]] == [*reversed(others), waiting]


def test_notes_and_whether_it_was_solved(log: ConversationLog, waiting: str) -> None:
    log.handoffs.note(waiting, "An", "regular customer")
    assert [(note.staff_name, note.text) for note in log.handoffs.notes(waiting)] == [("An", "regular customer")]
    log.handoffs.solved(waiting, True)
    assert log.load(waiting).messages == ()  # type: ignore[union-attr]  # notes are no messages
