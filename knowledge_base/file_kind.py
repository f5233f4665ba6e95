"""What a file truly is, by its first bytes, and whether that is what its name says and small enough to open.

Knows nothing of how a file is converted.
"""

import io
import zipfile

from knowledge_base.source import Source, Unreadable

KINDS = {
    ".md": "a text file",
    ".markdown": "a text file",
    ".txt": "a text file",
    ".html": "a text file",
    ".htm": "a text file",
    ".csv": "a text file",
    ".pdf": "a PDF",
    ".docx": "a Word document",
    ".xlsx": "an Excel workbook",
    ".pptx": "a PowerPoint presentation",
}
"""Endings that can be read, and what such a file must be."""

_SUFFIX_OF = {kind: suffix for suffix, kind in KINDS.items() if kind != "a text file"}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = (
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"ID3", "a sound file"),
)
_PARTS = (("word/", "a Word document"), ("xl/", "an Excel workbook"), ("ppt/", "a PowerPoint presentation"))
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_MOST_UNPACKED = 200_000_000  # bytes in all of a ZIP container
_MOST_PARSED = 20_000_000  # bytes of one XML part read as a whole; measured at 1.6 s and 60 MB for each million
_LOOKED_AT = 8192


def check_kind(source: Source) -> None:
    """Raise Unreadable for an unknown ending, content that is not what the ending says, and ZIP bombs."""
    expected = KINDS.get(source.suffix)
    if expected is None:
        raise Unreadable(
            f"{source.name} is of a kind that cannot be read. Save it as {', '.join(sorted(KINDS))} and add that."
        )
    actual = _kind(source)
    if actual != expected:
        raise Unreadable(f"{source.name} is not {expected} but {actual}. {_remedy(expected, actual)}")
    if expected != "a text file" and expected != "a PDF":
        _check_size(source)


def _remedy(expected: str, actual: str) -> str:
    if actual in _SUFFIX_OF:
        return f"Rename it so that it ends in {_SUFFIX_OF[actual]} and add it again."
    if actual == "a text file":
        return "Rename it so that it ends in .txt, .html or .csv, whichever it is, and add it again."
    if "picture" in actual:
        return "Run text recognition (OCR) on it and add the result."
    if "password" in actual:
        return "Save a copy without the password and add that."
    if "old Office" in actual:
        return "Save it as .docx, .xlsx or .pptx and add that."
    return "Choose the right file, or save it again from its original, and add that."


def _kind(source: Source) -> str:
    data = source.data
    start = data[:_LOOKED_AT]
    if b"%PDF-" in start[:1024]:
        return "a PDF"
    if start.startswith(b"PK\x03\x04"):
        return _container(data)
    if start.startswith(_OLD_OFFICE):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        return "a password-protected Office file" if locked else "an old Office file (.doc, .xls, .ppt)"
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return name
    if b"\x00" in start and not start.startswith(_BYTE_ORDER_MARKS) and not _may_be_utf16(start):
        return "a file of binary data"
    return "a text file"


def _may_be_utf16(start: bytes) -> bool:
    """Without a byte order mark: ASCII characters leave every other byte zero, on one side only."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    return len(start) % 2 == 0 and min(even, odd) == 0 and b"\x00\x00" not in start


def _container(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return "a damaged file"
    for prefix, name in _PARTS:
        if any(n.startswith(prefix) for n in names):
            return name
    return "an OpenDocument file" if "META-INF/manifest.xml" in names and "content.xml" in names else "a ZIP archive"


def _check_size(source: Source) -> None:
    """The sizes that a container states are binding: reading it never gives more."""
    with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
        infos = archive.infolist()
    parsed = max((i.file_size for i in infos if i.filename.endswith((".xml", ".rels"))), default=0)
    most = _MOST_UNPACKED if source.suffix == ".xlsx" else _MOST_PARSED
    if sum(i.file_size for i in infos) > _MOST_UNPACKED or parsed > most:
        raise Unreadable(
            f"{source.name} unpacks to more than {_MOST_UNPACKED // 1_000_000} MB, or more than"
            f" {_MOST_PARSED // 1_000_000} MB of text. Remove pictures or split it, and add the smaller files."
        )
