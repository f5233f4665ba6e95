"""Masks personal data in what people wrote, before anything of it leaves the conversation log.

Finds by shape and by the words around it; keeps nothing that could bring the masked text back. Pure functions of
values: knows no log, no dataset and no release.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from knowledge_base.language import has_chinese
from training.personal import SHAPES, Kind, names_in

LABELS: dict[Kind, tuple[str, str]] = {
    "email": ("邮箱", "email"),
    "phone": ("电话", "phone"),
    "account": ("账号", "account"),
    "id": ("证件号", "ID number"),
    "card": ("卡号", "card number"),
    "order": ("单号", "order number"),
    "address": ("地址", "address"),
    "name": ("姓名", "name"),
    "number": ("号码", "number"),
    "custom": ("已隐去", "removed"),
}
"""What stands in place of what was masked, in Chinese and in English."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without personal data, and how many of each kind were masked."""

    text: str
    masked: Counter[Kind] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    kind: Kind

    def free_of(self, others: Sequence["_Span"]) -> bool:
        return all(self.end <= other.start or other.end <= self.start for other in others)


def redact(text: str, patterns: Sequence[re.Pattern[str]] = (), public: Collection[str] = ()) -> Redacted:
    """The text with personal data masked, e.g. "[电话]" or "[phone]"; masking it again changes nothing.

    patterns: further things to mask, as the company says. public: what the company itself has published, e.g. the
    number of its hotline, which is left as it is.
    """
    folded = "".join(map(_plain, text))
    known = {_bare(one) for one in public}
    found: list[_Span] = []
    for span in (*_custom(text, patterns), *_shaped(folded), *_named(folded)):
        if span.free_of(found) and _bare(folded[span.start : span.end]) not in known:
            found.append(span)
    chinese = has_chinese(text)
    for span in sorted(found, key=lambda one: -one.start):
        label = LABELS[span.kind][0 if chinese else 1]
        text = f"{text[: span.start]}[{label}]{text[span.end :]}"
    return Redacted(text, Counter(span.kind for span in found))


def _plain(character: str) -> str:
    """A full-width letter or digit as a plain one; the text keeps its length."""
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _bare(text: str) -> str:
    return "".join(character for character in map(_plain, text) if character.isalnum()).lower()


def _custom(text: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[_Span]:
    for pattern in patterns:
        yield from (_Span(*match.span(), "custom") for match in pattern.finditer(text) if match.group())


def _shaped(folded: str) -> Iterator[_Span]:
    for shape in SHAPES:
        for match in shape.pattern.finditer(folded):
            if shape.test(match.group("value")):
                yield _Span(*match.span("value"), shape.kind)


def _named(folded: str) -> Iterator[_Span]:
    """The names that people give, wherever they stand in the text; longer ones first."""
    for name in sorted(names_in(folded), key=len, reverse=True):
        whole = re.escape(name) if has_chinese(name) else rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])"
        yield from (_Span(*match.span(), "name") for match in re.finditer(whole, folded))
