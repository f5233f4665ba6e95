"""Releases: which adapters, fusion and calibration serve. Reads, checks, promotes, rolls back.

A release is a folder with release.json and the files that it lists: `<releases>/<name>/`, or the one that ships,
`default`. `current` in the releases' folder names the one that serves and those before it; `story.jsonl` tells what
became of each. Knows nothing of training or of loading models.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bot.types import BotError
from knowledge_base.adapter import Adapter

DEFAULT = "default"  # what serves when no release was ever promoted
SHIPPED = Path(__file__).parent / "release"
_POINTER = "current"
_STORY = "story.jsonl"


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a release. `base`: "embedded", a Hugging Face name or a folder; `fit`: whether it may be used."""

    base: str = "embedded"
    adapter: Adapter | None = None
    fit: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `fusion`: how its encoder's scores are joined with word matches; None: as the package says."""

    name: str
    calibration: Path
    encoder: Model = Model(fit=True)
    generator: Model = Model()
    reranker: Model = Model()  # without adapter: the encoder's own late interaction
    fusion: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)  # path in the folder → SHA-256

    def reads_like(self, other: "Release") -> bool:
        """Whether both encode alike: what the one has read need not be read again for the other."""
        return self._reading() == other._reading()

    def _reading(self) -> tuple[str, str]:
        adapter = self.encoder.adapter
        weights = f"{adapter.folder.name}/adapter_model.safetensors" if adapter else ""
        return self.encoder.base, self.files.get(weights, "")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that became of a release, and why."""

    at: datetime
    act: Literal["promote", "rollback", "refuse"]
    release: str
    before: str  # what served until then
    why: str = ""


class Releases:
    """The releases of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Names of all releases there, the one that ships first."""
        found = self.folder.glob("*/release.json")
        return [DEFAULT, *sorted(path.parent.name for path in found)]

    def current(self) -> Release:
        """The promoted release, checked; the one that ships when none was. Raises BotError."""
        return self.get(self.serving())

    def serving(self) -> str:
        """The name of the current release, whatever its files are like. Raises BotError."""
        return self._line()[-1]

    def get(self, name: str) -> Release:
        """A release by name, its files checked. Raises BotError naming what is missing or was altered."""
        if name not in self.names():
            raise BotError(f"There is no release {name!r} in {self.folder}. There are: {', '.join(self.names())}.")
        folder = SHIPPED if name == DEFAULT else self.folder / name
        release = _read(folder, name)
        for path, wanted in release.files.items():
            _check(folder / path, wanted, name)
        return release

    def judgement(self, name: str) -> dict[str, Any] | None:
        """How a release compared with the one before it, as its round found; None where none has judged it."""
        path = (SHIPPED if name == DEFAULT else self.folder / name) / "judgement.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise BotError(f"{path} cannot be read ({error}). Restore it from a backup.") from error
        return found

    def check(self, name: str, anyway: bool = False) -> None:
        """Raise BotError for a release that its round has refused, unless `anyway`."""
        if not anyway and (self.judgement(name) or {"passed": True})["passed"] is not True:
            card = self.folder / name / "README.md"
            raise BotError(f"Release {name!r} was refused; {card} says why. --anyway promotes it nevertheless.")

    def promote(self, name: str, why: str = "", *, anyway: bool = False) -> Release:
        """Make a release the current one, in one step.

        Raises BotError when it is missing or damaged, and when it was refused, unless `anyway`.
        """
        self.check(name, anyway)
        release = self.get(name)
        line = self._line()
        if line[-1] != name:
            self._point([*line, name])
            self.tell("promote", name, line[-1], why)
        return release

    def rollback(self, why: str = "") -> Release:
        """Make the release before the current one current again. Raises BotError when there is none."""
        line = self._line()
        if len(line) == 1:
            raise BotError(f"There is no release before {line[0]!r} to roll back to.")
        release = self.get(line[-2])
        self._point(line[:-1])
        self.tell("rollback", release.name, line[-1], why)
        return release

    def can_roll_back(self) -> bool:
        """Whether a release served before the current one."""
        return len(self._line()) > 1

    def story(self) -> list[Chapter]:
        """What became of the releases, oldest first; a half-written last line is left out."""
        path = self.folder / _STORY
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        told = [json.loads(line) for line in lines]
        return [Chapter(**one | {"at": datetime.fromisoformat(one["at"])}) for one in told]

    def tell(self, act: Literal["promote", "rollback", "refuse"], release: str, before: str, why: str = "") -> None:
        """Add to the story."""
        self.folder.mkdir(parents=True, exist_ok=True)
        chapter = {"at": datetime.now(UTC).isoformat(), "act": act, "release": release, "before": before, "why": why}
        path = self.folder / _STORY
        whole = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        with path.open("ab") as file:
            file.truncate(whole)  # a line that a crash has cut short
            file.write(json.dumps(chapter, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _line(self) -> list[str]:
        """Names of the promoted releases, oldest first, the current one last."""
        pointer = self.folder / _POINTER
        if not pointer.exists():
            return [DEFAULT]
        names = pointer.read_text(encoding="utf-8").split("\n")
        line = [name for name in names if name]
        if not line:
            raise BotError(f"{pointer} is empty. Delete it to serve the release that ships, or promote one.")
        return line

    def _point(self, line: list[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{_POINTER}.{os.getpid()}"
        with draft.open("w", encoding="utf-8") as file:
            file.write("\n".join(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / _POINTER)


def _read(folder: Path, name: str) -> Release:
    path = folder / "release.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Release(
            name=name,
            calibration=folder / content["calibration"],
            encoder=_model(folder, content.get("encoder", {}), fit=True),
            generator=_model(folder, content.get("generator", {}), fit=False),
            reranker=_model(folder, content.get("reranker", {}), fit=True),
            fusion=folder / content["fusion"] if content.get("fusion") else None,
            files=dict(content.get("files", {})),
        )
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BotError(f"{path} is not a valid release ({error}). Promote another, or roll back.") from error


def _model(folder: Path, content: dict[str, Any], fit: bool) -> Model:
    """base_sha256: of the base model that the adapter was trained for; the release of another one is refused."""
    adapter = content.get("adapter")
    return Model(
        base=str(content.get("base", "embedded")),
        adapter=Adapter(folder / adapter, str(content.get("base_sha256", ""))) if adapter else None,
        fit=content.get("fit", fit) is True,
    )


def _check(path: Path, wanted: str, release: str) -> None:
    remedy = "Restore it from a backup, or roll back."
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BotError(f"Release {release!r} lacks {path} ({error.strerror}). {remedy}") from error
    if found != wanted:
        raise BotError(f"{path} of release {release!r} was altered: its SHA-256 is not the stored one. {remedy}")
