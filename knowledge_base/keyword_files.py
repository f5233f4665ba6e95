"""Tells whether tantivy's files are as they were written: each ends with its own checksum. Knows no word and no row."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

LIST = "meta.json"
"""tantivy's list of the parts."""
_END = struct.Struct("<II")  # the footer's length, and a number that says that there is one
_MAGIC = 1337


def check(folder: Path) -> None:
    """Raise ValueError naming the first file of the listed parts that is not as it was written."""
    try:
        parts = json.loads((folder / LIST).read_bytes())["segments"]
        files = [path for part in parts for path in _files(folder, part)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{LIST} is missing or damaged") from error
    for path in files:
        if not _is_whole(path):
            raise ValueError(f"{path.name} is damaged")


def _files(folder: Path, part: dict[str, object]) -> Iterator[Path]:
    """The files of one part; what a killed writer has left of others, or of later deletions, does not count."""
    id = str(part["segment_id"]).replace("-", "")
    yield from (path for path in sorted(folder.glob(f"{id}.*")) if path.suffix != ".del")
    if isinstance(deletes := part["deletes"], dict):
        yield folder / f"{id}.{deletes['opstamp']}.del"


def _is_whole(path: Path) -> bool:
    try:
        content = path.read_bytes()
        length, magic = _END.unpack(content[-_END.size :])
        end = len(content) - _END.size - length
        wanted = json.loads(content[end : -_END.size])["crc"]
    except (OSError, struct.error, ValueError, KeyError, TypeError):
        return False
    return bool(magic == _MAGIC and zlib.crc32(content[:end]) == wanted)
