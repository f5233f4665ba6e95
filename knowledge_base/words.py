"""Search words of a text, Chinese and English: one function for index and query, so that both always agree.

No word is ever dropped as too common (BM25 weighs it down by itself), so no query can lose all its words.
"""

import re
import unicodedata
from functools import lru_cache

from Stemmer import Stemmer

from knowledge_base.language import to_simplified

PROBE = "怎麼申請退貨 returning items XC-200 你是谁"
"""A text whose words tell whether an index was filled with the same ones."""
_HAN = "㐀-䶿一-鿿豈-﫿\U00020000-\U0003134f"
_OTHER = rf"[^\W_{_HAN}]"
_RUN = re.compile(rf"(?P<han>[{_HAN}]+)|(?P<word>{_OTHER}+(?:[.+#'’&/_-]+{_OTHER}+)*[+#%]*)")
_PART = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
_NAME_TAGS = ("nr", "ns", "nt", "nz")  # jieba's: person, place, organisation, other
_LONGEST_WORD = 64  # characters; longer runs (hashes, base64) are cut


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(Stemmer("english").stemWord(word)) if word.isascii() and word.isalpha() else word


def words(text: str) -> list[str]:
    """The search words of a text in reading order, repeats kept.

    Chinese (any script) gives jieba's words and the character bigrams that they miss; other scripts give
    case-folded words, English ones stemmed, compounds like "XC-200" whole and in parts. Text of symbols alone
    gives its symbols; only blank text gives none. Raises nothing.
    """
    folded = to_simplified(unicodedata.normalize("NFKC", text)).casefold()
    found: list[str] = []
    for run in _RUN.finditer(folded):
        found.extend(_chinese(run["han"]) if run["han"] else _western(run["word"]))
    return found or [c for c in folded if not c.isspace()][:_LONGEST_WORD]


def is_name(word: str) -> bool:
    """Whether jieba's dictionary has the word, in simplified script, as a name: of a person, a place, a company."""
    from rjieba import tag

    tagged = tag(word, hmm=False) if len(word) > 1 else []
    return len(tagged) == 1 and tagged[0][1].startswith(_NAME_TAGS)


def _chinese(run: str) -> list[str]:
    from rjieba import cut_for_search  # which loads its dictionary, for a third of a second

    found = cut_for_search(run)
    known = set(found)
    return found + [pair for i in range(len(run) - 1) if (pair := run[i : i + 2]) not in known]


def _western(run: str) -> list[str]:
    whole = _stem(run[:_LONGEST_WORD])
    parts = _PART.findall(run)
    return [whole] if parts == [run] else [whole, *(_stem(part) for part in parts)]
