"""Markdown cut at its headings: each section's text with the headings above it.

Pure functions of text. Knows nothing of tokens, sentences or sizes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_MARK = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})[^\n`]*"
    r"|(?P<hashes>#{1,6})(?:[ \t]+(?P<title>[^\n]*?)|(?<=##)(?P<tight>[^\s#][^\n]*?))?(?:[ \t]+#+)?[ \t]*"
    r"|(?P<line>=|-)(?P=line)+[ \t]*)$",
    re.MULTILINE,
)
_NOT_A_TITLE = re.compile(r"\s*(?:$|[-*+>|#]|\d+[.)]\s|`{3,}|~{3,}|={2,})")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`)(?P<inner>\S(?:[^*`\n]*\S)?)\1")
_LONGEST_TITLE = 200  # characters; a longer "heading" is a paragraph in disguise
_MOST_EMPTY = 3  # headings without text that the next section may carry


@dataclass(frozen=True, slots=True)
class Section:
    """`body`: the Markdown below a heading, without it. `headings`: the path to it, outermost first."""

    headings: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    end: int
    level: int
    title: str


def sections(markdown: str) -> list[Section]:
    """The sections that have text, in order.

    A heading without text is kept in the path of the section after it; where none follows, or too many stand
    in a row (a document written in headings), they are the text of a section themselves. Raises nothing.
    """
    text = markdown.replace("\r\n", "\n").replace("\r", "\n")
    found: list[Section] = []
    path: list[_Heading] = []
    empty: list[_Heading] = []  # not yet in any section
    headings = list(_headings(text))
    for heading, following in zip([None, *headings], [*headings, None], strict=True):
        if heading is not None:
            path = [h for h in path if h.level < heading.level] + [heading]
            empty.append(heading)
        body = text[heading.end if heading else 0 : following.start if following else len(text)]
        if not body.strip():
            continue
        carried = [h for h in empty if h not in path]
        if len(carried) > _MOST_EMPTY:
            found.append(_of_headings(carried, path))
            carried = []
        above = sorted([*carried, *path], key=lambda h: h.start)
        found.append(Section(tuple(h.title for h in above if h.title), body))
        empty = []
    if empty:
        found.append(_of_headings(empty, path))
    return [section for section in found if section.body.strip()]


def _of_headings(headings: list[_Heading], path: list[_Heading]) -> Section:
    above = tuple(h.title for h in path if h not in headings and h.start < headings[0].start and h.title)
    return Section(above, "\n".join(h.title for h in headings))


def _headings(text: str) -> Iterator[_Heading]:
    position = 0
    while (match := _MARK.search(text, position)) is not None:
        position = match.end() + 1
        if match["fence"]:
            position = fence_end(text, match) or position
        elif match["hashes"]:
            title = match["title"] or match["tight"] or ""
            if len(title) <= _LONGEST_TITLE:
                yield _Heading(match.start(), match.end(), len(match["hashes"]), _plain(title))
        elif (start := _underlined(text, match.start())) is not None:
            title = text[start : match.start()].strip()
            yield _Heading(start, match.end(), 1 if match["line"] == "=" else 2, _plain(title))
        if position > len(text):
            return


def fence_end(text: str, opening: re.Match[str]) -> int | None:
    """Where the code fence that `opening` (a match with a group "fence") begins ends; None if it never does."""
    mark = opening["fence"]
    closing = re.compile(rf"^ {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
    match = closing.search(text, opening.end())
    return match.end() if match else None


def _underlined(text: str, underline: int) -> int | None:
    """Start of the one-line paragraph right above `underline`, if it can be a title."""
    start = text.rfind("\n", 0, max(0, underline - 1)) + 1
    line = text[start : max(start, underline - 1)]
    before = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : max(0, start - 1)]
    if _NOT_A_TITLE.match(line) or len(line) > _LONGEST_TITLE:
        return None
    return start if not before.strip() or before.lstrip().startswith("#") else None


def _plain(title: str) -> str:
    return _EMPHASIS.sub(r"\g<inner>", _LINK.sub(r"\1", title)).strip()
