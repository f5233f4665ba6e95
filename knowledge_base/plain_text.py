"""Text files and Markdown: bytes to characters in whatever encoding, front matter, and what never belongs in text.

Knows nothing of HTML, tables or the store.
"""

import codecs
import re
import unicodedata

from knowledge_base.source import Markdown, Source, Unreadable

_MARKS = (  # longest first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ["gb18030", "big5hkscs", "cp1252"]  # what files in Chinese and English are in when not in Unicode
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(?P<fields>(?:[^\n]*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FRONT_TITLE = re.compile(r"^title[ \t]*:[ \t]*(?P<title>[^\n]+)$", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(r"[\w-]+[ \t]*:|[ \t#-]|$")
_FENCE_OR_COMMENT = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)|<!--.*?-->", re.DOTALL | re.MULTILINE
)
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SAMPLE = 200_000  # bytes that are enough to tell an encoding by
_RADICAL = re.compile(r"[\u2e80-\u2fd5]")
_CHARACTERS = dict(  # of the radicals that Unicode itself does not fold
    zip(
        "⺌⺍⺝⺠⺧⺬⺮⺯⺴⺵⺶⺷⺼⻁⻄⻅⻆⻇⻉⻊⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻱",
        "小小月民牛示竹糸网网羊羊月虎西见角角贝足车長长门雨青韦页风飞食首马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)


def read_text(source: Source) -> Markdown:
    """A text or Markdown file; comments and front matter are left out, but its title is kept.

    Raises Unreadable when no known encoding fits.
    """
    text = decoded(source).replace("\r\n", "\n").replace("\r", "\n")
    title = ""
    front = _FRONT_MATTER.match(text)
    if front and all(_FIELD.match(line) for line in front["fields"].splitlines()):
        found = _FRONT_TITLE.search(front["fields"])
        title = found["title"].strip().strip("\"'") if found else ""
        text = text[front.end() :]
    return Markdown(without_comments(text), title)


def decoded(source: Source, declared: str = "") -> str:
    """The file's characters: by its byte order mark, as UTF-8, by `declared`, else by what its bytes look like."""
    data = source.data
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(source, encoding)
    if b"\x00" in data:
        return _strict(source, "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _strict(source, _wider(declared) or _detected(data))


def without_comments(text: str) -> str:
    """`text` without HTML comments, but for those inside code fences."""
    return _FENCE_OR_COMMENT.sub(lambda m: m.group() if m["fence"] else "", text)


def clean(text: str) -> str:
    """`text` as people read it: without control characters and halves of characters, radicals as characters.

    PDF printers write ⽤ (a radical) for 用; the two look alike, but no search would find the one by the other.
    """
    text = _UNWANTED.sub("", text.replace("\x0b", "\n").replace("\x0c", "\n"))
    return _RADICAL.sub(lambda match: _CHARACTERS.get(match[0]) or unicodedata.normalize("NFKC", match[0]), text)


def _wider(declared: str) -> str:
    """The encoding that holds all that `declared` may hold in practice; "" when there is no such encoding."""
    if declared.lower() in ("gb2312", "gbk", "gb_2312-80", "x-gbk"):
        return "gb18030"
    try:
        return codecs.lookup(declared).name if declared else ""
    except LookupError:
        return ""


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    cut = data[:_SAMPLE]
    sample = cut[: cut.rfind(b"\n") + 1] or cut
    if _is_simplified(sample):  # charset-normalizer takes a few words of it for Big5
        return "gb18030"
    best = from_bytes(sample, cp_isolation=_LEGACY).best()
    return best.encoding if best else ""


def _is_simplified(sample: bytes) -> bool:
    """Whether nearly all is of GB 2312: Big5 and Western text, so read, is full of rarer characters."""
    text = sample.decode("gb18030", "ignore")
    foreign = [c for c in text if not c.isascii()]
    plain = "".join(foreign).encode("gb2312", "ignore")
    return len(plain) > 2 * 0.95 * len(foreign)


def _strict(source: Source, encoding: str) -> str:
    try:
        return source.data.decode(encoding or "utf-8")
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable(
            f"{source.name} is in an encoding that cannot be told. Save it as UTF-8 text and add it again."
        ) from error
