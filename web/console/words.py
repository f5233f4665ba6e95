"""What the console says: wording/*.toml, one file a page, both languages side by side. Knows no page."""

import tomllib
from functools import cache
from pathlib import Path

from knowledge_base.types import Language

WORDING = Path(__file__).with_name("wording")


@cache
def words(page: str) -> dict[str, dict[Language, str]]:
    """The sentences of a page by name."""
    return tomllib.loads((WORDING / f"{page}.toml").read_text(encoding="utf-8"))


def say(page: str, name: str, language: Language, /, **values: object) -> str:
    """A sentence of the page, else of the shell, its `{…}` filled with `values`. Raises KeyError."""
    sentences = words(page)
    text = sentences[name] if name in sentences else words("shell")[name]
    return text[language].format(**values)
