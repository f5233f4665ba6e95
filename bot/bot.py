"""One conversation: a customer's question in, events out. The only module that knows the order of the steps.

Every step is a function elsewhere that knows no other. Synchronous: the web runs it in a worker thread.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import uuid4

from bot import history
from bot.calibration import Calibration
from bot.cite import cite, cite_faq, cite_quotes
from bot.control import Control, control
from bot.decide import decide
from bot.draft import Draft
from bot.handoff import People, Reason, Turn, handoff
from bot.log import ConversationLog
from bot.pieces import Standing, pieces, unless_abstained
from bot.prompt import prompt, source
from bot.query import standalone
from bot.quote import SentenceEncoder, compose, quote
from bot.types import Answer, Conversation, Decision, Done, Event, Kind, Message, Start, Stop, TextGenerator, Token
from bot.verify import plain, supported_part, unsupported
from bot.wording import say, sentences
from knowledge_base.types import Encoder, Faq, Hit, Language

_log = logging.getLogger(__name__)
_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_SUGGESTIONS = 3
_KINDS: dict[Control, Kind] = {"person": "handoff", "none": "abstain"}  # the others are smalltalk
_WORDING: dict[Control, str] = {"person": "handoff", "greeting": "hello"}  # the others are named as they are
_WHY: dict[Reason, str] = {"abstained twice": "pass_abstained", "sensitive": "pass_sensitive", "anger": "pass_anger"}


class Knowledge(Protocol):
    """What the bot needs of a knowledge base."""

    encoder: Encoder

    def search(self, query: str, language: Language, limit: int = 10) -> list[Hit]: ...

    def faqs(self) -> list[Faq]: ...

    def faq(self, faq_id: str) -> Faq | None: ...

    def is_phrasing(self, question: str) -> bool: ...

    def encode_missing(self) -> int: ...

    def close(self) -> None: ...

    @property
    def is_empty(self) -> bool: ...


def never() -> bool:
    """A Stop that never stops."""
    return False


class Bot:
    """Answers customers from one knowledge base. Any number of replies may run at once, one per thread."""

    def __init__(
        self,
        knowledge: Knowledge,
        log: ConversationLog,
        calibration: Calibration,
        generator: TextGenerator | None = None,
        release: str = "default",
    ) -> None:
        """generator: None while the release is not fit for it; answers from documents then quote."""
        self.knowledge = knowledge
        self.log = log
        self.release = release
        self._calibration = calibration
        self._generator = generator
        self._sentences = SentenceEncoder(knowledge.encoder)

    def reply(
        self,
        conversation: Conversation,
        question: str,
        *,
        message_id: str | None = None,
        stop: Stop = never,
        people: People | None = None,
    ) -> Generator[Event, None, None]:
        """Answer one question: Start, Tokens, Done. The question is logged first, the answer in any case.

        message_id: of the answer, else made here. stop() true ends the answer soon, still with Done; closing
        the generator mid-way logs a stopped answer. people: who may take over; None leaves a contact form.
        Raises what search or the database raise.
        """
        language = history.language(conversation, question)
        draft = Draft(message_id or uuid4().hex, language)
        self.log.ask(conversation.id, Message(uuid4().hex, "customer", question, datetime.now(UTC)))
        try:
            yield Start(draft.id, language)
            with closing(self._pieces(conversation, question, draft, stop, people)) as texts:
                for text in texts:
                    draft.first_token()
                    draft.text += text
                    yield Token(text)
        except GeneratorExit:  # the customer left mid-answer
            draft.stopped = True
            raise
        except Exception as error:
            draft.decision = Decision("abstain", 0.0, reason=f"failed: {type(error).__name__}")
            raise
        finally:
            answer = draft.answer(self.release)
            self.log.answer(conversation.id, answer)
        yield Done(answer)

    def try_out(self, conversation: Conversation, question: str) -> Answer:
        """The answer that `reply` would give, made by the same steps; nothing is logged."""
        draft = Draft(uuid4().hex, history.language(conversation, question))
        for text in self._pieces(conversation, question, draft, never, None):
            draft.first_token()
            draft.text += text
        return draft.answer(self.release)

    @property
    def calibration(self) -> Calibration:
        """The numbers that it decides by."""
        return self._calibration

    def greeting(self) -> dict[Language, str]:
        """The first words of a new conversation."""
        return sentences()["greeting"]

    def suggestions(self) -> dict[Language, tuple[str, ...]]:
        """Up to three questions of published FAQs in each language, of different categories where possible."""
        today = date.today()
        open_now = [faq for faq in self.knowledge.faqs() if faq.is_open_on(today)]
        return {language: _varied([f for f in open_now if f.language == language]) for language in _LANGUAGES}

    def catch_up(self) -> None:
        """Encode what was published while another release served; it costs one look when there is nothing."""
        self.knowledge.encode_missing()

    def close(self) -> None:
        """Give back what the knowledge base and the log hold."""
        self.knowledge.close()
        self.log.close()

    def _pieces(
        self, conversation: Conversation, question: str, draft: Draft, stop: Stop, people: People | None = None
    ) -> Generator[str, None, None]:
        """The steps in order; what they find goes into the draft, what the customer reads is yielded."""
        with draft.timed("query"):
            wish = control(question)
            earlier, topic = history.questions(conversation), history.topic(conversation)
            draft.query = standalone(question, earlier, topic)
            if wish or (draft.query != question and self.knowledge.is_phrasing(question)):
                draft.query = question
        with draft.timed("search"):
            draft.hits = tuple(self.knowledge.search(draft.query, draft.language))
        with draft.timed("decide"):
            draft.decision = decide(draft.hits, draft.query, draft.language, self._calibration)
        if passed := self._passed(conversation, Turn(question, wish, draft.decision), draft, people):
            yield from _said(passed, draft, stop)
        elif wish and not (draft.hits and draft.hits[0].exact):  # a company's own FAQ on it goes before our words
            draft.decision = Decision(_KINDS.get(wish, "smalltalk"), 1.0, reason=f"control: {wish}")
            yield from _said(say(_WORDING.get(wish, wish), draft.language), draft, stop)
        elif draft.decision.kind == "faq":
            hit = draft.decision.hits[0]
            draft.citations = cite_faq(hit)
            yield from _said(_lead_in(draft) + hit.passage.text, draft, stop)
        elif draft.decision.kind == "grounded":
            abstained = yield from self._grounded(conversation, question, draft, stop)
            if abstained:
                turn = Turn(question, wish, draft.decision)
                passed = self._passed(conversation, turn, draft, people)
                yield from _said(passed or _no_answer(draft), draft, stop)
        else:
            yield from _said(_no_answer(draft), draft, stop)

    def _passed(self, conversation: Conversation, turn: Turn, draft: Draft, people: People | None) -> str:
        """What the customer is told if a person takes over, or would if one were there; else nothing."""
        if people is None:
            return ""
        words: Sequence[str] = ()
        if turn.unsure:
            head = draft.hits[0].passage if draft.hits else None
            faq = self.knowledge.faq(head.source_id) if head and head.kind == "faq" else None
            words, turn = people.sensitive(), replace(turn, category=faq.category if faq else "")
        reason = handoff(conversation, turn, words)
        passed = people.take_over(conversation.id, reason, draft.language) if reason else None
        exact = bool(draft.hits and draft.hits[0].exact)
        if reason is None or passed is None or not (passed.taken or (turn.unanswered and not exact)):
            return ""
        draft.decision = Decision("handoff", 1.0, reason=f"handoff: {reason}")
        return (say(_WHY[reason], draft.language) if reason in _WHY else "") + passed.text

    def _grounded(
        self, conversation: Conversation, question: str, draft: Draft, stop: Stop
    ) -> Generator[str, None, bool]:
        """An answer from documents: generated, if that stands, else quoted. Returns whether it abstained."""
        hits = draft.decision.hits
        if self._generator and hits[0].passage.language == draft.language and not hits[0].exact:
            messages = prompt(question, draft.language, hits, conversation.messages)
            stands = yield from self._generated(self._generator, messages, draft, stop)
            if stands:
                return draft.decision.kind == "abstain"
        with draft.timed("quote"):
            quotes = quote(draft.query, draft.language, hits, self._sentences)
        draft.citations = cite_quotes([(found.hit, found.verbatim) for found in quotes])
        text = _lead_in(draft) + compose(quotes)
        if draft.text:  # the customer has read what does not stand; Done replaces it
            draft.text = text
        else:
            yield from _said(text, draft, stop)
        return False

    def _generated(
        self, generator: TextGenerator, messages: Sequence[dict[str, str]], draft: Draft, stop: Stop
    ) -> Generator[str, None, bool]:
        """The generator's sentences as they come and stand. Returns False when they must be replaced by quotes."""
        standing = Standing(lambda text: self._wrong_in(text, draft))
        try:
            written = unless_abstained(_timed(generator.generate(messages, stop), draft))
            abstained = yield from standing.pass_on(written)
        except GeneratorExit:  # the customer left: only what is supported stays in the log
            self._keep_supported(draft)
            raise
        except Exception as error:  # whatever a model or server raises; its words may be the customer's
            _log.error("Generator %s failed with %s; quoting instead.", generator.name, type(error).__name__)
            draft.note(f"generator failed with {type(error).__name__}")
            return False
        if stop():
            draft.stopped = True
            self._keep_supported(draft)
            return True
        if abstained:
            draft.text = ""
            draft.decision = replace(draft.decision, kind="abstain")
            draft.note("the generator found no answer in the passages")
            return True
        with draft.timed("verify"):
            draft.citations = () if standing.wrong else cite(draft.text, draft.decision.hits)
        if not draft.citations:
            draft.note("not supported: " + (", ".join(standing.wrong) or "any of it"))
        return bool(draft.citations)

    def _wrong_in(self, text: str, draft: Draft) -> tuple[str, ...]:
        """What a generated text says that its passages do not."""
        with draft.timed("verify"):
            return unsupported(text, [source(hit) for hit in draft.decision.hits], self._calibration.support)

    def _keep_supported(self, draft: Draft) -> None:
        passages = [source(hit) for hit in draft.decision.hits]
        draft.text = supported_part(plain(draft.text), passages, self._calibration.support)
        draft.citations = cite(draft.text, draft.decision.hits)


def _said(text: str, draft: Draft, stop: Stop) -> Iterator[str]:
    """A fixed text in pieces, until stopped."""
    for piece in pieces(text):
        if stop():
            draft.stopped = True
            return
        yield piece


def _timed(written: Iterator[str], draft: Draft) -> Iterator[str]:
    """The generator's pieces; only the time spent writing counts, not that of a slow reader."""
    while True:
        with draft.timed("generate"):
            piece = next(written, None)
        if piece is None:
            return
        yield piece


def _lead_in(draft: Draft) -> str:
    """What is said before evidence in the other language than the customer's; else nothing."""
    if draft.decision.hits[0].passage.language == draft.language:
        return ""
    return say("other_language", draft.language) + "\n\n"


def _no_answer(draft: Draft) -> str:
    if draft.decision.kind == "clarify":
        return say("clarify", draft.language)
    return say("abstain_near" if draft.decision.options else "abstain", draft.language)


def _varied(faqs: Sequence[Faq]) -> tuple[str, ...]:
    """One question of each category, filled up with the others; those with the most phrasings go first."""
    faqs = sorted(faqs, key=lambda faq: -len(faq.similar))
    first = {faq.category: faq for faq in reversed(faqs)}.values()
    ranked = [*(faq for faq in faqs if faq in first), *(faq for faq in faqs if faq not in first)]
    return tuple(faq.question for faq in ranked[:_SUGGESTIONS])
