"""Which questions count as unanswered, and which of them mean the same."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from bot.alike import SHIPPED, Alike, fitted, gather, typical
from bot.corrections import correct
from bot.erase import erase
from bot.gaps import Gaps, Work, key, keys
from bot.log import ConversationLog
from bot.types import Answer, Kind, Message
from bot.unanswered import asked
from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.language import normalise
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Language
from tests.fakes import HashEncoder

FAQS = [
    Faq("returns.zh", "怎么退货？", "14 天内。", "zh", ("退货流程是什么", "我想退货")),
    Faq("returns.en", "How do I return an item?", "Within 14 days.", "en", ("return process",)),
]


@pytest.fixture
def knowledge(log: ConversationLog, tmp_path: Path, database_url: str) -> Iterator[KnowledgeBase]:
    opened = open_in(tmp_path, Retrieval(HashEncoder()), database_url)
    opened.put_faqs(FAQS)
    yield opened
    opened.close()


@pytest.fixture
def engine(log: ConversationLog, knowledge: KnowledgeBase) -> Engine:
    return log._engine


@pytest.fixture
def gaps(engine: Engine) -> Gaps:
    return Gaps(engine, HashEncoder())


def talk(log: ConversationLog, *said: tuple[str, Kind], language: Language = "zh") -> str:
    id = log.open().id
    for number, (question, kind) in enumerate(said):
        log.ask(id, Message(f"q{number}", "customer", question, datetime.now(UTC)))
        log.answer(id, Answer(f"a{number}", kind, "…", language))
    return id


def texts(engine: Engine) -> dict[str, dict[str, int]]:
    return {one.text: dict(one.why) for one in asked(engine, None, None, 100).values()}


def test_questions_without_a_good_answer_are_found_with_the_reason(log: ConversationLog, engine: Engine) -> None:
    talk(log, ("有月球店吗？", "abstain"), ("人工客服", "handoff"), ("谢谢", "smalltalk"))
    talk(log, ("有月球店吗", "abstain"))
    talk(log, ("会员", "clarify"), ("会员怎么升级？", "faq"))
    talk(log, ("积分", "clarify"))
    talk(log, ("我要投诉你们的快递员", "handoff"))
    talk(log, ("人工客服", "handoff"))
    bad, wrong = talk(log, ("几天能到", "faq")), talk(log, ("运费多少", "grounded"), ("好的", "smalltalk"))
    log.feedback(bad, "a0", False)
    correct(engine, wrong, "a0", "10 元。", "An")
    assert asked(engine, None, None, 9)[normalise("运费多少")].answer == "10 元。"
    assert texts(engine) == {
        "有月球店吗": {"abstain": 2},  # the same words but for the mark; asking for a person adds nothing
        "积分": {"clarify": 1},
        "我要投诉你们的快递员": {"handoff": 1},
        "几天能到": {"thumb": 1},
        "运费多少": {"correction": 1},
    }


def test_only_the_period_and_only_so_many_count(log: ConversationLog, engine: Engine) -> None:
    for number in range(5):
        talk(log, (f"问题 {number}", "abstain"))
    now = datetime.now(UTC)
    assert asked(engine, now, None, 10) == {} and asked(engine, None, datetime(2026, 1, 1, tzinfo=UTC), 10) == {}
    newest = asked(engine, None, now, 2)
    assert [one.text for one in newest.values()] == ["问题 4", "问题 3"]


def looked(gaps: Gaps, ignored: Sequence[str] = ()) -> Work:
    work = gaps.look((None, None), ignored, patience=30)
    assert work.finished.is_set() and not work.failed
    return work


def test_gaps_are_ranked_and_remembered_until_something_new_comes(log: ConversationLog, engine: Engine) -> None:
    encoder = HashEncoder()
    gaps = Gaps(engine, encoder)
    talk(log, ("你们有月球店吗？", "abstain"))
    talk(log, ("有月球店吗", "abstain"))
    talk(log, ("有月球店吗？", "abstain"))
    talk(log, ("Do you sell tea?", "abstain"), language="en")
    work = looked(gaps)
    assert [(gap.question, gap.count) for gap in work.gaps] == [("有月球店吗？", 3), ("Do you sell tea?", 1)]
    assert work.gaps[0].similar == ["你们有月球店吗？"] and work.questions == 3
    assert looked(gaps) is work
    talk(log, ("Do you sell coffee?", "abstain"), language="en")
    again = looked(gaps)
    assert again is not work and again.questions == 4


def test_what_is_published_is_no_gap_and_what_is_drafted_says_so(
    log: ConversationLog, engine: Engine, knowledge: KnowledgeBase, gaps: Gaps
) -> None:
    talk(log, ("有月球店吗？", "abstain"))
    disliked = talk(log, ("怎么退货？", "faq"))
    faq = Faq("moon", "有月球店吗", "没有。", "zh", status="draft")
    knowledge.put_faqs([faq])
    (gap,) = looked(gaps).gaps
    assert gap.draft == "moon"
    knowledge.put_faqs([Faq("moon", "有月球店吗", "没有。", "zh")])
    assert looked(gaps).gaps == ()
    log.feedback(disliked, "a0", False)  # published, and not liked
    assert [gap.question for gap in looked(gaps).gaps] == ["怎么退货？"]


def test_a_gap_can_be_ignored_and_an_erased_one_is_gone(log: ConversationLog, engine: Engine, gaps: Gaps) -> None:
    id = talk(log, ("有月球店吗？", "abstain"))
    (gap,) = looked(gaps).gaps
    assert keys(gap, normalise) == [key(normalise("有月球店吗"))] and "月球" not in gap.id
    assert looked(gaps, keys(gap, normalise)).gaps == ()
    assert len(looked(gaps).gaps) == 1
    erase(engine, id)
    gaps.forget()
    assert looked(gaps).gaps == ()


def test_a_failure_is_told_and_tried_again(log: ConversationLog, engine: Engine) -> None:
    class Broken(HashEncoder):
        def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
            if self.encoded:
                return super().encode_queries(texts)
            raise RuntimeError("secret words")

    encoder = Broken()
    gaps = Gaps(engine, encoder)
    talk(log, ("有月球店吗？", "abstain"))
    assert gaps.look((None, None), patience=30).failed
    encoder.encoded.append("mended")
    assert len(looked(gaps).gaps) == 1


def test_the_bars_are_fitted_to_known_meanings() -> None:
    random = np.random.default_rng(1)
    centres = np.linalg.qr(random.standard_normal((64, 16)))[0].T
    rows = np.repeat(centres, 6, axis=0) + 0.05 * random.standard_normal((96, 64))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    meanings = [str(number // 6) for number in range(96)]
    languages: list[Language] = ["zh" if number % 2 else "en" for number in range(96)]
    alike = fitted(meanings, languages, vectors)
    assert 0.5 < alike.same < 1 and 0.5 < alike.across < 1 and alike != SHIPPED
    groups = gather(vectors, languages, alike)
    assert sorted(sorted(group) for group in groups) == [list(range(6 * n, 6 * n + 6)) for n in range(16)]
    assert fitted(meanings[:3], languages[:3], vectors[:3]) == SHIPPED


def test_questions_of_both_languages_are_gathered_by_bars_of_their_own() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    assert gather(vectors, ["zh", "en", "en"], Alike(same=0.9, across=0.7)) == [[0, 1], [2]]
    assert gather(vectors, ["zh", "zh", "en"], Alike(same=0.9, across=0.7)) == [[0], [1], [2]]
    assert gather(vectors[:0], [], SHIPPED) == []
    assert typical(vectors, [1, 1, 1]) == 1 and typical(vectors, [9, 1, 1]) == 0
