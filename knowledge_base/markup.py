"""HTML, Word and PowerPoint files as Markdown, through markitdown.

Knows nothing of PDF, spreadsheets or the store.
"""

import html
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from knowledge_base.plain_text import decoded, without_comments
from knowledge_base.source import Markdown, Source, Unreadable

_MOST_HTML = 3_000_000  # characters; measured at 8 s and 0.2 GB for each million
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_CHROME = "script, style, noscript, template, svg, iframe, nav, form, button, select, [hidden], [role=navigation]"
_MAIN = "main, [role=main]"
_SHOWN_TITLE = re.compile(r"\s+")
_CORE_TITLE = re.compile(r"<dc:title[^>]*>(.*?)</dc:title>", re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_NOTES = re.compile(r"^### Notes:\n.*?(?=<!-- Slide number: \d+ -->|\Z)", re.DOTALL | re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_STYLE = {
    "heading_style": "atx",
    "table_infer_header": True,
    "escape_asterisks": False,
    "escape_underscores": False,
    "escape_misc": False,
    "strict": True,
}


def read_html(source: Source) -> Markdown:
    """A web page's main part, else its body, without scripts, navigation, forms and pictures."""
    from bs4 import BeautifulSoup

    charset = _CHARSET.search(source.data[:4096])
    text = _XML_DECLARATION.sub("", decoded(source, charset[1].decode("ascii") if charset else ""))
    if len(text) > _MOST_HTML:
        raise Unreadable(
            f"{source.name} has more than {_MOST_HTML:,} characters of HTML. Split it, or save its text as .txt,"
            " and add that."
        )
    soup = BeautifulSoup(text, "html.parser")
    title = _SHOWN_TITLE.sub(" ", soup.title.get_text()).strip() if soup.title else ""
    for element in soup.select(_CHROME):
        element.decompose()
    mains = soup.select(_MAIN)
    main = mains[0] if len(mains) == 1 else soup.body or soup
    text = _converted(source, lambda: _html_converter().convert_string(f"<div>{main}</div>", **_STYLE))
    return Markdown(_tidy(text), title)


def read_word(source: Source) -> Markdown:
    """A DOCX file's text with its headings, lists and tables. Raises Unreadable for a broken one."""

    def convert() -> Any:
        from markitdown import StreamInfo
        from markitdown.converters import DocxConverter

        return DocxConverter().convert(io.BytesIO(source.data), StreamInfo(extension=".docx"), **_STYLE)

    return Markdown(_tidy(_converted(source, convert)), _core_title(source))


def read_slides(source: Source) -> Markdown:
    """A PPTX file's slides, each below its title; the speaker's notes are left out, they are not for customers."""

    def convert() -> Any:
        from markitdown import StreamInfo
        from markitdown.converters import PptxConverter

        return PptxConverter().convert(io.BytesIO(source.data), StreamInfo(extension=".pptx"), **_STYLE)

    text = _NOTES.sub("", _converted(source, convert).replace("\x0b", "\n"))
    return Markdown(_tidy(without_comments(text)), _core_title(source))


def _html_converter() -> Any:
    from markitdown.converters import HtmlConverter

    return HtmlConverter()


def _converted(source: Source, convert: Callable[[], Any]) -> str:
    try:
        return str(convert().markdown)
    except RecursionError as error:
        raise Unreadable(
            f"{source.name} is nested too deeply to be read. Save its text as .txt and add that."
        ) from error
    except Exception as error:  # the converters raise whatever their parsers do
        raise Unreadable(
            f"{source.name} is broken ({type(error).__name__}). Open it in its program, save it again and add the"
            " new file."
        ) from error


def _core_title(source: Source) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            found = _CORE_TITLE.search(archive.read("docProps/core.xml").decode("utf-8", "replace"))
    except (KeyError, zipfile.BadZipFile, zlib.error):
        return ""  # its text was read, and a title is to be had elsewhere
    title = html.unescape(found[1]).strip() if found else ""
    return "" if title in ("PowerPoint Presentation", "PowerPoint 演示文稿", "Word Document") else title


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in _PICTURE.sub("", text).splitlines()]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
