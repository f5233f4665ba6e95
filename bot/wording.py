"""Reads the bot's own sentences of wording.toml. Knows nothing of when they are said."""

import tomllib
from functools import cache
from pathlib import Path

from knowledge_base.types import Language


@cache
def sentences() -> dict[str, dict[Language, str]]:
    """All sentences: name → language → text."""
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


def say(name: str, language: Language) -> str:
    """The sentence `name` in one language. Raises ValueError on an unknown name."""
    if name not in sentences():
        raise ValueError(f"unknown wording {name!r}; add it to bot/wording.toml in both languages")
    return sentences()[name][language]
