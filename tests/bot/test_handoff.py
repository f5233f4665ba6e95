"""When a person takes over: a table of what customers say, in both languages, and of what they do not mean."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.bot import Bot
from bot.calibration import Calibration
from bot.control import control
from bot.handoff import Passed, Reason, Turn, handoff, is_angry, sensitive_words
from bot.log import ConversationLog
from bot.types import Answer, Conversation, Decision, Done, Kind, Message
from knowledge_base.types import Faq, Language

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def said(*kinds: str) -> Conversation:
    """A dialogue in which the bot answered so, in this order; "staff" is a word of a person."""
    messages = []
    for number, kind in enumerate(kinds):
        answer = None if kind == "staff" else Answer(f"a{number}", kind, "…", "zh")  # type: ignore[arg-type]
        messages += [
            Message(f"c{number}", "customer", "?", NOW),
            Message(f"a{number}", "staff" if kind == "staff" else "bot", "…", NOW, answer),
        ]
    return Conversation("k", tuple(messages))


def decided(question: str, kind: Kind, before: Conversation | None = None, category: str = "") -> Reason | None:
    turn = Turn(question, control(question), Decision(kind, 0.2), category)
    return handoff(before or said(), turn, sensitive_words())


@pytest.mark.parametrize(
    ("question", "kind", "reason"),
    [
        ("转人工", "abstain", "asked"),
        ("Talk to a person", "faq", "asked"),
        ("I'd like to speak to a human please", "abstain", "asked"),
        ("怎么退货？", "faq", None),
        ("你们在火星有分店吗", "abstain", None),
        ("Do you sell spaceships", "abstain", None),
        ("我要投诉你们的快递员", "abstain", "sensitive"),
        ("我要投訴", "clarify", "sensitive"),
        ("怎么投诉？", "faq", None),  # the bot is sure of it
        ("用了面霜以后过敏了怎么办", "abstain", "sensitive"),
        ("The charger caught fire", "abstain", "sensitive"),
        ("I will see you in court", "clarify", "sensitive"),
        ("My LAWYER will call", "abstain", "sensitive"),
        ("Do you sell courteous cards", "abstain", None),
        ("Is there an issue with pursuing points", "abstain", None),
        ("你好", "smalltalk", None),
    ],
)
def test_asked_and_sensitive(question: str, kind: Kind, reason: Reason | None) -> None:
    assert decided(question, kind) == reason


def test_the_category_of_what_was_found_counts() -> None:
    assert decided("这个怎么弄", "clarify", category="隐私") == "sensitive"
    assert decided("How does this work", "abstain", category="Privacy") == "sensitive"
    assert decided("这个怎么弄", "faq", category="隐私") is None
    assert handoff(said(), Turn("隐私", None, Decision("abstain", 0.1)), ()) is None


@pytest.mark.parametrize(
    ("before", "kind", "reason"),
    [
        (("abstain",), "abstain", "abstained twice"),
        (("abstain", "smalltalk"), "abstain", "abstained twice"),
        (("faq", "abstain"), "abstain", "abstained twice"),
        (("abstain",), "faq", None),
        (("abstain", "faq"), "abstain", None),
        (("abstain", "clarify"), "abstain", None),
        (("abstain", "handoff"), "abstain", None),  # a person was offered and declined: it begins anew
        (("abstain", "staff"), "abstain", None),
        ((), "abstain", None),
    ],
)
def test_two_abstentions_in_a_row(before: tuple[str, ...], kind: Kind, reason: Reason | None) -> None:
    assert decided("火星", kind, said(*before)) == reason


@pytest.mark.parametrize(
    "text",
    [
        "垃圾客服",
        "你们这什么垃圾",
        "你们就是一群骗子",
        "這什麼破機器人",
        "他妈的怎么还不发货",
        "太差了！！！",
        "到底什么时候发货!!!",
        "都三天了还没收到！！",
        "你是傻逼吗",
        "什么态度！！！",
        "This is fucking ridiculous",
        "you are useless",
        "You're all a bunch of idiots",
        "stupid bot",
        "WHERE IS MY ORDER",
        "Where is my money!!!",
        "I am so disappointed!!!",
        "I’m fed up with waiting",
        "this is bullshit",
    ],
)
def test_anger(text: str) -> None:
    assert is_angry(text) and decided(text, "faq") == "anger"


@pytest.mark.parametrize(
    "text",
    [
        "垃圾桶多少钱？",
        "厨余垃圾处理器怎么安装",
        "垃圾袋有货吗！！！",
        "怎么防骗子？",
        "谢谢！！！",
        "太好了！！！",
        "你好！！！在吗？",
        "滚筒洗衣机有吗",
        "傻瓜相机有卖吗",
        "有点失望，能退吗？",
        "还没收到货，请帮我看看",
        "这件太慢了",
        "到店自提可以吗！！！",
        "Thanks!!!",
        "Great, it works!!!",
        "Is this a stupid question?",
        "Is this email a scam?",
        "I'm a bit disappointed, can I return it?",
        "Still not here. Could you check, please?",
        "Do you sell garbage bags?",
        "Where is my order?",
        "HELLO THERE MY FRIEND",
        "USB-C",
        "damn good headphones",
    ],
)
def test_polite_or_plain_words_are_no_anger(text: str) -> None:
    assert not is_angry(text)


class Room:
    """People who are there, or not; remembers what was passed to them."""

    def __init__(self, passed: Passed | None) -> None:
        self.passed = passed
        self.taken: list[tuple[str, Reason, Language]] = []

    def sensitive(self) -> tuple[str, ...]:
        return sensitive_words()

    def take_over(self, conversation_id: str, reason: Reason, language: Language) -> Passed | None:
        self.taken.append((conversation_id, reason, language))
        return self.passed


@pytest.fixture
def bot(small_knowledge: Any, passage: Callable[..., Any], log: ConversationLog, calibration: Calibration) -> Bot:
    knowledge = small_knowledge(
        [
            passage("请拨打 400。", phrasing="转人工"),
            passage("七天内可以退货。", phrasing="怎么申请退货？", source_id="returns"),
            passage("七天内可以换货。", phrasing="怎么申请换货吗？", source_id="exchange"),
        ],
        [Faq("returns", "怎么申请退货？", "七天内可以退货。", "zh", category="退款纠纷")],
    )
    return Bot(knowledge, log, calibration)


def ask(bot: Bot, question: str, room: Room | None, conversation: Conversation | None = None) -> Answer:
    conversation = conversation or bot.log.open()
    events = list(bot.reply(bot.log.load(conversation.id) or conversation, question, people=room))
    assert isinstance(events[-1], Done)
    return events[-1].answer


OPEN, SHUT = Passed("已为您转接。", True), Passed("9:00–18:00 在线。", False)


@pytest.mark.parametrize(
    ("question", "passed", "kind", "reason", "text"),
    [
        ("请帮我转人工", OPEN, "handoff", "handoff: asked", "已为您转接。"),
        ("转人工", OPEN, "handoff", "handoff: asked", "已为您转接。"),
        ("请帮我转人工", SHUT, "handoff", "handoff: asked", "9:00–18:00 在线。"),
        ("转人工", SHUT, "faq", "exact phrasing", "请拨打 400。"),  # the company's own words
        ("请帮我转人工", None, "handoff", "control: person", "留下联系方式"),
        ("我要投诉快递员", OPEN, "handoff", "handoff: sensitive", "人工客服"),
        ("我要投诉快递员", SHUT, "handoff", "handoff: sensitive", "9:00–18:00"),
        ("怎么申请退货啊垃圾客服", OPEN, "handoff", "handoff: anger", "已为您转接。"),
        ("垃圾客服", None, "abstain", "nothing found", "没有找到"),
    ],
)
def test_the_bot_passes_on(bot: Bot, question: str, passed: Passed | None, kind: Kind, reason: str, text: str) -> None:
    answer = ask(bot, question, Room(passed))
    assert (answer.kind, text in answer.text) == (kind, True), answer
    assert reason in answer.reason or "confidence" in answer.reason


def test_the_bot_passes_on_after_two_abstentions_and_not_without_people(bot: Bot) -> None:
    room, conversation = Room(OPEN), bot.log.open()
    assert ask(bot, "火星", room, conversation).kind == "abstain" and not room.taken
    second = ask(bot, "木星", room, conversation)
    assert (second.kind, second.reason) == ("handoff", "handoff: abstained twice")
    assert second.text.startswith("这个问题") and second.text.endswith("已为您转接。")
    assert room.taken == [(conversation.id, "abstained twice", "zh")]
    alone = bot.log.open()
    assert [ask(bot, "火星", None, alone).kind for _ in range(3)] == ["abstain"] * 3


def test_a_confident_answer_is_given_to_the_angry_when_nobody_is_there(bot: Bot) -> None:
    assert ask(bot, "怎么申请退货？", Room(SHUT)).kind == "faq"
    assert ask(bot, "怎么申请退货？！！！", Room(SHUT)).kind == "faq"
