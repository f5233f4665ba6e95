"""Makes a question look as customers type it: slips, lost characters, other script, no marks, fillers.

Pure functions of a text and a random generator. The meaning stays.
"""

import functools
import random
import re
from collections.abc import Callable

from opencc import OpenCC

from knowledge_base.language import language_of

_ZH_BEFORE = ("请问", "你好，", "您好，我想问一下", "麻烦问下", "那个", "我想咨询下，", "客服，")
_ZH_AFTER = ("呢", "啊", "呀", "？谢谢", "，急", "，在线等", "？？", "吗亲")
_EN_BEFORE = ("hi, ", "hello! ", "hey ", "quick question: ", "sorry, ", "um, ", "so ", "please help, ")
_EN_AFTER = (" please", " thanks", "??", " asap", "!!", ", any idea?", " pls")
_MARKS = str.maketrans("", "", "，。？！、；：,.?!;:'\"“”‘’")
_CLAUSE = re.compile(r"[，。？！；,.?!;\n]+")
_SHARE = 0.3  # of texts that are changed
_SHORTEST_CLAUSE = 4  # characters
_NEARBY = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuiopqsdfghjklaxcvbnmz", strict=True))


def typed(text: str, rng: random.Random) -> str:
    """The text, now and then changed as by `augment`."""
    return augment(text, rng) if rng.random() < _SHARE else text


def augment(text: str, rng: random.Random) -> str:
    """The text changed in one or two ways that suit its language."""
    ways = _ZH if language_of(text) == "zh" else _EN
    for way in rng.sample(ways, rng.choice((1, 1, 2))):
        text = way(text, rng)
    return text


def traditional(text: str, _: random.Random) -> str:
    """In traditional script."""
    return str(_to_traditional().convert(text))


def unmarked(text: str, _: random.Random) -> str:
    """Without punctuation and capitals, as speech recognition writes."""
    return text.translate(_MARKS).lower().strip() or text


def shortened(text: str, rng: random.Random) -> str:
    """Without one character, other than a digit; short texts stay."""
    places = [i for i, c in enumerate(text) if c.isalpha()]
    if len(places) < 6:
        return text
    at = rng.choice(places)
    return text[:at] + text[at + 1 :]


def swapped(text: str, rng: random.Random) -> str:
    """With two neighbouring letters exchanged."""
    places = [i for i in range(len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(places) < 6:
        return text
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def mistyped(text: str, rng: random.Random) -> str:
    """With one Latin letter replaced by the key beside it."""
    places = [i for i, c in enumerate(text) if c in _NEARBY]
    if len(places) < 6:
        return text
    at = rng.choice(places)
    return text[:at] + _NEARBY[text[at]] + text[at + 1 :]


def padded(text: str, rng: random.Random) -> str:
    """With the words that people put around a question."""
    chinese = language_of(text) == "zh"
    before, after = (_ZH_BEFORE, _ZH_AFTER) if chinese else (_EN_BEFORE, _EN_AFTER)
    if rng.random() < 0.5:
        return rng.choice(before) + (text if chinese else text[:1].lower() + text[1:])
    return text.rstrip("？?。.!！") + rng.choice(after)


def clipped(text: str, rng: random.Random) -> str:
    """A part of it that people type instead of the whole: one clause of several, else most of its words."""
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if len(clause.strip()) >= _SHORTEST_CLAUSE]
    if len(clauses) > 1:
        return rng.choice(clauses)
    chinese = language_of(text) == "zh"
    units = list(text) if chinese else text.split()
    kept = max(_SHORTEST_CLAUSE if chinese else 2, round(len(units) * rng.uniform(0.6, 0.9)))
    start = rng.randint(0, max(0, len(units) - kept))
    return ("" if chinese else " ").join(units[start : start + kept])


@functools.cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2tw")


_ZH: list[Callable[[str, random.Random], str]] = [traditional, traditional, unmarked, shortened, swapped, padded]
_EN: list[Callable[[str, random.Random], str]] = [unmarked, unmarked, shortened, swapped, mistyped, padded]
