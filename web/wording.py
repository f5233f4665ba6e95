"""Reads the fixed sentences of wording.toml. Knows nothing of frames."""

import tomllib
from functools import cache
from pathlib import Path

from knowledge_base.types import Language

Text = dict[Language, str]


@cache
def _sentences() -> dict[str, Text]:
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


def wording(name: str, /, **values: object) -> Text:
    """The sentence `name` in both languages, its `{…}` filled with `values`. Raises KeyError."""
    text = _sentences()[name]
    return {language: sentence.format(**values) for language, sentence in text.items()}
