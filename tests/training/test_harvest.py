"""What is learned from the log: what people said and mended, never a thumb alone, never personal data."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, update

from bot import tables
from bot.corrections import correct
from bot.erase import erase
from bot.examples import Examples
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import Answer, Citation, Message
from knowledge_base.database import migrate, open_database
from knowledge_base.types import Faq
from training.harvest import Harvest, Masking, harvest

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RETURNS = Faq("returns.zh", "怎么退货", "七天内可以退货，请联系客服。", "zh")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    migrate(opened, MIGRATIONS, VERSION_TABLE)
    yield opened
    opened.dispose()


class Talk:
    """One logged conversation, message by message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = ConversationLog(engine)
        self.id = self._log.open().id
        self._count = 0

    def customer(self, text: str) -> None:
        self._say("customer", text)

    def staff(self, text: str) -> None:
        self._say("staff", text)

    def bot(self, kind: str, text: str, query: str = "", source: str = "", options: tuple[str, ...] = ()) -> str:
        self._count += 1
        cited = (Citation(1, "faq", source, 1, "t", (), text, 1, NOW),) if source else ()
        answer = Answer(
            f"m{self._count}", kind, text, "zh", 0.9, query=query, citations=cited, options=options, release="default"
        )
        self._log.answer(self.id, answer)
        return answer.id

    def thumb(self, message_id: str, helpful: bool) -> None:
        assert self._log.feedback(self.id, message_id, helpful)

    def solved(self) -> None:
        mine = tables.conversation.c.id == self.id
        with self._engine.begin() as connection:
            connection.execute(update(tables.conversation).where(mine).values(solved=True))

    def _say(self, role, text: str) -> None:
        self._count += 1
        self._log.ask(self.id, Message(f"m{self._count}", role, text, NOW))


def run(engine: Engine, masking: Masking | None = None) -> Harvest:
    return harvest(engine, [RETURNS], masking or Masking(), lambda done, total: None)


def kept(engine: Engine) -> list[tuple[str, str, str, str]]:
    examples, _ = Examples(engine).page()
    return sorted((one.label, one.question, one.answer, one.source_id) for one in examples)


def test_a_reply_at_the_desk_answers_what_was_asked_last(engine: Engine) -> None:
    talk = Talk(engine)
    talk.customer("你好")
    talk.customer("可以开增值税发票吗")
    talk.bot("abstain", "没有找到答案")
    talk.customer("转人工")
    talk.staff("可以的，请提供抬头和税号。")
    talk.staff("还有别的问题吗？")
    assert run(engine).added == 1
    assert kept(engine) == [("staff", "可以开增值税发票吗", "可以的，请提供抬头和税号。", "")]


def test_a_reply_in_an_faqs_own_words_is_known_as_that_faq(engine: Engine) -> None:
    talk = Talk(engine)
    talk.customer("东西不想要了咋办")
    talk.staff("七天内可以退货,请联系客服")
    run(engine)
    assert kept(engine)[0][3] == "returns.zh"


def test_a_correction_teaches_the_whole_question(engine: Engine) -> None:
    talk = Talk(engine)
    talk.customer("那要多久")
    answer = talk.bot("faq", "两天", query="退款要多久")
    correct(engine, talk.id, answer, "退款需要三到五个工作日。", "An")
    run(engine)
    assert kept(engine) == [("correction", "退款要多久", "退款需要三到五个工作日。", "")]


@pytest.mark.parametrize(
    ("thumb", "solved", "found"), [(True, False, 0), (True, True, 1), (None, True, 1), (False, True, 0)]
)
def test_a_thumb_alone_teaches_nothing(engine: Engine, thumb: bool | None, solved: bool, found: int) -> None:
    talk = Talk(engine)
    talk.customer("怎么退东西")
    answer = talk.bot("faq", RETURNS.answer, query="怎么退东西", source=RETURNS.id)
    if thumb is not None:
        talk.thumb(answer, thumb)
    if solved:
        talk.solved()
    run(engine)
    assert len(kept(engine)) == found
    if found:
        assert kept(engine)[0] == ("confirmed", "怎么退东西", RETURNS.answer, "returns.zh")


@pytest.mark.parametrize(("then", "learned"), [("怎么退货", "东西不想要了"), ("退货要钱吗", "退货要钱吗")])
def test_who_chose_an_offered_question_meant_it_with_the_words_before(engine: Engine, then: str, learned: str) -> None:
    talk = Talk(engine)
    talk.customer("东西不想要了")
    talk.bot("clarify", "您是想问：", query="东西不想要了", options=("怎么退货", "怎么换货"))
    talk.customer(then)
    talk.bot("faq", RETURNS.answer, query=then, source=RETURNS.id)
    talk.solved()
    run(engine)
    assert kept(engine) == [("confirmed", learned, RETURNS.answer, "returns.zh")]


def test_personal_data_is_masked_before_anything_is_kept(engine: Engine) -> None:
    talk = Talk(engine)
    talk.customer("我叫王小明，手机13800001111，订单SF1234567890什么时候到？")
    talk.staff("王小明您好，订单明天送达，客服热线400-820-8820。")
    report = run(engine, Masking(public=["400-820-8820"]))
    text = str(kept(engine))
    assert "13800001111" not in text and "SF1234567890" not in text and "我叫王小明" not in text
    assert "400-820-8820" in text and report.masked["phone"] == 1


def test_nothing_is_found_twice_and_decisions_stay(engine: Engine) -> None:
    for _ in range(2):
        talk = Talk(engine)
        talk.customer("可以货到付款吗？")
        talk.staff("可以。")
    assert run(engine).added == 1
    id = Examples(engine).page()[0][0].id
    before, after = Examples(engine).decide(id, "approved", "An", answer="可以货到付款。") or (None, None)
    assert before and after and (before.answer, after.answer) == ("可以。", "可以货到付款。")
    assert run(engine).added == 0
    assert [one.answer for one in Examples(engine).approved()] == ["可以货到付款。"]
    assert Examples(engine).counts() == {"new": 0, "approved": 1, "rejected": 0}
    assert Examples(engine).decide("unknown", "rejected", "An") is None


def test_an_erased_conversation_takes_its_examples_with_it(engine: Engine) -> None:
    talk = Talk(engine)
    talk.customer("可以货到付款吗？")
    talk.staff("可以。")
    run(engine)
    erased = erase(engine, talk.id)
    assert erased is not None and erased.counts["example"] == 1
    assert kept(engine) == []
