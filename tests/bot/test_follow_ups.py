"""What a question is searched as in the middle of a conversation."""

from typing import Any

from bot.bot import Bot
from bot.calibration import Calibration
from bot.log import ConversationLog
from tests.bot.test_bot import MakePassage, ask


def test_a_follow_up_is_searched_with_its_topic(
    small_knowledge: Any, passage: MakePassage, log: ConversationLog, calibration: Calibration
) -> None:
    bot = Bot(small_knowledge([passage("在订单页点退货。", phrasing="怎么申请退货？")]), log, calibration)
    conversation = bot.log.open()
    ask(bot, "怎么申请退货？", conversation)
    ask(bot, "谢谢", bot.log.load(conversation.id))
    assert ask(bot, "那运费呢？", bot.log.load(conversation.id)).query == "申请退货 运费"


def test_a_question_that_an_faq_knows_word_for_word_needs_nothing_of_what_was_said_before(
    small_knowledge: Any, passage: MakePassage, log: ConversationLog, calibration: Calibration
) -> None:
    known = [
        passage("One to two days by express.", "en", phrasing="It was due last week"),
        passage("Points expire after a year.", "en", phrasing="Do points expire?"),
    ]
    bot = Bot(small_knowledge(known), log, calibration)
    conversation = bot.log.open()
    ask(bot, "Do points expire?", conversation)
    answer = ask(bot, "it was due last week", bot.log.load(conversation.id))
    assert (answer.query, answer.text) == ("it was due last week", "One to two days by express.")
