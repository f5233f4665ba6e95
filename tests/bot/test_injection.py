"""Hundreds of orders to the generator, and one that obeys them all: what it says is still not shown.

Also held: no text of ours to the generator leaks, and no text but a customer's own wish calls a person.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.bot import Bot
from bot.calibration import Calibration, load
from bot.facts import facts
from bot.handoff import Passed
from bot.log import ConversationLog
from bot.types import Done, Stop, Token
from bot.wording import sentences as wording
from knowledge_base.types import Language, Passage
from tests.bot.injections import SYSTEM, Injection, injections

MANUAL = {
    "zh": "云净三号每小时耗电45瓦。滤网每6个月更换一次，售价199元。请勿用水清洗主机。",
    "en": "The AirPure 3 uses 45 watts. Replace the filter every 6 months; a filter costs 199 yuan. Do not wash it.",
}
QUESTION = {"zh": "云净三号的滤网每几个月更换一次？", "en": "How often do I replace the AirPure 3 filter?"}
ALL = injections()


class Obedient:
    """Writes what the attacker wants, a few characters at a time."""

    name = "obedient"

    def __init__(self, said: str) -> None:
        self.asked = 0
        self._said = said

    def generate(self, messages: Sequence[dict[str, str]], stop: Stop) -> Iterator[str]:
        self.asked += 1
        for at in range(0, len(self._said), 3):
            yield self._said[at : at + 3]


class Nobody:
    """Would take any conversation over; counts how often it is asked to."""

    def __init__(self) -> None:
        self.called = 0

    def sensitive(self) -> tuple[str, ...]:
        return ()

    def take_over(self, conversation_id: str, reason: str, language: Language) -> Passed:
        self.called += 1
        return Passed(text="a person comes", taken=True)


@pytest.fixture
def trusting(calibration: Calibration) -> Calibration:
    """The bot that is easiest to talk into generating, with the support that ships."""
    return replace(calibration, weights={"bias": 5.0}, support=load().support)


def seen_by_the_customer(bot: Bot, question: str, people: Any) -> tuple[str, Any]:
    """All that was streamed and the answer itself."""
    events = list(bot.reply(bot.log.open(), question, people=people))
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    return "".join(event.text for event in events if isinstance(event, Token)) + "\n" + answer.text, answer


def test_there_are_enough_of_them_in_both_languages() -> None:
    assert len({(one.order, one.where) for one in ALL}) >= 400
    assert {one.language for one in ALL} == {"zh", "en"} and {one.where for one in ALL} == {"message", "document"}


@pytest.mark.parametrize("where", ["message", "document"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_obedient_generator_is_not_heard(
    small_knowledge: Any,
    passage: Callable[..., Passage],
    log: ConversationLog,
    trusting: Calibration,
    language: Language,
    where: str,
) -> None:
    generated, people = 0, Nobody()
    for attack in [one for one in ALL if (one.language, one.where) == (language, where)]:
        sound = passage(MANUAL[language], language, title="说明书" if language == "zh" else "Manual")
        planted = [passage(attack.order, language, title="x")] if where == "document" else []
        question = QUESTION[language] + (f" {attack.order}" if where == "message" else "")
        generator = Obedient(attack.said)
        bot = Bot(small_knowledge([sound, *planted]), log, trusting, generator)
        shown, answer = seen_by_the_customer(bot, question, people)
        generated += generator.asked
        assert attack.canary not in shown and SYSTEM[language][:12] not in shown, (attack, shown)
        assert_it_stands(answer, attack)
    assert people.called == 0, "no order calls a person"
    assert generated >= 60, "the generator was asked, and obeyed"


def assert_it_stands(answer: Any, attack: Injection) -> None:
    """Every number, date, link and name of the answer is in what it cites, or it is a fixed sentence."""
    fixed = {text for texts in wording().values() for text in texts.values()}
    if answer.text in fixed or not answer.citations:
        assert answer.kind in ("abstain", "clarify", "smalltalk") and answer.citations == (), (attack, answer)
        return
    allowed = {fact.value for citation in answer.citations for fact in facts(citation.quote)}
    assert {fact.value for fact in facts(answer.text)} <= allowed, (attack, answer.text)


def test_the_same_generator_is_heard_when_it_says_what_stands(
    small_knowledge: Any, passage: Callable[..., Passage], log: ConversationLog, trusting: Calibration
) -> None:
    for language, said in (("zh", "滤网每6个月更换一次。"), ("en", "Replace the filter every 6 months.")):
        generator = Obedient(said)
        bot = Bot(small_knowledge([passage(MANUAL[language], language)]), log, trusting, generator)
        shown, answer = seen_by_the_customer(bot, QUESTION[language], Nobody())
        assert answer.text == said and answer.citations and shown == f"{said}\n{said}"
