"""Finding, reading, correcting and erasing what is logged."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, update

from bot import tables
from bot.corrections import correct, withdraw
from bot.erase import erase, would_erase
from bot.log import ConversationLog
from bot.outcome import Outcome, ended
from bot.search_log import Wanted, ids_of, releases, search
from bot.transcript import transcript
from bot.types import Answer, Citation, Kind, Message
from knowledge_base.types import Language

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)


@pytest.fixture
def engine(log: ConversationLog) -> Engine:
    return log._engine


def talk(
    log: ConversationLog, *said: tuple[str, Kind], language: Language = "zh", source: str = "", release: str = "r1"
) -> str:
    """A conversation of two days ago in which these questions got answers of these kinds."""
    id = log.open().id
    engine = log._engine
    for number, (question, kind) in enumerate(said):
        log.ask(id, Message(f"q{number}", "customer", question, LONG_AGO))
        cited = (Citation(1, "faq", source, 1, "t", (), "quote", 1, LONG_AGO),) if source else ()
        log.answer(id, Answer(f"a{number}", kind, f"answer {number}", language, citations=cited, release=release))
    with engine.begin() as connection:
        connection.execute(update(tables.message).where(tables.message.c.conversation_id == id).values(at=LONG_AGO))
        connection.execute(update(tables.conversation).where(tables.conversation.c.id == id).values(opened=LONG_AGO))
    return id


def outcome_of(engine: Engine, id: str) -> Outcome:
    columns, statement = ended(select(tables.conversation.c.id), NOW)
    with engine.connect() as connection:
        rows = connection.execute(statement.add_columns(columns.outcome.label("outcome"))).all()
    return {row.id: row.outcome for row in rows}[id]


def hand_over(engine: Engine, id: str, claimed: bool, ended: bool = True, outcome: str | None = "solved") -> None:
    handed = {"conversation_id": id, "reason": "asked", "language": "zh", "asked": LONG_AGO}
    handed |= {"claimed": LONG_AGO if claimed else None, "ended": LONG_AGO if ended else None, "outcome": outcome}
    with engine.begin() as connection:
        connection.execute(insert(tables.handoff).values(**handed))


def solved(engine: Engine, id: str, value: bool) -> None:
    with engine.begin() as connection:
        connection.execute(update(tables.conversation).where(tables.conversation.c.id == id).values(solved=value))


def test_how_a_conversation_ended(log: ConversationLog, engine: Engine) -> None:
    answered, left = talk(log, ("a", "abstain"), ("b", "faq")), talk(log, ("a", "faq"), ("b", "abstain"))
    polite, greeting = talk(log, ("a", "grounded"), ("thanks", "smalltalk")), talk(log, ("hi", "smalltalk"))
    assert [outcome_of(engine, id) for id in (answered, left, polite)] == ["assumed", "abandoned", "assumed"]
    assert outcome_of(engine, greeting) == "none"
    log.feedback(answered, "a1", True)
    log.feedback(polite, "a0", False)
    assert outcome_of(engine, answered) == "confirmed" and outcome_of(engine, polite) == "abandoned"
    early = talk(log, ("a", "faq"), ("b", "faq"), ("c", "clarify"))
    log.feedback(early, "a0", True)
    assert outcome_of(engine, early) == "abandoned"  # the thumb was not on the last answer
    solved(engine, left, True)
    solved(engine, answered, False)
    assert outcome_of(engine, left) == "confirmed" and outcome_of(engine, answered) == "abandoned"


def test_what_a_handoff_makes_of_the_outcome(log: ConversationLog, engine: Engine) -> None:
    taken, unsolved, alone, waiting = (talk(log, ("a", "handoff")) for _ in range(4))
    hand_over(engine, taken, claimed=True)
    hand_over(engine, unsolved, claimed=True, outcome="unsolved")
    hand_over(engine, alone, claimed=False)
    hand_over(engine, waiting, claimed=False, ended=False, outcome=None)
    outcomes = [outcome_of(engine, id) for id in (taken, unsolved, alone, waiting)]
    assert outcomes == ["assumed", "abandoned", "abandoned", "open"]


def test_a_conversation_is_open_while_somebody_talks(log: ConversationLog, engine: Engine) -> None:
    id = talk(log, ("a", "faq"))
    log.ask(id, Message("q9", "customer", "and?", NOW - timedelta(minutes=5)))
    assert outcome_of(engine, id) == "open"


def test_conversations_are_found_by_everything_that_is_wanted(log: ConversationLog, engine: Engine) -> None:
    zh = talk(log, ("怎么退货？", "faq"), source="returns.zh", release="r1")
    en = talk(log, ("100% cotton?", "abstain"), language="en", release="r2")
    log.open()  # nothing was said in it
    found = {
        Wanted(): {zh, en},
        Wanted(text="退货"): {zh},
        Wanted(text="COTTON"): {en},
        Wanted(text="0% c"): {en},
        Wanted(text="0_ c"): set(),
        Wanted(text="answer 0"): {zh, en},
        Wanted(language="en"): {en},
        Wanted(kind="faq"): {zh},
        Wanted(kind="faq", language="en"): set(),
        Wanted(source="returns.zh"): {zh},
        Wanted(source="returns"): set(),
        Wanted(release="r2"): {en},
        Wanted(outcome="abandoned"): {en},
        Wanted(since=LONG_AGO): {zh, en},
        Wanted(until=LONG_AGO): set(),
    }
    for wanted, ids in found.items():
        page, total = search(engine, wanted)
        assert {one.id for one in page} == ids and total == len(ids), wanted
    assert sorted(releases(engine)) == ["r1", "r2"]


def test_a_list_is_paged_and_says_what_each_conversation_is(log: ConversationLog, engine: Engine) -> None:
    ids = [talk(log, (f"question {number}", "faq"), ("so?", "abstain")) for number in range(5)]
    pages = [search(engine, Wanted(), limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [total for _, total in pages] == [5] * 4
    assert [len(page) for page, _ in pages] == [2, 2, 1, 0]
    assert {one.id for page, _ in pages for one in page} == set(ids)
    one = next(one for page, _ in pages for one in page if one.id == ids[3])
    assert (one.question, one.messages, one.outcome, one.kind) == ("question 3", 4, "abandoned", "abstain")
    assert [len(group) for group in ids_of(engine, Wanted(), 3, group=2)] == [2, 1]


def test_a_customer_is_found_by_the_contact_that_they_left(log: ConversationLog, engine: Engine) -> None:
    id, _ = talk(log, ("请回电", "abstain")), talk(log, ("other", "faq"))
    log.contact(id, "13800000000")
    assert [one.id for one in search(engine, Wanted(text="13800000000"))[0]] == [id]


def test_a_transcript_has_everything(log: ConversationLog, engine: Engine) -> None:
    id = talk(log, ("怎么退货？", "faq"), source="returns.zh")
    log.feedback(id, "a0", False, "wrong", "不对")
    log.contact(id, "13800000000", "请回电")
    hand_over(engine, id, claimed=True)
    correct(engine, id, "a0", "14 天内。", "An")
    read = transcript(engine, id)
    assert read is not None and [line.text for line in read.lines] == ["怎么退货？", "answer 0"]
    answer = read.lines[1]
    assert answer.answer is not None and answer.answer["citations"][0]["source_id"] == "returns.zh"
    assert answer.feedback is not None and answer.feedback["comment"] == "不对"
    assert answer.correction is not None and answer.correction["text"] == "14 天内。"
    assert read.contacts[0]["contact"] == "13800000000" and read.handoffs[0]["outcome"] == "solved"
    assert transcript(engine, "nothing") is None


def test_a_correction_replaces_the_last_and_can_be_withdrawn(log: ConversationLog, engine: Engine) -> None:
    id = talk(log, ("a", "faq"))
    assert correct(engine, id, "a0", "one", "An") == ""
    assert correct(engine, id, "a0", "two", "Bo") == "one"
    assert correct(engine, id, "q0", "no answer", "An") is None
    assert correct(engine, "elsewhere", "a0", "x", "An") is None
    assert withdraw(engine, id, "a0") == "two" and withdraw(engine, id, "a0") is None


def test_nothing_of_an_erased_conversation_is_left(
    log: ConversationLog, engine: Engine, tmp_path: Path, database_url: str
) -> None:
    secret = "我的身份证号是 110101199003070000"
    id, other = talk(log, (secret, "abstain"), source="s"), talk(log, ("other", "faq"))
    log.feedback(id, "a0", False, "other", secret)
    log.contact(id, "13800000000", secret)
    hand_over(engine, id, claimed=True)
    correct(engine, id, "a0", secret, "An")
    label = {"language": "zh", "relevant": [], "answers": [], "answerable": False, "staff_name": "An", "at": NOW}
    with engine.begin() as connection:
        noted = {"conversation_id": id, "staff_name": "An", "text": secret, "at": NOW}
        connection.execute(insert(tables.note).values(**noted))
        connection.execute(insert(tables.golden).values(id="g1", question="x", history=[{"text": secret}], **label))
        connection.execute(insert(tables.golden).values(id="g2", question="y", history=[], **label))
    planned, done = would_erase(engine, id), erase(engine, id)
    assert done == planned and done is not None and done.golden == ("g1",)
    one_each = dict.fromkeys(
        ("conversation", "contact", "note", "handoff", "answer", "answer_source", "feedback", "correction"), 1
    )
    assert done.counts == one_each | {"message": 2, "example": 0}
    with engine.begin() as connection:
        connection.execute(tables.golden.delete())
        assert connection.execute(select(func.count()).select_from(tables.message)).scalar_one() == 2
    assert transcript(engine, other) is not None and transcript(engine, id) is None
    assert erase(engine, id) is None
    erase(engine, other)  # empties the write-ahead log once more, now without the golden questions
    files = [path.read_bytes() for path in tmp_path.glob("kefu.sqlite*")]
    assert bool(files) == database_url.startswith("sqlite")
    assert not any(secret.encode() in file for file in files)
