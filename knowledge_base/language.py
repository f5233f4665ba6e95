"""Which of the two languages a text is in, and the normal form in which two phrasings are the same.

Pure functions of text. Knows nothing of search, models or conversations.
"""

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

from knowledge_base.types import Language

_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003134f]")
_BROKEN = "坏"  # OpenCC takes it for a rare traditional form of 坯
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_KEPT_CATEGORIES = "LMN"  # letters, marks, numbers
_SYMBOLS_THAT_MATTER = frozenset("+#%$€£¥")


def language_of(text: str, default: Language = "zh") -> Language:
    """The language of a text: a Chinese sentence stays Chinese whatever product names it holds.

    A Han character counts as one word beside the Latin words; Chinese wins from a third of the words on.
    Text with neither gives `default`. Raises nothing.
    """
    han = len(_HAN.findall(text))
    latin = len(_LATIN_WORD.findall(text))
    if not han and not latin:
        return default
    return "zh" if han * 2 >= latin else "en"


def has_chinese(text: str) -> bool:
    """Whether any Chinese character stands in the text."""
    return _HAN.search(text) is not None


@lru_cache(maxsize=1)
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Traditional Chinese characters as simplified ones; everything else unchanged."""
    if not _HAN.search(text):
        return text
    convert = _simplifier().convert
    return _BROKEN.join(str(convert(part)) for part in text.split(_BROKEN))


def normalise(text: str) -> str:
    """The form in which two phrasings count as the same question.

    Width (NFKC), case and script (traditional to simplified) are folded; spaces and punctuation are dropped,
    but not the few symbols that change a meaning (C++, C#, 5%, $5). A text of nothing else keeps itself.
    """
    folded = to_simplified(unicodedata.normalize("NFKC", text)).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in _KEPT_CATEGORIES or c in _SYMBOLS_THAT_MATTER)
    return unicodedata.normalize("NFKC", kept) or folded.strip()
