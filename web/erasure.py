"""Erases a conversation and says what still holds words of it: golden questions, rounds of learning, backups.

Search indexes hold documents and FAQs only, no conversation. Knows no columns and no page.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from bot.erase import Erased, erase, would_erase
from web.backup import Noted, noted


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is gone, in rows by table, and what is kept.

    golden: ids of golden questions made from it; rounds: whose datasets hold examples of it, masked; releases: that
    were trained with those, or judged by them; backups: made since it began.
    """

    conversation_id: str
    counts: Mapping[str, int]
    golden: tuple[str, ...]
    rounds: tuple[str, ...]
    releases: tuple[str, ...]
    backups: tuple[Noted, ...]


def plan(engine: Engine, data: Path, conversation_id: str) -> Receipt | None:
    """The receipt that erasing would leave; None when there is no such conversation."""
    found = would_erase(engine, conversation_id)
    return None if found is None else _receipt(found, data)


def carry_out(engine: Engine, data: Path, conversation_id: str) -> Receipt | None:
    """Erase it; None when there is no such conversation."""
    found = erase(engine, conversation_id)
    return None if found is None else _receipt(found, data)


def _receipt(found: Erased, data: Path) -> Receipt:
    rounds = tuple(_rounds(data / "rounds", found.examples))
    return Receipt(
        found.conversation_id,
        found.counts,
        found.golden,
        rounds,
        tuple(_releases(data / "releases", found.examples, rounds)),
        tuple(one for one in noted(data) if one.at >= found.opened),
    )


def _rounds(folder: Path, examples: Collection[str]) -> Iterator[str]:
    """Rounds whose dataset holds one of the examples; one that does not tell which it holds counts, to be sure."""
    for dataset in sorted(folder.glob("*/dataset")) if examples else ():
        try:
            held = json.loads((dataset / "dataset.json").read_text("utf8"))["examples"]
        except (OSError, ValueError, KeyError):
            held = examples
        if not set(examples).isdisjoint(held):
            yield dataset.parent.name


def _releases(folder: Path, examples: Collection[str], rounds: Collection[str]) -> Iterator[str]:
    """Releases that those rounds have made, and others whose comparison shows one of the examples."""
    for release in sorted(folder.glob("*/release.json")) if examples else ():
        judgement = release.with_name("judgement.json")
        shown = judgement.read_bytes() if judgement.exists() else b""
        if release.parent.name in rounds or any(one.encode() in shown for one in examples):
            yield release.parent.name
