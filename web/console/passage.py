"""A passage as it was cut, with its tables drawn as tables. Renders nothing else of its Markdown, and no markup."""

from __future__ import annotations

import re
from html import escape

from nicegui import ui

_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_CELL = re.compile(r"(?<!\\)\|")
Rows = list[list[str]]


def blocks(text: str) -> list[str | Rows]:
    """The text in order, each of its Markdown tables as rows of cells, the head first."""
    found: list[str | Rows] = []
    lines = text.split("\n")
    at = begin = 0
    while at < len(lines):
        if at + 1 < len(lines) and _is_row(lines[at]) and _RULE.fullmatch(lines[at + 1].strip()):
            end = at + 2
            while end < len(lines) and _is_row(lines[end]):
                end += 1
            found += [*_plain(lines[begin:at]), [_cells(line) for line in (lines[at], *lines[at + 2 : end])]]
            at = begin = end
        else:
            at += 1
    return found + _plain(lines[begin:])


def show_passage(text: str) -> None:
    """Show it on the page."""
    for block in blocks(text):
        if isinstance(block, str):
            ui.label(block).classes("k-pre")
        else:
            ui.html(_table(block), sanitize=False).classes("k-scroll w-full")  # every cell is escaped


def _plain(lines: list[str]) -> list[str | Rows]:
    text = "\n".join(lines).strip("\n")
    return [text] if text else []


def _is_row(line: str) -> bool:
    line = line.strip()
    return len(line) > 1 and line.startswith("|") and line.endswith("|")


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1]]


def _table(rows: Rows) -> str:
    head, *body = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in _tagged(rows))
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    return f'<table class="k-table"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _tagged(rows: Rows) -> list[tuple[str, list[str]]]:
    return [("td" if number else "th", row) for number, row in enumerate(rows)]
