"""What every file reader takes and gives: a named file's bytes, Markdown with a title, or why it cannot be read.

Knows nothing of any file format.
"""

import unicodedata
from dataclasses import dataclass

from knowledge_base.types import KnowledgeBaseError

MOST_CHARACTERS = 5_000_000
"""Of Markdown that one document may have."""


class Unreadable(KnowledgeBaseError):
    """A file that cannot become a document; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was found: its name without folders, and its bytes."""

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        return self.name[self.name.rfind(".") :].lower() if "." in self.name else ""


@dataclass(frozen=True, slots=True)
class Markdown:
    """What a reader makes of a file. `title`: the file's own metadata, empty where it has none."""

    text: str
    title: str = ""


def readable(name: str) -> str:
    """A file's name or path as text that can be stored and typed: composed, without control characters.

    macOS stores names decomposed; unzipped on Linux, names from Chinese Windows are often GBK.
    """
    parts = "/".join(map(_decoded, name.split("/")))
    composed = unicodedata.normalize("NFC", parts)
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in composed)


def _decoded(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:  # Python keeps bytes that are no UTF-8 as lone surrogates
        return name.encode("utf-8", "surrogateescape").decode("gb18030", "replace")
    return name


def too_long(name: str) -> Unreadable:
    """The error for a file that holds more than MOST_CHARACTERS of text."""
    return Unreadable(
        f"{name} holds more than {MOST_CHARACTERS:,} characters of text. Split it into smaller files and add those."
    )


def one_line(text: str) -> str:
    """`text` with its lines put together: with a space, but not beside a Chinese character."""
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    joined = "".join(lines[:1])
    for line in lines[1:]:
        joined += ("" if is_wide(joined[-1]) or is_wide(line[0]) else " ") + line
    return joined


def is_wide(character: str) -> bool:
    """Whether it is a Chinese character or full-width mark, which need no space between them."""
    return (
        "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or "！" <= character <= "～" or character > "\U0001ffff"
    )
