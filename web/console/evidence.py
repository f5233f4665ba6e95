"""What the log keeps of an answer, in the person's language: why it was given, and how long each step took.

Knows the bot's own words for it, and no page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from knowledge_base.types import Language
from web.console.words import say

_STEPS = ("query", "search", "decide", "quote", "generate", "verify", "first_token", "total")
_REASONS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("nothing", r"nothing found"),
        ("undecided", r"not decided"),
        ("exact", r"exact phrasing"),
        ("confidence", r"confidence (?P<confidence>[\d.]+), threshold (?P<threshold>[\d.]+)"),
        ("tie", r"confidence (?P<confidence>[\d.]+), threshold (?P<threshold>[\d.]+), but FAQs tie"),
        ("control", r"control: (?P<what>\w+)"),
        ("handoff", r"handoff: (?P<what>[\w ]+)"),
        ("failed", r"failed: (?P<what>\w+)"),
        ("generator", r"generator failed with (?P<what>\w+)"),
        ("no_answer", r"the generator found no answer in the passages"),
        ("unsupported", r"not supported: (?P<what>.*)"),
    )
)


def reason(logged: str, language: Language) -> str:
    """Why an answer is as it is; a part that is not known stays as it was logged."""
    said = [_part(part, language) for part in logged.split("; ")] if logged else []
    return ("；" if language == "zh" else "; ").join(said)


def times(latency_ms: Mapping[str, float], language: Language) -> str:
    """How long each step took."""
    known = [name for name in _STEPS if name in latency_ms]
    return " · ".join(f"{_say(f'time_{name}', language)} {_span(latency_ms[name], language)}" for name in known)


def _part(part: str, language: Language) -> str:
    for name, pattern in _REASONS:
        if found := pattern.fullmatch(part):
            given = dict(found.groupdict())
            if "what" in given and name in ("control", "handoff"):
                given["what"] = _say(f"{name}_{given['what'].replace(' ', '_')}", language)
            return _say(name, language, **given)
    return part


def _span(value: float, language: Language) -> str:
    return _say("ms", language, value=f"{value:.0f}" if value >= 10 else f"{value:.1f}")


def _say(name: str, language: Language, /, **values: object) -> str:
    return say("evidence", name, language, **values)
