"""The nouns of one conversation: messages, events, answers. Knows nothing of models, databases or the web."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from knowledge_base.types import Hit, Language, SourceKind

Role = Literal["customer", "bot", "staff"]
Kind = Literal["faq", "grounded", "clarify", "abstain", "handoff", "smalltalk"]


class BotError(Exception):
    """A problem the operator can mend; its message names the remedy."""


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of a conversation."""

    id: str
    role: Role
    text: str
    at: datetime
    answer: "Answer | None" = None  # set on the bot's messages
    author: str = ""  # of a staff message: the person's name


@dataclass(frozen=True, slots=True)
class Conversation:
    """A dialogue so far, oldest message first."""

    id: str
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Evidence shown under an answer. `quote` stands word for word in the cited passage."""

    number: int  # from 1, as shown
    kind: SourceKind
    source_id: str
    passage_id: int
    title: str
    headings: tuple[str, ...]
    quote: str
    version: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with the hits and why. `options` are questions to offer, best first."""

    kind: Kind
    confidence: float  # calibrated probability that answering is right, 0..1
    hits: tuple[Hit, ...] = ()  # the evidence to answer from
    options: tuple[str, ...] = ()
    reason: str = ""  # for staff, e.g. "below threshold 0.62"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question, exactly as logged."""

    id: str  # message id of the bot's message
    kind: Kind
    text: str
    language: Language
    confidence: float = 0.0
    query: str = ""  # standalone query that was searched
    hits: tuple[Hit, ...] = ()  # all hits, rank order
    citations: tuple[Citation, ...] = ()
    options: tuple[str, ...] = ()  # clarify: choices; abstain: near questions
    reason: str = ""
    release: str = ""
    stopped: bool = False  # the customer stopped it or left
    latency_ms: dict[str, float] = field(default_factory=dict)  # step → milliseconds


@dataclass(frozen=True, slots=True)
class Start:
    """First event of a reply; sent before any work is done."""

    message_id: str
    language: Language


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text to append. Never holds half a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """Last event, authoritative: its answer replaces the streamed text."""

    answer: Answer


Event = Start | Token | Done

Stop = Callable[[], bool]
"""Asked between pieces; true ends the generation."""


class TextGenerator(Protocol):
    """Writes text. `messages` are chat turns as {"role": "system"|"user"|"assistant", "content": str}."""

    name: str

    def generate(self, messages: Sequence[dict[str, str]], stop: Stop) -> Iterator[str]:
        """Yields pieces that never split a character; ends when done or soon after stop() is true."""
        ...
