"""Two texts as one, with what was taken out and put in marked. Knows nothing of what they are."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from nicegui import ui

Part = tuple[Literal["same", "removed", "added"], str]
_PIECE = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)  # Latin words whole, Chinese by the character
_MOST_PIECES = 4_000  # above, the texts are shown whole


def parts(before: str, after: str) -> list[Part]:
    """What stayed, what went and what came, in order."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    if max(len(old), len(new)) > _MOST_PIECES:
        return (
            [part for part in (("removed", before), ("added", after)) if part[1]] if before != after else _same(before)
        )
    return list(_compared(old, new))


def show_diff(before: str, after: str) -> None:
    """Show it on the page."""
    looks = {"same": "", "removed": "k-removed", "added": "k-added"}
    with ui.element("div").classes("k-pre"):
        for kind, text in parts(before, after):
            ui.label(text).classes(f"inline {looks[kind]}").props(f"data-part={kind}")


def _same(text: str) -> list[Part]:
    return [("same", text)] if text else []


def _compared(old: list[str], new: list[str]) -> Iterator[Part]:
    for tag, begin, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(old[begin:end])
            continue
        if end > begin:
            yield "removed", "".join(old[begin:end])
        if stop > start:
            yield "added", "".join(new[start:stop])
