"""Decides whether a person should take over: asked for, abstained twice, unsure of a sensitive matter, anger.

Pure functions of values; the words that count are in handoff.toml and, if staff have changed them, in the
settings. Never looks at generated text. Knows no desk: whether somebody is there is for others to say.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, Protocol

from bot.control import Control
from bot.types import Conversation, Decision
from knowledge_base.language import to_simplified
from knowledge_base.types import Language

Reason = Literal["asked", "abstained twice", "sensitive", "anger"]
_UNSURE = ("abstain", "clarify")
_EMPHASIS = re.compile(r"!\s*!|[!?]{3,}|!.*!.*!", re.DOTALL)
_LATIN = re.compile(r"[A-Za-z]")
_SHOUTED = 10  # capital letters from which it is shouting


@dataclass(frozen=True, slots=True)
class Turn:
    """What the decision is made of, beside the dialogue so far. `category`: of the FAQ found first."""

    question: str
    wish: Control | None
    decision: Decision
    category: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether being told when people are there is the best answer: neither an FAQ nor a document has one."""
        return self.wish == "person" or self.decision.kind == "abstain"

    @property
    def unsure(self) -> bool:
        """Whether a question has no sure answer: then only does it matter what it is about."""
        return self.wish is None and self.decision.kind in _UNSURE


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of passing a conversation on. `taken`: people have it; else the text says when they are there."""

    text: str
    taken: bool


class People(Protocol):
    """Those who may take a conversation over."""

    def sensitive(self) -> Sequence[str]:
        """The words of matters that people would rather see themselves."""
        ...

    def take_over(self, conversation_id: str, reason: Reason, language: Language) -> Passed | None:
        """Put the conversation before people, and what to tell the customer; None when there are none at all."""
        ...


def handoff(conversation: Conversation, turn: Turn, sensitive: Sequence[str]) -> Reason | None:
    """Why a person should take over now; None when the bot should go on.

    sensitive: words that make a matter a person's when the bot is not sure of its answer. Raises nothing.
    """
    if turn.wish == "person":
        return "asked"
    if is_angry(turn.question):
        return "anger"
    if turn.unsure and _mentions(f"{turn.question}\n{turn.category}", sensitive):
        return "sensitive"
    if turn.wish in (None, "none") and turn.decision.kind == "abstain" and _abstained_before(conversation):
        return "abstained twice"
    return None


def is_angry(text: str) -> bool:
    """Whether the words are those of anger: an insult, or displeasure with emphasis."""
    plain = _folded(text)
    if _found("insult").search(plain):
        return True
    letters = _LATIN.findall(text)
    shouting = len(letters) >= _SHOUTED and all(letter.isupper() for letter in letters)
    return bool((shouting or _EMPHASIS.search(plain)) and _found("displeased").search(plain))


@cache
def sensitive_words() -> tuple[str, ...]:
    """The list that holds until staff change it."""
    return tuple(_data()["sensitive"]["words"])


def _abstained_before(conversation: Conversation) -> bool:
    """Whether the bot abstained from the question before; courtesies between do not count, a person's words do."""
    for message in reversed(conversation.messages):
        if message.role == "staff":
            return False
        if message.answer is not None and message.answer.kind != "smalltalk":
            return message.answer.kind == "abstain"
    return False


def _mentions(text: str, words: Sequence[str]) -> bool:
    return bool(words) and bool(_words(tuple(words)).search(_folded(text)))


@lru_cache(maxsize=8)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    folded = (re.escape(_folded(word)) for word in words)
    return re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in folded))


@cache
def _found(kind: str) -> re.Pattern[str]:
    kinds = _data()[kind]
    return re.compile("|".join(f"(?:{pattern})" for language in ("zh", "en") for pattern in kinds[language]))


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("handoff.toml").read_text(encoding="utf-8"))


def _folded(text: str) -> str:
    return to_simplified(unicodedata.normalize("NFKC", text)).lower().replace("'", "’").strip()
