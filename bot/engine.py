"""What an engine of the generator is, and what every engine is asked: some messages, a stream for the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.stream import Stream

REPETITION_PENALTY = 1.1

PLAIN_TEMPLATE = (  # for models that come without a chat template
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] | trim }}\n\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)

Messages = Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Job:
    """An answer to write."""

    messages: Messages
    stream: Stream


Gone = Callable[[Job], bool]


class Engine(Protocol):
    """Writes answers, greedily, token by token; used by one thread at a time."""

    @property
    def writing(self) -> list[Job]:
        """The answers begun and not finished, in the order that they came."""

    @property
    def has_room(self) -> bool:
        """Whether one more answer may begin now."""

    def begin(self, job: Job) -> None:
        """Take a job up; raises whatever its messages are wrong with, and then has not taken it."""

    def step(self, gone: Gone) -> list[Job]:
        """Write on, a token or more; returns the jobs that end by it, as those do at once that are gone."""

    def drop(self) -> None:
        """Forget all that is being written, after a step that failed."""


def prompt_ids(tokenizer: Any, messages: Messages) -> list[int]:
    """The tokens of a chat, up to where the answer begins."""
    asked = tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=True, enable_thinking=False, return_dict=True
    )
    return list(asked["input_ids"])


def decoder(tokenizer: Any) -> Callable[[list[int]], str]:
    """The text of an answer's tokens, marks left out."""
    return lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
