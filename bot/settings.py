"""Settings of the bot, on top of the knowledge base's. Knows nothing of how they are used."""

import re

from pydantic import Field, field_validator

from knowledge_base.settings import Settings as KnowledgeBaseSettings


class Settings(KnowledgeBaseSettings):
    """`generator`: "embedded" (used once the release says it is fit), a Hugging Face name or a local folder.

    `generator_url` points to an OpenAI-compatible server instead, with `generator_model` and `generator_key`; an
    answer that has not begun, or does not go on, within `generator_seconds` is quoted instead.
    `release`: the name of a release, or "current" for the promoted one.
    `mask`: regular expressions of what else is masked in examples from the log; `public`: what the company has
    published itself, such as its hotline, and is not. Both as JSON lists.
    """

    generator: str = "embedded"
    generator_url: str = ""
    generator_model: str = ""
    generator_key: str = ""
    generator_seconds: float = Field(default=20, gt=0)
    release: str = "current"
    mask: tuple[str, ...] = ()
    public: tuple[str, ...] = ()

    @field_validator("mask")
    @classmethod
    def _compiles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error}); mend KEFU_MASK") from error
        return value
