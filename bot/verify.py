"""Checks that an answer says nothing which its passages do not say, and strips markup from it.

Pure functions of texts: every number, date, time, link and name must stand in a passage, and every sentence
must share its words with them. Knows nothing of how the answer was written or what happens when it fails.
"""

import re
import unicodedata
from collections.abc import Container, Sequence

from bot.facts import Fact, facts
from bot.numerals import with_digits
from knowledge_base.sentences import sentences
from knowledge_base.words import is_name, words

_FEW = 4  # words; a shorter sentence says too little to be judged by the share of its words: it needs them all
_ELEMENT = re.compile(r"<(script|style|iframe|object|svg)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[a-z][a-z0-9-]*(?:\s+[^<>]*)?/?>|<\|[^<>|]{1,40}\|>", re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_UNSAFE_LINK = re.compile(r"\[([^\]]*)\]\(\s*(?!https?:|mailto:|tel:)[^)]*\)", re.IGNORECASE)


def unsupported(answer: str, passages: Sequence[str], least_support: float) -> tuple[str, ...]:
    """What the answer says that no passage says, as it stands in the answer; empty when all is supported.

    passages: the texts it may stand on, headings and titles included. least_support: share of a sentence's
    search words, 0..1, that must stand in them. Raises nothing.
    """
    allowed = facts("\n".join(passages))
    folded = "\n".join(with_digits(passage).casefold() for passage in passages)
    wrong = [fact.shown for fact in facts(answer) if not _stands(fact, allowed, folded)]
    wrong += [n for n in chinese_names(answer) if n not in folded and with_digits(n) not in folded]
    known = {word for passage in passages for word in words(passage)}
    wrong += [sentence for sentence in sentences(answer) if _strange(sentence, known, least_support)]
    return tuple(dict.fromkeys(wrong))


def supported_part(answer: str, passages: Sequence[str], least_support: float) -> str:
    """The answer up to the first sentence that is not supported, for one that was broken off."""
    end = 0
    for sentence in sentences(answer):
        if unsupported(sentence, passages, least_support):
            break
        end = answer.index(sentence, end) + len(sentence)
    return answer[:end].strip()


def plain(text: str) -> str:
    """The text without HTML, images, links other than to the web, mail or telephone, and control characters."""
    before = None
    while before != text:  # what is left of one tag may make another
        before = text
        text = _TAG.sub("", _ELEMENT.sub("", text))
    text = _UNSAFE_LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co")).strip()


def chinese_names(text: str) -> list[str]:
    """Names of people, places and organisations in a Chinese text that the dictionary knows, in simplified script."""
    if not re.search(r"[\u3400-\u9fff]{2}", text):
        return []
    return [word for word in words(text) if is_name(word)]


def _stands(fact: Fact, allowed: Sequence[Fact], folded: str) -> bool:
    if fact.kind == "name":
        return _contains(folded, fact.value)
    same = [other for other in allowed if other.kind == fact.kind]
    if fact.kind == "link":
        return any(other.value == fact.value or other.value.startswith(fact.value + "/") for other in same)
    if fact.kind == "date":
        return any(_same_date(fact.value, other.value) for other in same)
    if fact.kind == "number":
        same_value = [other for other in same if other.value == fact.value]
        if any(fact.unit in ("", "other") or other.unit in ("", fact.unit) for other in same_value):
            return True
        return any(fact.value == f.value.split("-")[0] for f in allowed if f.kind == "date")
    return any(other.value == fact.value for other in same)


def _contains(text: str, name: str) -> bool:
    """Whether a name stands in the text as a whole: "XC-20" is not in "XC-200", "ml" is in "500ml"."""
    before = r"(?<![a-z0-9])" if name[0].isdigit() else r"(?<![a-z])"
    after = r"(?![a-z0-9])" if name[-1].isdigit() else r"(?![a-z])"
    return re.search(before + re.escape(name) + after, text) is not None


def _same_date(said: str, stands: str) -> bool:
    """Whether all that is said of a date stands: "3月1日" is in "2026-03-01", not the other way round."""
    return all(not one or one == other for one, other in zip(said.split("-"), stands.split("-"), strict=True))


def support(sentence: str, known: Container[str]) -> float | None:
    """Share of a sentence's search words that are known; None for a sentence too short to be judged by it."""
    said = words(sentence) if any(character.isalnum() for character in sentence) else []
    return sum(word in known for word in said) / len(said) if len(said) >= _FEW else None


def _strange(sentence: str, known: Container[str], least: float) -> bool:
    share = support(sentence, known)
    if share is not None:
        return share < least
    said = words(sentence) if least > 0 and any(character.isalnum() for character in sentence) else []
    return any(word not in known and with_digits(word) == word for word in said)  # numbers are facts, judged as such
