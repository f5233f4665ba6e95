"""JSON Lines files read row by row, each field checked. Knows no format beyond that."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.types import LONGEST_ID, Language

LONGEST_ROW = 1_000_000  # characters


class RowError(ValueError):
    """A row that cannot be used; the message names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `at` says where it stands: "file, line n". Every method raises RowError for a wrong field."""

    content: dict[str, Any]
    at: str

    def wrong(self, message: str) -> RowError:
        """The error to raise about this row."""
        return RowError(f"{self.at}: {message}")

    def text(self, name: str, longest: int = LONGEST_ROW, *, blank: bool = False) -> str:
        """A text that must be there; it may be blank only where `blank` says so."""
        value = self._of(name, str)
        if not blank and not value.strip():
            raise self.wrong(f"the field {name!r} is blank")
        if len(value) > longest:
            raise self.wrong(f"the field {name!r} has {len(value)} characters; shorten it to {longest}")
        return str(value)

    def id(self) -> str:
        """The row's own id."""
        return self.text("id", LONGEST_ID)

    def texts(self, name: str, *, optional: bool = True) -> tuple[str, ...]:
        """A list of texts, none of them blank. Where it may be missing, null counts as missing."""
        values = self._list(name, optional)
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise self.wrong(f"the field {name!r} must be a list of texts, but holds {value!r:.80}")
        return tuple(values)

    def turns(self, name: str) -> tuple[tuple[str, str], ...]:
        """A dialogue as (role, text) pairs, oldest first; empty where it is missing."""
        found = []
        for turn in self._list(name, optional=True):
            inner = Row(turn if isinstance(turn, dict) else {}, f"{self.at}, in {name!r}")
            found.append((inner.text("role"), inner.text("text", blank=True)))
        return tuple(found)

    def flag(self, name: str) -> bool:
        """True or false, which must be there."""
        return bool(self._of(name, bool))

    def language(self) -> Language:
        """The field "language"."""
        value: Language = self._of("language", str)
        if value not in ("zh", "en"):
            raise self.wrong(f'language {value!r:.80} must be "zh" or "en"')
        return value

    def _list(self, name: str, optional: bool) -> list[Any]:
        if optional and self.content.get(name) is None:
            return []
        return list(self._of(name, list))

    def _of(self, name: str, kind: type) -> Any:
        if name not in self.content:
            raise self.wrong(f"the field {name!r} is missing")
        if not isinstance(self.content[name], kind):
            raise self.wrong(f"the field {name!r} must be of type {kind.__name__}")
        return self.content[name]


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSON Lines file, blank lines left out. Raises RowError, or OSError where it cannot be read."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            at = f"{path}, line {number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                place = f"{error.reason} at byte {error.start + 1}"
                raise RowError(f"{at} is not UTF-8 ({place}); save the file as UTF-8") from error
            if len(text) > LONGEST_ROW:
                raise RowError(f"{at} has {len(text)} characters; shorten it to {LONGEST_ROW}")
            if text.strip():
                yield Row(_object(text, at), at)


def _object(text: str, at: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RowError(f"{at} holds half a character (a lone surrogate); write it whole") from error
    except (ValueError, RecursionError) as error:
        raise RowError(f"{at} is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise RowError(f"{at} is not a JSON object")
    return content
