"""Where the sentences of a Markdown text begin and end, Chinese and English alike.

Pure functions of text. Knows nothing of tokens, passages or files.
"""

import re
import unicodedata

_STOP = re.compile(r"[。！？；．｡!?.]+")
_HALF_WIDTH = frozenset(".!?")  # end a sentence only before white space or Chinese
_CLOSERS = frozenset("”’」』】）》〉〗)]。！？；!?")
_PAIRED = ('"', "**", "__", "*", "`")  # the same mark opens and closes: counted to know which it is
_PAIRED_STARTS = frozenset('"*_`')
_ABBREVIATION = re.compile(
    r"(?:^|[\s(（\[“\"'])(?:e\.g|i\.e|cf|vs|approx|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Fig|figs|Eq|Sec|ext|tel|dept|est|incl|excl"
    r"|[A-Za-z](?:\.[A-Za-z])*)$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(r"(?:^|\W)(?:no|nos|vol|ch|p|pp|art|rev|ver)$", re.IGNORECASE)
_MAYBE_END = re.compile(r"(?:^|\W)(?:a\.m|p\.m|U\.S|U\.K|etc|Inc|Ltd|Co|Corp)$", re.IGNORECASE)
_DAY = re.compile(r"(?:Mon|Tues?|Wed|Thu|Fri|Sat|Sun)[a-z]*\b|[A-Z]{2,4}\b")  # "9 a.m. Monday", "9 a.m. EST"
_LIST_NUMBER = re.compile(r"^\s*(?:[-*+•>]\s+)*[(（]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})$")
_ITEM = re.compile(
    r"[ \t]*(?:>[ \t]*)*(?:[-*+•·][ \t]+|[(（]?(?:\d{1,3}|[a-zA-Z])[.)、）．](?=[^\d.])|[①-⑳]|#{1,6}\s|>|\|)"
)
_MARKER = re.compile(r"\s*(?:(?:>|#{1,6}(?=\s)|[-*+•·](?=\s))\s*)*")
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})")
_RULE = re.compile(r"[ \t]*(?:\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?|={2,}|(?:[-*_][ \t]*){3,})$")
_WRAP_COLUMNS = 50  # a line at least this wide and without a stop was wrapped by an editor
_LONGEST_QUOTE = 500  # characters looked back for the mark that opens a quote
_LONGEST_CONTEXT = 40  # characters before a full stop that an abbreviation may fill


def sentences(text: str) -> list[str]:
    """The sentences of a Markdown text in order, each word for word a part of it.

    A table row, a heading and a line of code count as one sentence; a list item as one or more, without its
    bullet. Rules, table delimiter rows and fence markers are left out. Raises nothing.
    """
    found = []
    for start, end in sentence_spans(text):
        line = text[start:end].strip()
        if _RULE.fullmatch(line) or _FENCE.match(line):
            continue
        bare = line[_MARKER.match(line).end() :]  # type: ignore[union-attr]  # matches the empty text too
        if bare:
            found.append(bare)
    return found


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence with its bullet or marker; only white space lies outside the spans."""
    spans: list[tuple[int, int]] = []
    for start, end, plain in _runs(text):
        if plain:
            spans.extend(_split(text, start, end))
        else:
            spans.append((start, end))
    return spans


def _runs(text: str) -> list[tuple[int, int, bool]]:
    """Lines, with those that were only wrapped put together; the flag is False where stops mean nothing."""
    runs: list[tuple[int, int, bool]] = []
    fenced = joinable = False
    position = 0
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        bare = line.strip()
        if not bare:
            joinable = False
            continue
        start += len(line) - len(line.lstrip())
        end = start + len(bare)
        fence = _FENCE.match(line) is not None
        fenced ^= fence
        plain = not (fence or fenced or bare[0] in "|#" or _RULE.fullmatch(bare))
        if joinable and plain and not _ITEM.match(line):
            runs[-1] = (runs[-1][0], end, True)
        else:
            runs.append((start, end, plain))
        joinable = plain and _is_wrapped(line.rstrip("\r\n"))
    return runs


def _is_wrapped(line: str) -> bool:
    """Whether a line of a paragraph goes on in the next: it is wide and does not end by itself."""
    if line.endswith(("  ", "\\")) or line.rstrip()[-1] in "。！？；：":
        return False
    if len(line) >= _WRAP_COLUMNS:
        return True
    return 2 * len(line) >= _WRAP_COLUMNS and width(line) >= _WRAP_COLUMNS


def width(text: str) -> int:
    """Columns that a text takes on a terminal: a Chinese character counts as two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begin = start
    for match in _STOP.finditer(text, start, end):
        if match.start() < begin:
            continue
        stop = _closed(text, begin, match.end(), end)
        if not _ends_sentence(text, begin, match, stop, end):
            continue
        spans.append((begin, stop))
        begin = stop
        while begin < end and text[begin].isspace():
            begin += 1
    if begin < end:
        spans.append((begin, end))
    return spans


def _closed(text: str, begin: int, stop: int, end: int) -> int:
    """Move past the quotes and brackets that close right after the stop."""
    while stop < end:
        if text[stop] in _CLOSERS:
            stop += 1
            continue
        if text[stop] not in _PAIRED_STARTS:
            return stop
        mark = next((m for m in _PAIRED if text.startswith(m, stop)), None)
        if mark is None or text.count(mark, max(begin, stop - _LONGEST_QUOTE), stop) % 2 == 0:
            return stop
        stop += len(mark)
    return stop


def _ends_sentence(text: str, begin: int, match: re.Match[str], stop: int, end: int) -> bool:
    mark = match.group()
    if stop >= end or not _HALF_WIDTH.issuperset(mark):
        return not (mark == "．" and text[match.start() - 1 : match.start()].isdigit() and stop < end)
    following = text[stop]
    if not following.isspace():
        return _is_chinese(following) and not _numbers_a_line(text, begin, match)
    rest = text[stop : stop + 20].lstrip()
    first = rest[:1]
    if first.islower() and (mark == "." or stop > match.end()):
        return False
    return mark != "." or not _abbreviates(text, begin, match.start(), rest)


def _numbers_a_line(text: str, begin: int, match: re.Match[str]) -> bool:
    return match.group() == "." and _LIST_NUMBER.match(text[begin : match.start()]) is not None


def _abbreviates(text: str, begin: int, dot: int, rest: str) -> bool:
    """Whether the full stop at `dot` belongs to an abbreviation or a list number; `rest` is what follows."""
    before = text[max(begin, dot - _LONGEST_CONTEXT) : dot]
    if _LIST_NUMBER.match(before) and dot - begin <= _LONGEST_CONTEXT:
        return True
    if _MAYBE_END.search(before):
        return _DAY.match(rest) is not None or not (rest[:1].isupper() or _is_chinese(rest[:1]))
    if _BEFORE_NUMBER.search(before):
        return rest[:1].isdigit()
    return _ABBREVIATION.search(before) is not None


def _is_chinese(character: str) -> bool:
    return "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or "！" <= character <= "～"
