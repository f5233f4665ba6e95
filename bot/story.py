"""What became of the releases: promoted, tried, refused, rolled back; a line each in a file. Decides nothing."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

Act = Literal["promote", "rollback", "refuse", "try", "withdraw"]
_MOVES = ("promote", "rollback")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that became of a release, and why. `found`: what made the watch act, see bot/watch.py."""

    at: datetime
    act: Act
    release: str
    before: str  # what served until then, or beside it
    why: str = ""
    found: Mapping[str, Any] | None = None

    def is_about(self, name: str) -> bool:
        """Whether the chapter belongs to the story of that release."""
        return name == self.release or (name == self.before and self.act in _MOVES)


class Story:
    """The chapters in a file. One is told before it is done: what a crash then kept from happening is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def chapters(self, serving: str, trial: str | None) -> list[Chapter]:
        """All of it, oldest first, as `serving` and `trial` bear it out; a half-written last line is left out."""
        lines = self._path.read_text(encoding="utf-8").split("\n")[:-1] if self._path.exists() else []
        told = [json.loads(line) for line in lines]
        return _happened([Chapter(**one | {"at": datetime.fromisoformat(one["at"])}) for one in told], serving, trial)

    def tell(self, chapter: Chapter) -> None:
        """Add a chapter; what a crash has cut short goes first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = asdict(chapter) | {"at": chapter.at.isoformat()}
        if chapter.found is None:
            del content["found"]
        whole = self._path.read_bytes().rfind(b"\n") + 1 if self._path.exists() else 0
        with self._path.open("ab") as file:
            file.truncate(whole)
            file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _happened(told: Sequence[Chapter], serving: str, trial: str | None) -> list[Chapter]:
    """Each move begins where the one before it ended, and the last one ends with what serves."""
    kept: list[Chapter] = []
    ends_with, is_open = serving, trial is not None
    for chapter in reversed(told):
        if chapter.act in _MOVES:
            if chapter.release != ends_with:
                continue
            ends_with = chapter.before
        if chapter.act == "try" and not is_open:
            continue
        is_open = is_open or chapter.act in ("promote", "withdraw")
        kept.append(chapter)
    return kept[::-1]
