"""The days of a simulated company: customers ask the bot, staff answer the rest and write it down in the evening.

All goes through what the widget, the desk and the console use: Bot.reply, the handoffs, the FAQs, the review.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

from sqlalchemy import Engine

from benchmarks.month import Month, Wanted
from bot.bot import Bot
from bot.examples import Examples
from bot.types import Answer, Conversation, Done, Message
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.language import normalise
from knowledge_base.types import Faq
from training.harvest import Harvest, Masking, harvest

EFFORT = 20  # replies a day: all that staff have time for
CONFIRMING = 0.5  # of the customers who were answered rightly, how many say so
STAFF = "staff"
_SORRY = {"zh": "“{}”不是我们提供的服务，抱歉帮不上忙。", "en": "Sorry, “{}” is nothing that we can help with."}
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Day:
    """What happened: questions asked, answered rightly and wrongly by the bot, replies of staff, gone unanswered."""

    asked: int
    right: int
    wrong: int
    replied: int
    gone: int


def live(bot: Bot, knowledge: KnowledgeBase, month: Month, questions: Sequence[Wanted], rng: Random) -> Day:
    """One day of questions, and its evening; the same whenever `rng` is in the same state."""
    replied: list[Wanted] = []
    right = wrong = gone = 0
    for wanted in questions:
        conversation, answer = _asked(bot, wanted, rng)
        if is_right(answer, wanted):
            right += 1
            if rng.random() < CONFIRMING:
                bot.log.handoffs.solved(conversation, True)
            continue
        wrong += answer.kind in ("faq", "grounded")
        if answer.kind in ("faq", "grounded"):
            bot.log.feedback(conversation, answer.id, False)
        bot.log.handoffs.begin(conversation, "asked", wanted.language)
        if len(replied) < EFFORT:
            reply(bot, conversation, said(month, wanted))
            replied.append(wanted)
        else:
            bot.log.handoffs.end(conversation, "cancelled")
            gone += 1
    write_down(knowledge, month, [one for one in replied if one.faq])
    return Day(len(questions), right, wrong, len(replied), gone)


def is_right(answer: Answer, wanted: Wanted) -> bool:
    """Whether the bot gave the FAQ that answers the question."""
    return answer.kind == "faq" and any(citation.source_id == wanted.faq for citation in answer.citations)


def said(month: Month, wanted: Wanted) -> str:
    """What staff reply: the golden answer; where there is none, that there is none."""
    return month.truth[wanted.faq].answer if wanted.faq else _SORRY[wanted.language].format(wanted.text)


def reply(bot: Bot, conversation_id: str, text: str) -> None:
    """Staff take a waiting conversation, answer and end it."""
    handoffs = bot.log.handoffs
    handoffs.claim(conversation_id, STAFF, STAFF)
    handoffs.speak(conversation_id, STAFF, Message(uuid4().hex, "staff", text, datetime.now(UTC), author=STAFF))
    handoffs.end(conversation_id, "solved")


def write_down(knowledge: KnowledgeBase, month: Month, answered: Sequence[Wanted]) -> None:
    """Add each question to the FAQ that answers it, as another way to ask it; an FAQ that is missing is written."""
    held = {faq.id: faq for faq in knowledge.faqs()}
    changed: dict[str, Faq] = {}
    for wanted in answered:
        assert wanted.faq is not None
        faq = changed.get(wanted.faq) or held.get(wanted.faq)
        if faq is None:
            changed[wanted.faq] = replace(month.truth[wanted.faq], question=wanted.text, similar=())
        elif normalise(wanted.text) not in {normalise(text) for text in (faq.question, *faq.similar)}:
            changed[wanted.faq] = replace(faq, similar=(*faq.similar, wanted.text))
    knowledge.put_faqs(list(changed.values()))


def review(engine: Engine, knowledge: KnowledgeBase) -> Harvest:
    """Gather the examples of the log, and approve them: the simulated staff label nothing wrongly."""
    found = harvest(engine, knowledge.faqs(), Masking(), lambda done, total: None)
    examples = Examples(engine)
    while page := examples.page("new", _PAGE)[0]:
        for example in page:
            examples.decide(example.id, "approved", STAFF)
    return found


def _asked(bot: Bot, wanted: Wanted, rng: Random) -> tuple[str, Answer]:
    """The conversation and the bot's last answer; who is asked back chooses the right question if it is there.

    The conversation's id is drawn: a round parts its examples by it, so that a seed gives the same month again.
    """
    conversation = Conversation(f"{rng.getrandbits(128):032x}")
    answer = _answer(bot, conversation, wanted.text)
    faq = bot.knowledge.faq(wanted.faq) if wanted.faq else None
    if answer.kind == "clarify" and faq and faq.question in answer.options:
        known = bot.log.load(conversation.id)
        assert known is not None
        answer = _answer(bot, known, faq.question)
    return conversation.id, answer


def _answer(bot: Bot, conversation: Conversation, text: str) -> Answer:
    return next(event.answer for event in bot.reply(conversation, text) if isinstance(event, Done))
