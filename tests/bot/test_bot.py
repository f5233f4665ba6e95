import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.bot import Bot, _varied
from bot.calibration import Calibration, Threshold
from bot.log import ConversationLog
from bot.types import Answer, Conversation, Done, Event, Start, Token
from bot.wording import say
from knowledge_base.types import Faq, Passage

MakePassage = Callable[..., Passage]
MANUAL_ZH = "云净三号每小时耗电45瓦。滤网每6个月更换一次，售价199元。请勿用水清洗主机。"
MANUAL_EN = "The AirPure 3 uses 45 watts. Replace the filter every 6 months; a filter costs 199 yuan. Do not wash it."


@pytest.fixture
def knowledge(small_knowledge: Any, passage: MakePassage) -> Any:
    return small_knowledge(
        [
            passage("签收后7天内可以申请退货，在订单页点“退货”。", phrasing="怎么申请退货？"),
            passage(
                "Within 7 days of delivery, choose Return in your order.", "en", phrasing="How do I return an item?"
            ),
            passage("普通会员满99元包邮。", phrasing="会员包邮吗？"),
            passage("金卡会员免运费。", phrasing="金卡会员包邮吗？"),
            passage(MANUAL_ZH, title="云净三号说明书", headings=("保养",)),
            passage(MANUAL_EN, "en", title="AirPure 3 manual", headings=("Care",)),
        ]
    )


@pytest.fixture
def make_bot(knowledge: Any, log: ConversationLog, calibration: Calibration) -> Callable[..., Bot]:
    return lambda generator=None: Bot(knowledge, log, calibration, generator, "r1")


def ask(bot: Bot, question: str, conversation: Conversation | None = None, **more: Any) -> Answer:
    """The answer to a question, having checked the order of the events."""
    events = list(bot.reply(conversation or bot.log.open(), question, **more))
    assert isinstance(events[0], Start) and isinstance(events[-1], Done)
    assert all(isinstance(event, Token) for event in events[1:-1])
    assert events[-1].answer.id == events[0].message_id
    assert events[-1].answer.language == events[0].language
    return events[-1].answer


def streamed(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


@pytest.mark.parametrize(
    ("question", "kind", "language", "part"),
    [
        ("怎么申请退货？", "faq", "zh", "7天内"),
        ("怎麼申請退貨", "faq", "zh", "7天内"),
        ("How do I return an item?", "faq", "en", "Within 7 days"),
        ("滤网每几个月更换一次？", "grounded", "zh", "滤网每6个月更换一次，售价199元。"),
        ("Replace the filter every how many months?", "grounded", "en", "every 6 months"),
        ("你们在火星有分店吗", "abstain", "zh", "没有找到答案"),
        ("Do you sell spaceships", "abstain", "en", "I can't find this"),
        ("转人工", "handoff", "zh", "联系方式"),
        ("I want to talk to a person", "handoff", "en", "Leave a contact"),
        ("你好", "smalltalk", "zh", "您好"),
        ("thanks!", "smalltalk", "en", "welcome"),
        ("你是谁", "smalltalk", "zh", "助手"),
        ("None of these", "abstain", "en", "another way"),
        ("？？？", "smalltalk", "zh", "文字"),
    ],
)
def test_each_kind_in_both_languages(
    make_bot: Callable[..., Bot], question: str, kind: str, language: str, part: str
) -> None:
    answer = ask(make_bot(), question)
    assert (answer.kind, answer.language) == (kind, language)
    assert part in answer.text
    assert answer.release == "r1" and answer.latency_ms["total"] > 0


def test_a_faq_is_answered_verbatim_and_cited(make_bot: Callable[..., Bot]) -> None:
    answer = ask(make_bot(), "怎么申请退货？")
    (citation,) = answer.citations
    assert answer.text == citation.quote == "签收后7天内可以申请退货，在订单页点“退货”。"
    assert (citation.number, citation.kind, citation.version) == (1, "faq", 2)
    assert answer.confidence == 1.0


def test_the_stream_adds_up_to_the_answer(make_bot: Callable[..., Bot]) -> None:
    bot = make_bot()
    events = list(bot.reply(bot.log.open(), "滤网每几个月更换一次？"))
    assert isinstance(events[-1], Done)
    assert streamed(events) == events[-1].answer.text
    assert all(citation.quote in MANUAL_ZH for citation in events[-1].answer.citations)
    assert events[-1].answer.citations[0].headings == ("保养",)


def test_two_candidates_below_the_threshold_are_asked_back(make_bot: Callable[..., Bot]) -> None:
    answer = ask(make_bot(), "会员包邮的条件")
    assert answer.kind == "clarify"
    assert answer.options == ("会员包邮吗？", "金卡会员包邮吗？")
    assert answer.text == say("clarify", "zh")


def test_evidence_in_the_other_language_is_announced(
    small_knowledge: Any, passage: MakePassage, log: ConversationLog, calibration: Calibration
) -> None:
    bot = Bot(small_knowledge([passage("Refunds take 3 days via PayPal.", "en")]), log, calibration)
    answer = ask(bot, "PayPal 3 多久 refunds 到")
    assert answer.language == "zh" and answer.kind == "grounded"
    assert answer.text == "以下内容来自英文资料。\n\nRefunds take 3 days via PayPal."


def test_a_company_s_own_faq_goes_before_our_words(
    small_knowledge: Any, passage: MakePassage, log: ConversationLog, calibration: Calibration
) -> None:
    bot = Bot(small_knowledge([passage("我是小云。", phrasing="你是谁？")]), log, calibration)
    assert ask(bot, "你是谁").text == "我是小云。"


def test_a_message_without_words_keeps_the_language(make_bot: Callable[..., Bot]) -> None:
    bot = make_bot()
    conversation = bot.log.open()
    ask(bot, "hello", conversation)
    assert ask(bot, "👍", bot.log.load(conversation.id)).language == "en"


def test_an_empty_knowledge_base_abstains(small_knowledge: Any, log: ConversationLog, calibration: Calibration) -> None:
    answer = ask(Bot(small_knowledge(), log, calibration), "怎么退货")
    assert answer.kind == "abstain" and answer.text == say("abstain", "zh")


# --- generation


def test_a_supported_text_is_streamed_and_cited(make_bot: Callable[..., Bot], scripted_generator: Any) -> None:
    generator = scripted_generator("滤网每 6 个月", "更换一次，", "售价 199 元。")
    answer = ask(make_bot(generator), "滤网每几个月更换一次？")
    assert (answer.kind, answer.text) == ("grounded", "滤网每 6 个月更换一次，售价 199 元。")
    assert [citation.quote for citation in answer.citations] == ["滤网每6个月更换一次，售价199元。"]
    assert MANUAL_ZH in generator.asked[0][-1]["content"]
    assert {"search", "generate", "verify", "first_token", "total"} <= set(answer.latency_ms)


@pytest.mark.parametrize(
    "invented", ["滤网售价299元。", "请拨打400-123-4567更换滤网。", "滤网每6天更换一次。", "滤网可到宜家更换。"]
)
def test_an_invention_is_replaced_by_the_quote(
    make_bot: Callable[..., Bot], scripted_generator: Any, invented: str
) -> None:
    bot = make_bot(scripted_generator(invented))
    events = list(bot.reply(bot.log.open(), "滤网每几个月更换一次？"))
    assert isinstance(events[-1], Done)
    assert streamed(events) == events[-1].answer.text  # nobody has seen the invention
    assert events[-1].answer.text == "滤网每6个月更换一次，售价199元。"
    assert "not supported" in events[-1].answer.reason


def test_a_generator_that_finds_nothing_abstains_without_showing_its_token(
    make_bot: Callable[..., Bot], scripted_generator: Any
) -> None:
    bot = make_bot(scripted_generator("ABS", "TAIN", "\n"))
    events = list(bot.reply(bot.log.open(), "滤网每几个月更换一次？"))
    assert isinstance(events[-1], Done)
    assert events[-1].answer.kind == "abstain" and events[-1].answer.citations == ()
    assert streamed(events) == events[-1].answer.text and "ABS" not in streamed(events)


def test_a_failing_generator_is_told_to_the_operator_without_the_customer_s_words(
    make_bot: Callable[..., Bot], scripted_generator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    generator = scripted_generator("滤网", error=RuntimeError("prompt was: 滤网每几个月"))
    with caplog.at_level(logging.DEBUG):
        answer = ask(make_bot(generator), "滤网每几个月更换一次？")
    assert answer.text == "滤网每6个月更换一次，售价199元。" and answer.citations
    assert "RuntimeError" in caplog.text and "滤网" not in caplog.text


def test_the_other_language_is_never_generated_from(
    small_knowledge: Any, passage: MakePassage, log: ConversationLog, calibration: Calibration, scripted_generator: Any
) -> None:
    generator = scripted_generator("三天。")
    bot = Bot(small_knowledge([passage("Refunds take 3 days via PayPal.", "en")]), log, calibration, generator)
    assert "Refunds take 3 days" in ask(bot, "PayPal 3 多久 refunds 到").text
    assert generator.asked == []


# --- leaving, stopping, failing


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short answers come in several pieces, so that they have a middle."""
    monkeypatch.setattr("bot.pieces._PIECE", 8)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("read", [1, 2, 3])
def test_an_answer_closed_midway_is_logged_as_stopped(make_bot: Callable[..., Bot], read: int) -> None:
    bot = make_bot()
    conversation = bot.log.open()
    events = bot.reply(conversation, "怎么申请退货？", message_id="m1")
    seen = [next(events) for _ in range(read)]
    events.close()
    logged = bot.log.load(conversation.id)
    assert logged is not None
    asked, answered = logged.messages
    assert (asked.role, asked.text) == ("customer", "怎么申请退货？")
    assert answered.id == "m1" and answered.answer is not None and answered.answer.stopped
    assert answered.text == streamed(seen)


def test_a_generated_answer_closed_midway_keeps_only_what_is_supported(
    make_bot: Callable[..., Bot], scripted_generator: Any
) -> None:
    generator = scripted_generator("滤网每6个月更换一次。", "整机只要", "9元。")
    bot = make_bot(generator)
    conversation = bot.log.open()
    events = bot.reply(conversation, "滤网每几个月更换一次？")
    for _ in range(2):
        next(events)
    events.close()
    logged = bot.log.load(conversation.id)
    assert logged is not None and logged.messages[-1].text == "滤网每6个月更换一次。"
    assert generator.closed


@pytest.mark.usefixtures("small_pieces")
def test_stop_ends_a_fixed_answer_with_done(make_bot: Callable[..., Bot]) -> None:
    answers = iter([False, True, True, True])
    answer = ask(make_bot(), "怎么申请退货？", stop=lambda: next(answers))
    assert answer.stopped and "签收后7天内可以申请退货，在订单页点“退货”。".startswith(answer.text)
    assert 0 < len(answer.text) < 20


def test_stop_ends_a_generated_answer_with_done(make_bot: Callable[..., Bot], scripted_generator: Any) -> None:
    asked = iter([False, True, True])
    answer = ask(
        make_bot(scripted_generator("滤网每6个月更换一次。", "售价", "199元。")),
        "滤网每几个月更换一次？",
        stop=lambda: next(asked),
    )
    assert answer.stopped and answer.text == "滤网每6个月更换一次。" and answer.citations


def test_a_search_that_fails_is_logged_and_raised(make_bot: Callable[..., Bot], knowledge: Any) -> None:
    def broken(*_: object) -> Iterator[object]:
        raise OSError("disk gone")

    knowledge.search = broken
    bot = make_bot()
    conversation = bot.log.open()
    with pytest.raises(OSError, match="disk gone"):
        list(bot.reply(conversation, "怎么退货"))
    logged = bot.log.load(conversation.id)
    assert logged is not None and logged.messages[-1].answer is not None
    assert logged.messages[-1].answer.reason == "failed: OSError"


# --- greeting


def test_suggestions_are_published_valid_questions_of_different_categories(
    small_knowledge: Any, log: ConversationLog, calibration: Calibration
) -> None:
    yesterday = date.today() - timedelta(days=1)
    faqs = [
        Faq("1", "甲？", "a", "zh", category="物流"),
        Faq("2", "乙？", "a", "zh", category="物流"),
        Faq("3", "丙？", "a", "zh", category="退货"),
        Faq("4", "旧？", "a", "zh", category="活动", valid_until=yesterday),
        Faq("5", "Draft?", "a", "en", status="draft"),
        Faq("6", "Open?", "a", "en"),
    ]
    bot = Bot(small_knowledge(faqs=faqs), log, calibration)
    assert bot.suggestions() == {"zh": ("甲？", "丙？", "乙？"), "en": ("Open?",)}
    assert set(bot.greeting()) == {"zh", "en"}


def test_close_gives_back_the_knowledge_base(make_bot: Callable[..., Bot], knowledge: Any) -> None:
    make_bot().close()
    assert knowledge.closed


def test_the_questions_with_most_phrasings_are_suggested_first() -> None:
    faqs = [
        Faq("a", "甲？", "答", "zh", category="一"),
        Faq("b", "乙？", "答", "zh", similar=("乙吗", "乙呢"), category="二"),
        Faq("c", "丙？", "答", "zh", similar=("丙吗",), category="二"),
    ]
    assert _varied(faqs) == ("乙？", "甲？", "丙？")


def test_a_section_that_was_offered_is_answered_when_it_is_chosen(
    make_bot: Callable[..., Bot], knowledge: Any, calibration: Calibration, log: ConversationLog
) -> None:
    strict = replace(calibration, thresholds=dict.fromkeys(calibration.thresholds, Threshold(0.99, 0.99)))
    bot, conversation = Bot(knowledge, log, strict), log.open()
    asked = ask(bot, "主机能用水清洗吗？", conversation)
    assert (asked.kind, asked.options[0]) == ("abstain", "云净三号说明书 › 保养")
    chosen = ask(bot, asked.options[0], log.load(conversation.id))
    assert (chosen.kind, chosen.text) == ("grounded", MANUAL_ZH)
    assert chosen.citations[0].headings == ("保养",)
