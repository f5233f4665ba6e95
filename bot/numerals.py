"""Writes the numerals of a text as digits: "七天" and "seven days" become "7天" and "7 days".

Pure functions of text. Only numerals that count something are written so: "一般", "十分满意" and "万一" stay.
"""

import re
import unicodedata

from knowledge_base.language import to_simplified

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10_000, "亿": 100_000_000}
_RUN = r"[零〇一二两三四五六七八九十百千万亿]"
_COUNTED = r"(?:天|年|个月|月|周|日|号|元|块|折|次|倍|小时|分钟|星期|点|家|件|台|位|名|种|级|张|份|人|岁|米|斤|公斤|%)"
_NUMERAL = re.compile(rf"{_RUN}+")
_PERCENT = re.compile(rf"百分之((?:{_RUN})+|\d+(?:\.\d+)?)")
_GROUPED = re.compile(r"(\d+(?:\.\d+)?)\s*([万亿])")
_NOT_COUNTING = re.compile(
    r"十分(?!钟)|千万(?=不|别|要|记|注意|小心)|万一|一块(?=儿|来|去|买|退|寄)|一点(?!钟|整|半|[0-9一二三四五])|万分"
)
_AFTER = re.compile(rf"\s*(?:多|余)?{_COUNTED}")
_ENGLISH = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ENGLISH_NUMERAL = re.compile(rf"\b({'|'.join(sorted(_ENGLISH, key=len, reverse=True))})\b", re.IGNORECASE)
_ENGLISH_COUNTED = re.compile(
    r"[ -](?:days?|weeks?|months?|years?|hours?|minutes?|percent|times|dollars?|yuan)\b", re.I
)


def with_digits(text: str) -> str:
    """The text with width and script folded, thousands separators dropped and numerals as digits."""
    folded = to_simplified(unicodedata.normalize("NFKC", text))
    folded = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", folded)
    folded = _PERCENT.sub(lambda match: f"{_number(match[1])}%", folded)
    folded = _chinese(folded)
    folded = _GROUPED.sub(lambda match: f"{float(match[1]) * _GROUPS[match[2]]:.10g}", folded)
    return _ENGLISH_NUMERAL.sub(_english, folded)


def _chinese(text: str) -> str:
    """Chinese numerals that count something as digits."""
    idle = {at for match in _NOT_COUNTING.finditer(text) for at in range(*match.span())}

    def digits(match: re.Match[str]) -> str:
        run = match[0]
        if match.start() in idle or not any(c in _DIGITS or c == "十" for c in run):
            return run
        counts = _AFTER.match(text, match.end())
        scaled = len(run) > 1 and any(c in _SCALES or c in _GROUPS for c in run)
        counted_pieces = run in ("两", "二", "三", "四", "五", "六", "七", "八", "九", "十") and text.startswith(
            "个", match.end()
        )
        return _number(run) if counts or scaled or counted_pieces else run

    return _NUMERAL.sub(digits, text)


def _number(run: str) -> str:
    """A Chinese numeral's value in digits; digits stay."""
    if run[0].isascii():
        return run
    if not any(c in _SCALES or c in _GROUPS for c in run):
        return "".join(str(_DIGITS[c]) for c in run)
    total = section = digit = 0
    for character in run:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _SCALES:
            section += (digit or 1) * _SCALES[character]
            digit = 0
        else:
            total = (total + section + digit or 1) * _GROUPS[character]
            section = digit = 0
    return str(total + section + digit)


def _english(match: re.Match[str]) -> str:
    """An English numeral as digits; "one" only where it counts ("one year", not "this one")."""
    number = _ENGLISH[match[0].lower()]
    if number == 1 and not _ENGLISH_COUNTED.match(match.string, match.end()):
        return match[0]
    return str(number)
