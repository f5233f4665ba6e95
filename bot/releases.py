"""Releases: which adapter, calibration and encoder serve. Reads, checks, promotes, rolls back.

A release is a folder `<releases>/<name>/` with release.json and the files that it lists. `current` beside them
names the one that serves and those before it. Knows nothing of training or of loading models.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.calibration import BUILT_IN
from bot.types import BotError

BASE = "base"  # what serves when no release was ever promoted
_POINTER = "current"


@dataclass(frozen=True, slots=True)
class Generator:
    """`base`: "embedded", a Hugging Face name or a folder; `fit`: whether its answers may be shown."""

    base: str = "embedded"
    adapter: Path | None = None
    fit: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `encoder`: fingerprint of the encoder that it was made with; empty: any."""

    name: str
    calibration: Path
    generator: Generator = Generator()
    encoder: str = ""
    files: Mapping[str, str] = field(default_factory=dict)  # path in the folder → SHA-256


class Releases:
    """The releases of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Names of all releases there, the built-in one first."""
        found = self.folder.glob("*/release.json")
        return [BASE, *sorted(path.parent.name for path in found)]

    def current(self) -> Release:
        """The promoted release, checked; the built-in one when none was. Raises BotError."""
        return self.get(self._line()[-1])

    def get(self, name: str) -> Release:
        """A release by name, its files checked. Raises BotError naming what is missing or was altered."""
        if name == BASE:
            return Release(BASE, BUILT_IN)
        if name not in self.names():
            raise BotError(f"There is no release {name!r} in {self.folder}. There are: {', '.join(self.names())}.")
        folder = self.folder / name
        release = _read(folder)
        for path, wanted in release.files.items():
            _check(folder / path, wanted, name)
        return release

    def promote(self, name: str) -> Release:
        """Make a release the current one, in one step. Raises BotError when it is missing or damaged."""
        release = self.get(name)
        line = self._line()
        if line[-1] != name:
            self._point([*line, name])
        return release

    def rollback(self) -> Release:
        """Make the release before the current one current again. Raises BotError when there is none."""
        line = self._line()
        if len(line) == 1:
            raise BotError(f"There is no release before {line[0]!r} to roll back to.")
        release = self.get(line[-2])
        self._point(line[:-1])
        return release

    def _line(self) -> list[str]:
        """Names of the promoted releases, oldest first, the current one last."""
        pointer = self.folder / _POINTER
        if not pointer.exists():
            return [BASE]
        names = pointer.read_text(encoding="utf-8").split("\n")
        line = [name for name in names if name]
        if not line:
            raise BotError(f"{pointer} is empty. Delete it to serve the built-in release, or promote one.")
        return line

    def _point(self, line: list[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{_POINTER}.{os.getpid()}"
        with draft.open("w", encoding="utf-8") as file:
            file.write("\n".join(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / _POINTER)


def _read(folder: Path) -> Release:
    path = folder / "release.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        generator: dict[str, Any] = content.get("generator", {})
        adapter = generator.get("adapter")
        return Release(
            name=folder.name,
            calibration=folder / content["calibration"] if content.get("calibration") else BUILT_IN,
            generator=Generator(
                base=str(generator.get("base", "embedded")),
                adapter=folder / adapter if adapter else None,
                fit=generator.get("fit", False) is True,
            ),
            encoder=str(content.get("encoder", "")),
            files=dict(content.get("files", {})),
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BotError(f"{path} is not a valid release ({error}). Promote another, or roll back.") from error


def _check(path: Path, wanted: str, release: str) -> None:
    remedy = "Restore it from a backup, or roll back."
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BotError(f"Release {release!r} lacks {path} ({error.strerror}). {remedy}") from error
    if found != wanted:
        raise BotError(f"{path} of release {release!r} was altered: its SHA-256 is not the stored one. {remedy}")
