"""The OpenAI-compatible shapes of a chat completion: requests in, conversations and chunks out. Pure values.

What we have no use for (temperature, tools, system messages, …) is ignored; the model is always Kefu.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.types import Message, Role
from web.cleaning import clean
from web.frames import AnswerFrame

MODEL = "kefu"
_REMEMBERED = 20  # messages of the history that are passed on
_ROLES: dict[str, Role] = {"user": "customer", "assistant": "bot"}


class Part(BaseModel):
    """One part of a message's content; only text parts are read."""

    type: str = "text"
    text: str = ""


class Turn(BaseModel):
    """One chat message."""

    role: str
    content: str | list[Part] | None = None

    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type in ("text", "input_text"))
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream shall hold besides the text."""

    include_usage: bool | None = False


class CompletionRequest(BaseModel):
    """The body of POST /v1/chat/completions."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Turn] = Field(min_length=1, max_length=1_000)
    model: str = MODEL
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None

    def question(self) -> str | None:
        """What is asked: the last message, if the user's."""
        said = self._said()
        return said[-1].text() if said and said[-1].role == "user" else None

    def history(self, most: int) -> tuple[Message, ...]:
        """What was said before, each message cut to `most` characters."""
        now = datetime.now(UTC)
        earlier = self._said()[:-1][-_REMEMBERED:]
        texts = [(turn.role, clean(turn.text())[:most]) for turn in earlier]
        return tuple(
            Message(f"h{number}", _ROLES[role], text, now) for number, (role, text) in enumerate(texts) if text
        )

    def prompt_tokens(self) -> int:
        """Estimated length of all messages."""
        return sum(estimated_tokens(turn.text()) for turn in self.messages)

    def wants_usage(self) -> bool:
        """Whether a stream shall end with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def _said(self) -> Sequence[Turn]:
        return [turn for turn in self.messages if turn.role in _ROLES]


@dataclass(frozen=True, slots=True)
class Completion:
    """Writes the objects of one completion."""

    id: str
    prompt_tokens: int
    created: int

    def whole(self, answer: AnswerFrame) -> dict[str, Any]:
        """The response to a request that does not stream."""
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        usage = self._usage(answer.text)
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage,
            "kefu": _evidence(answer),
        }

    def chunk(self, delta: dict[str, str], *, answer: AnswerFrame | None = None) -> dict[str, Any]:
        """One piece of a stream; that with the answer is the last with a choice."""
        finish = None if answer is None else "stop"
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        extra = {} if answer is None else {"kefu": _evidence(answer)}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **extra}

    def usage_chunk(self, text: str) -> dict[str, Any]:
        """The piece after the last: what the stream amounts to."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage(text)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": MODEL}

    def _usage(self, text: str) -> dict[str, int]:
        written = estimated_tokens(text)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }


def completion(id: str, request: CompletionRequest) -> Completion:
    """The completion of a request, created now."""
    return Completion(f"chatcmpl-{id}", request.prompt_tokens(), int(time.time()))


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: one per Chinese character, one per four others. 0 for no text."""
    wide = sum(1 for character in text if character >= "\u2e80")
    return wide + (len(text) - wide + 3) // 4


def _evidence(answer: AnswerFrame) -> dict[str, Any]:
    fields = {"kind", "language", "confidence", "citations", "options", "stopped"}
    return answer.model_dump(mode="json", include=fields)
