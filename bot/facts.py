"""Reads the checkable facts of a text: numbers, dates, times, links, addresses, names, in one normal form.

Width, thousands separators, Chinese and English numerals and date spellings are folded, so that "1,299 元",
"一千二百九十九元" and "¥1299" are the same. Pure functions. Knows nothing of answers or passages.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

FactKind = Literal["link", "date", "time", "number", "name"]

_CN = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CN_UNIT = {"十": 10, "百": 100, "千": 1000}
_EN_NUMBER = {
    w: n
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{month}|{month[:3]}\\.?" for month in _MONTHS)
_UNITS = {  # spelling → normal unit; a unit not listed is not compared
    "天": "day", "day": "day", "days": "day", "年": "year", "year": "year", "years": "year", "个月": "month",
    "month": "month", "months": "month", "周": "week", "星期": "week", "week": "week", "weeks": "week",
    "小时": "hour", "hour": "hour", "hours": "hour", "分钟": "minute", "minute": "minute", "minutes": "minute",
    "元": "money", "块": "money", "人民币": "money", "yuan": "money", "rmb": "money", "cny": "money", "usd": "money",
    "dollars": "money", "%": "percent", "percent": "percent", "折": "discount", "kg": "kg", "公斤": "kg", "次": "times",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))

_LINK = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)[^\s<>()（）\[\]\"'“”，。；、！？]+|"
    r"\b(?:[a-z0-9-]+\.)+(?:com|cn|net|org|io|shop|store|example|test|info|edu|gov)\b(?:/[^\s<>()（）\[\]，。；、]*)?",
    re.ASCII | re.IGNORECASE,
)
_DATE = re.compile(
    rf"(?P<y1>\d{{4}})\s*年\s*(?P<m1>\d{{1,2}})\s*月(?:\s*(?P<d1>\d{{1,2}})\s*[日号])?|(?P<m2>\d{{1,2}})\s*月\s*(?P<d2>\d{{1,2}})\s*[日号]|"
    rf"(?P<y3>\d{{4}})[-/.](?P<m3>\d{{1,2}})[-/.](?P<d3>\d{{1,2}})|"
    rf"\b(?P<n4>{_MONTH})\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y4>\d{{4}}))?\b|"
    rf"\b(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<n5>{_MONTH})(?:,?\s+(?P<y5>\d{{4}}))?\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?P<half1>上午|早上|中午|下午|晚上)?\s*(?<!\d)(?P<h1>\d{1,2}):(?P<m1>\d{2})(?!\d)\s*(?P<half2>[ap]\.?m\b)?|"
    r"(?P<half3>上午|早上|中午|下午|晚上)?\s*(?<!\d)(?P<h2>\d{1,2})\s*[点點](?:钟|整|(?P<m2>\d{1,2})分?|(?P<semi>半))?|"
    r"\b(?P<h3>\d{1,2})\s*(?P<half4>[ap]\.?m\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?P<money>[¥￥$€£]\s*)?(?<![\w.])(?P<digits>\+?\d+(?:[-\s]?\d{{3,}})*(?:\.\d+)?)\s*-?(?P<unit>{_UNIT})?(?![a-z])|"
    r"(?P<money2>[¥￥$€£]\s*)?(?P<loose>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.'&+/][A-Za-z0-9]+)*|[0-9]+[A-Za-z][A-Za-z0-9-]*")
_TITLED = re.compile(r"《([^》]{1,40})》|“([^”]{1,20})”|「([^」]{1,20})」")


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable thing: `value` in normal form, `shown` as it stands in the text."""

    kind: FactKind
    value: str
    shown: str
    unit: str = ""
