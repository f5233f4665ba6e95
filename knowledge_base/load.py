"""Reads a file into a Document, or says in one plain sentence why it cannot and what to do.

Knows nothing of chunks, the store or search.
"""

from collections.abc import Callable
from pathlib import Path

from knowledge_base.file_kind import KINDS, check_kind
from knowledge_base.language import language_of
from knowledge_base.markup import read_html, read_slides, read_word
from knowledge_base.pdf import read_pdf
from knowledge_base.plain_text import clean, read_text
from knowledge_base.sections import sections
from knowledge_base.source import MOST_CHARACTERS, Markdown, Source, Unreadable, readable, too_long
from knowledge_base.spreadsheet import read_csv, read_workbook
from knowledge_base.types import LONGEST_ID, Document

__all__ = ["SUFFIXES", "Unreadable", "load"]

SUFFIXES = frozenset(KINDS)
"""The endings of the files that `load` can read, in lower case with their dot."""

_MOST_BYTES = 50_000_000
_LONGEST_TITLE = 120
_LANGUAGE_SAMPLE = 20_000  # characters
_READERS: dict[str, Callable[[Source], Markdown]] = {
    ".html": read_html,
    ".htm": read_html,
    ".csv": read_csv,
    ".pdf": read_pdf,
    ".docx": read_word,
    ".xlsx": read_workbook,
    ".pptx": read_slides,
}


def load(path: Path, *, id: str | None = None) -> Document:
    """The file at `path` as a Document, by default with its name as id.

    The title is the first heading, else the file's own title, else its name without the ending. Raises
    Unreadable, whose message names file and remedy, for a file that is missing, too large, of an unknown kind, not
    what its ending says, encrypted, broken, scanned without text, or empty, and for an id that is too long.
    """
    source = _source(path)
    if id is not None and len(id) > LONGEST_ID:
        raise Unreadable(
            f"{source.name} would get an id of {len(id)} characters, more than {LONGEST_ID}. Add a folder nearer to"
            " it, or give it a shorter --id."
        )
    check_kind(source)
    markdown = _READERS.get(source.suffix, read_text)(source)
    text = clean(markdown.text).strip()
    if len(text) > MOST_CHARACTERS:
        raise too_long(source.name)
    if not any(c.isprintable() and not c.isspace() for c in text):
        raise Unreadable(f"{source.name} has no text in it. Check that the right file was chosen.")
    return Document(
        id=source.name if id is None else id,
        title=_title(markdown, text, source),
        text=text,
        language=language_of(text[:_LANGUAGE_SAMPLE]),
        source=source.name,
    )


def _source(path: Path) -> Source:
    name = readable(path.name)
    try:
        if path.is_dir():
            raise Unreadable(f"{name} is a folder. Give the files in it.")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise Unreadable(
                f"{name} has {size / 1e6:.0f} MB, more than the {_MOST_BYTES // 1_000_000} MB that one file may have."
                " Split it or remove its pictures, and add the smaller files."
            )
        return Source(name, path.read_bytes())
    except FileNotFoundError as error:
        raise Unreadable(f"{readable(str(path))} does not exist. Check the path.") from error
    except OSError as error:
        raise Unreadable(
            f"{readable(str(path))} cannot be read ({error.strerror}). Check the path and the rights of the file."
        ) from error


def _title(markdown: Markdown, text: str, source: Source) -> str:
    heading = ""
    if source.suffix not in (".xlsx", ".csv"):  # their headings are names of sheets
        heading = next((s.headings[0] for s in sections(text[:_LANGUAGE_SAMPLE]) if s.headings), "")
    own = " ".join(clean(markdown.title).split())
    stem = Path(source.name).stem
    return (heading or own or stem)[:_LONGEST_TITLE]
