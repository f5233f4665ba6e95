"""Reads the checkable facts of a text: links, dates, times, numbers and names, each in one normal form.

Width, thousands separators, numerals ("七", "seven") and the spellings of dates and times are folded, so that
"1,299 元", "一千二百九十九元" and "¥1299.00" are the same. Pure functions. Knows nothing of answers or passages.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.numerals import with_digits

FactKind = Literal["link", "date", "time", "number", "name"]
_Match = re.Match[str]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?)"
)
_UNITS = {
    "workday": ("个工作日", "工作日", "working day", "working days", "business day", "business days"),
    "day": ("天", "day", "days"),
    "week": ("周", "星期", "week", "weeks"),
    "month": ("个月", "month", "months"),
    "year": ("年", "year", "years"),
    "hour": ("小时", "hour", "hours", "h"),
    "minute": ("分钟", "minute", "minutes", "min"),
    "money": ("元", "块", "圆", "yuan", "rmb", "cny", "usd", "dollar", "dollars", "euro", "euros"),
    "percent": ("%", "percent"),
    "discount": ("折",),
    "times": ("次", "times"),
    "other": tuple("号个件台份张位名种级条部项人岁米斤箱套只瓶盒层款"),
}
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_UNIT = "|".join(sorted(map(re.escape, _UNIT_OF), key=len, reverse=True))

_LINK = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)[^\s<>()（）\[\]\"'“”，。；、！？]+|"
    r"\b(?:[a-z0-9-]+\.)+(?:com|cn|net|org|io|shop|store|example|test|info|edu|gov)\b(?:/[\w./?=&%#-]*)?",
    re.ASCII | re.IGNORECASE,
)
_DATE = re.compile(
    r"(?P<y1>\d{4})\s*年\s*(?P<m1>\d{1,2})\s*月(?:\s*(?P<d1>\d{1,2})\s*[日号])?|"
    r"(?<!\d)(?P<m2>\d{1,2})\s*月\s*(?P<d2>\d{1,2})\s*[日号]|"
    r"(?<!\d)(?P<y3>\d{4})[-/.](?P<m3>\d{1,2})[-/.](?P<d3>\d{1,2})(?!\d)|"
    rf"\b(?P<n4>{_MONTH})\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,?\s+(?P<y4>\d{{4}})\b)?|"
    rf"\b(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<n5>{_MONTH})(?:,?\s+(?P<y5>\d{{4}}))?(?![a-z])",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\+\d|\(?0\d|[48]00|1[3-9]\d)[\d ()-]{5,}\d|\d{2,}-\d[\d-]{3,}\d|\d{7,})(?![\d-]*(?:\d|\.\d))"
)
_TIME = re.compile(
    r"(?P<z1>上午|早上|中午|下午|晚上)?\s*(?<!\d)(?P<h1>\d{1,2}):(?P<m1>\d{2})(?!\d)(?:\s*(?P<e1>[ap])\.?m\b)?|"
    r"(?P<z2>上午|早上|中午|下午|晚上)?\s*(?<!\d)(?P<h2>\d{1,2})\s*点(?:(?P<m2>\d{1,2})分?|(?P<half>半)|钟|整)?|"
    r"\b(?P<h3>\d{1,2})\s*(?P<e3>[ap])\.?m\b",
    re.IGNORECASE,
)
_CODE = re.compile(  # looks ahead letter by letter: groups of letters could be parted in 2ⁿ ways
    r"(?<![A-Za-z0-9])(?=[A-Za-z](?:[-.+/]?[A-Za-z])*[-.+/]?\d)[A-Za-z][A-Za-z0-9]*(?:[-.+/][A-Za-z0-9]+)*"
)
_NUMBER = re.compile(
    rf"(?P<sign>[¥￥$€£]\s*)?(?P<value>\d+(?:\.\d+)?)(?:\s*-?\s*(?P<unit>{_UNIT})(?![a-z]))?", re.IGNORECASE
)
_TITLED = re.compile(r"《([^》]{1,40})》|「([^」]{1,40})」|『([^』]{1,40})』")
_LATIN = re.compile(r"[A-Za-z]+(?:['.&+-][A-Za-z]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n\"“(*•-])\s*$")
_NO_NAME = frozenset(("i", "i'm", "i'll", "i've", "i'd", "ok"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable thing: `value` in normal form, `shown` as it stands in the folded text."""

    kind: FactKind
    value: str
    shown: str
    unit: str = ""


def facts(text: str) -> list[Fact]:
    """The facts of a text, links first, then dates, times, numbers and names. Raises nothing."""
    found: list[Fact] = []
    left = with_digits(text)

    def take(pattern: re.Pattern[str], read: Callable[[_Match], list[Fact]]) -> None:
        nonlocal left
        matches = list(pattern.finditer(left))
        for match in matches:
            found.extend(read(match))
        left = pattern.sub(lambda match: " " * len(match[0]), left)

    take(_LINK, _link)
    take(_TITLED, lambda m: [Fact("name", (m[1] or m[2] or m[3]).casefold(), m[0])])
    take(_DATE, _date)
    take(_TIME, _time)
    take(_CODE, lambda m: [Fact("name", m[0].casefold(), m[0])])
    take(_PHONE, _phone)
    take(_NUMBER, _number)
    found.extend(_latin_names(left))
    return found


def _link(match: _Match) -> list[Fact]:
    shown = match[0].rstrip(".,;:!?)…")
    value = re.sub(r"^(?:https?://)?(?:www\.)?", "", shown.casefold()).rstrip("/")
    return [Fact("link", value, shown)]


def _date(match: _Match) -> list[Fact]:
    part = match.groupdict()
    year = part["y1"] or part["y3"] or part["y4"] or part["y5"] or ""
    day = part["d1"] or part["d2"] or part["d3"] or part["d4"] or part["d5"] or ""
    name = part["n4"] or part["n5"]
    month = str(_MONTHS.index(name[:3].lower()) + 1) if name else part["m1"] or part["m2"] or part["m3"]
    value = f"{year}-{int(month)}-{int(day) if day else ''}"
    return [Fact("date", value, match[0].strip())]


def _time(match: _Match) -> list[Fact]:
    part = match.groupdict()
    hour = int(part["h1"] or part["h2"] or part["h3"])
    minute = 30 if part["half"] else int(part["m1"] or part["m2"] or 0)
    half = part["z1"] or part["z2"] or (part["e1"] or part["e3"] or "").lower()
    if half in ("下午", "晚上", "p") and hour < 12:
        hour += 12
    elif half in ("晚上", "a") and hour == 12:
        hour = 0
    return [Fact("time", f"{hour}:{minute:02}", match[0].strip())]


def _phone(match: _Match) -> list[Fact]:
    """A telephone or other long number; two short groups ("1000-2000") are a range, not a telephone."""
    groups = re.findall(r"\d+", match[0])
    if len(groups) == 2 and max(map(len, groups)) <= 4:
        return [Fact("number", _plain(group), group) for group in groups]
    return [Fact("number", "".join(groups), match[0].strip())]


def _number(match: _Match) -> list[Fact]:
    unit = _UNIT_OF.get((match["unit"] or "").lower(), "money" if match["sign"] else "")
    return [Fact("number", _plain(match["value"]), match[0].strip(), unit)]


def _plain(digits: str) -> str:
    value = format(Decimal(digits), "f")
    return value.rstrip("0").rstrip(".") if "." in value else value


def _latin_names(text: str) -> list[Fact]:
    """Latin words beside Chinese, and capitalised words of a Latin text that do not begin a sentence."""
    in_chinese = bool(_HAN.search(text))
    found = []
    for match in _LATIN.finditer(text):
        word = match[0]
        if len(word) < 2 or word.casefold() in _NO_NAME or word.casefold() in _UNIT_OF:
            continue
        starts = _SENTENCE_START.search(text, match.start() - 8, match.start())
        capital = not word.islower() and (not starts or word[1:] != word[1:].lower())
        if in_chinese or capital:
            found.append(Fact("name", word.casefold(), word))
    return found
