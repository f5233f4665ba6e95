"""Turns a follow-up ("那运费呢？", "how long is it covered?") into a query that stands on its own.

Pure functions of text: rules about pronouns, lead-ins and fragments in both languages. Self-contained
questions stay untouched. Knows nothing of search or models.
"""

import re
import unicodedata
from collections.abc import Sequence

from knowledge_base.language import to_simplified

_MEMORY = 4  # questions looked back through; older ones are another matter
_HAN = re.compile(r"[\u3400-\u9fff]")
_EDGES = " \t\r\n?？!！。.,，、;；:：~～…"

# --- Chinese ---------------------------------------------------------------------------------------------
_ZH_LEAD_IN = re.compile(r"^(?:那么?(?![个款种些件样天次年月边里儿时])|然后|还有(?=.{1,6}呢))[,， ]*")
_ZH_PRONOUN = re.compile(
    r"它们?|[这那](?:[款种件些样台部双套家项]|个(?!月|星期|礼拜|周|网站|平台|商城|小程序|app))|上面|上述|刚才|前者|后者"
)
_ZH_ASKING = re.compile(
    r"请问|什么时候|什么时间|为什么|为啥|怎么样|怎么办|怎么弄|怎么说|怎么|如何|怎样|什么|多少钱|多少|多久|多长时间|多长|多大|"
    r"几天|几点|几个|几次|几|哪里|哪儿|哪个|哪些|哪|谁|是不是|有没有|能不能|可不可以|行不行|可以|能否|是否|需要|能|会|要|得"
)
_ZH_FRAME = re.compile(  # what a question consists of beside its topic
    r"请问(?:一下)?|[你您]好|我(?:想|要)(?:问|知道|了解|咨询)(?:一下)?|什么时候|为什么|怎么样|怎么办|怎么|如何|怎样|是什么|"
    r"什么|多少钱|多少|多久|多长时间|哪里|哪个|哪些|是不是|有没有|能不能|可不可以|可以|能否|是否|"
    r"[吗呢吧啊呀么](?=$|[,，。？?！! ])"
)
_ZH_PARTICLE = re.compile(r"[吗呢吧啊呀么的了过是有在就还也都又再我你您请这那啥里边儿个]")
_ZH_LONGEST_FOLLOW_UP = 14  # characters; a longer message says what it is about

# --- English ---------------------------------------------------------------------------------------------
_EN_WORD = re.compile(r"[a-z0-9]+(?:['’.-][a-z0-9]+)*")
_EN_LEAD_IN = re.compile(
    r"^(?:(?:ok|okay|so|and|but|then|or|also)[, ]+)*(?:(?:what|how)\s+about|what\s+if)\s+|^(?:and|but|or)\s+"
)
_EN_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs)\b|\b(?:this|that|these|those)(?:\s+(?:one|ones|too|as\s+well))?$"
    r"|\b(?:is|are|was|does|do|did|can|will|about|for|with|of|like)\s+(?:that|those|these)\b"
)
_EN_DUMMY = re.compile(
    r"\bis\s+it\s+(?:\w+\s+)?(?:to|that|if)\b|\bis\s+it\s+(?:possible|ok|okay|safe|true|necessary|free|legal)\b|"
    r"\bdoes\s+it\s+(?:take|cost)\s+(?:\w+\s+){0,4}?(?:to|for|before|until)\b|\bwhat\s+time\s+is\s+it\b|\bit\s+(?:is|was)\s+\w+\s+(?:to|that)\b"
)
_EN_PREPOSITION = re.compile(r"^(?:for|in|to|with|without|on|from|after|before|outside|inside|within|at|via|by)\b")
_EN_FUNCTION = frozenset(
    "a an the i you we he she it they them its their this that these those my your our me us is are was "
    "were be been am do does did can could will would should shall may might must have has had to of in "
    "on at for from with without by and or but if then so as what which who whom whose when where why "
    "how long much many often far soon about please there here any some one ones ok okay need want get "
    "got take takes cost costs just also too not no yes hi hello hey tell know".split()
)
_EN_LONGEST_FOLLOW_UP = 12  # words


def standalone(question: str, earlier: Sequence[str] = (), topic: str = "") -> str:
    """The query to search for a question, given the customer's earlier questions, oldest first.

    A follow-up is completed from the last question (itself completed first) or, where that names nothing,
    from `topic`, the title of the source cited last. Anything else comes back unchanged. Raises nothing.
    """
    if not is_follow_up(question):
        return question
    context = topic.strip()
    if earlier:
        recent = earlier[-_MEMORY:]
        context = _topic(standalone(recent[-1], recent[:-1])) or context
    rest = _content(question)
    if not context or rest and rest.casefold() in context.casefold():
        return context or question
    return f"{context} {rest}".strip()


def is_follow_up(question: str) -> bool:
    """Whether a question leans on what was said before: a pronoun, a lead-in, or a fragment with no topic."""
    text = _fold(question)
    if not text:
        return False
    return _zh_follow_up(text) if _HAN.search(text) else _en_follow_up(text)


def _fold(text: str) -> str:
    return to_simplified(unicodedata.normalize("NFKC", text)).lower().replace("’", "'").strip(_EDGES)


def _zh_follow_up(text: str) -> bool:
    if len(text) > 2 * _ZH_LONGEST_FOLLOW_UP:
        return False
    short = len(text) <= _ZH_LONGEST_FOLLOW_UP
    if short and _ZH_LEAD_IN.match(text):
        return True
    if short and text.endswith("呢") and not _ZH_ASKING.search(text):
        return True
    pronoun = _ZH_PRONOUN.search(text)
    if pronoun and len(_zh_content(text[: pronoun.start()])) <= 2:
        return True
    return bool(_ZH_ASKING.search(text)) and len(_zh_content(text)) <= 1


def _zh_content(text: str) -> str:
    """What is left of a Chinese question without asking words, particles and punctuation."""
    left = _ZH_PARTICLE.sub("", _ZH_ASKING.sub("", text))
    return re.sub(r"[^\w]", "", left)


def _en_follow_up(text: str) -> bool:
    words = _EN_WORD.findall(text)
    if not words or len(words) > _EN_LONGEST_FOLLOW_UP:
        return False
    if _EN_LEAD_IN.match(text):
        return True
    if _EN_PREPOSITION.match(text) and len(words) <= 4:
        return True
    pronoun = None if _EN_DUMMY.search(text) else _EN_PRONOUN.search(text)
    if pronoun and len(_en_content(text[: pronoun.start()])) <= 1:
        return True
    return not _en_content(text)


def _en_content(text: str) -> list[str]:
    return [word for word in _EN_WORD.findall(text) if word not in _EN_FUNCTION]


def _topic(question: str) -> str:
    """The words of a question that say what it is about, in its own spelling; empty when it names nothing."""
    if _HAN.search(question):
        kept = _ZH_FRAME.sub(" ", to_simplified(unicodedata.normalize("NFKC", question)))
        kept = re.sub(r"\s+", " ", kept.replace("？", " ").replace("?", " ")).strip(_EDGES)
        return kept if _zh_content(_fold(kept)) else ""
    words = re.findall(r"[^\s?!,;]+", question)
    return " ".join(w for w in words if w.strip(_EDGES) and w.strip(_EDGES).lower() not in _EN_FUNCTION).strip(_EDGES)


def _content(question: str) -> str:
    """What a follow-up adds: itself without lead-in, Chinese pronoun and closing particle."""
    text = unicodedata.normalize("NFKC", question).strip(_EDGES)
    if _HAN.search(text):
        text = _ZH_LEAD_IN.sub("", to_simplified(text))
        return re.sub(r"它们?的?", "", text).rstrip("呢啊呀吧").strip(_EDGES)
    lead = _EN_LEAD_IN.match(text.lower())
    return (text[lead.end() :] if lead else text).strip(_EDGES)
