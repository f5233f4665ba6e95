"""Releases: which adapters, fusion and calibration serve. Reads, checks, promotes, rolls back.

A release is a folder with release.json and the files that it lists: `<releases>/<name>/`, or the one that ships,
`default`. `current` in the releases' folder names the one that serves and those before it, `trial` one that a share
of the conversations tries; `story.jsonl` tells what became of each. Knows nothing of training or of loading models.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from bot.story import Act, Chapter, Story
from bot.types import BotError
from knowledge_base.adapter import Adapter

DEFAULT = "default"  # what serves when no release was ever promoted
SHIPPED = Path(__file__).parent / "release"
_POINTER = "current"
_TRIAL = "trial"
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
        return self._weights("encoder") == other._weights("encoder")

    def searches_like(self, other: "Release") -> bool:
        """Whether both find the same: what the one searches with, the other may use as well."""
        same = all(self._weights(part) == other._weights(part) for part in ("encoder", "reranker"))
        return same and self._hash(self.fusion) == other._hash(other.fusion)

    def _weights(self, part: str) -> tuple[str, str]:
        model: Model = getattr(self, part)
        weights = f"{model.adapter.folder.name}/adapter_model.safetensors" if model.adapter else ""
        return model.base, self.files.get(weights, weights)

    def _hash(self, path: Path | None) -> str:
        return self.files.get(path.name, path.name) if path else ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A release that a share (0..1) of the conversations runs on, beside the one that serves."""

    release: str
    share: float
    before: str
    since: datetime


class Releases:
    """The releases of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._story = Story(folder / _STORY)

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
        """Make a release the current one, in one step; a trial ends with it.

        Raises BotError when it is missing or damaged, and when it was refused, unless `anyway`.
        """
        self.check(name, anyway)
        release = self.get(name)
        with self._alone():
            line = self._line()
            if line[-1] != name:
                (self.folder / _TRIAL).unlink(missing_ok=True)
                self.tell("promote", name, line[-1], why)
                self._write(_POINTER, "\n".join([*line, name]) + "\n")
        return release

    def rollback(self, why: str = "", *, only: str = "", found: Mapping[str, Any] | None = None) -> Release:
        """End the trial, or make the release before the current one current again; returns what serves then.

        only: does nothing when another release than this is on trial or serves; found: what speaks against it.
        Raises BotError when there is none to go back to.
        """
        with self._alone():
            line, trial = self._line(), self.trial()
            if only not in ("", trial.release if trial else line[-1]):
                return self.get(line[-1])
            if trial:
                self.tell("withdraw", trial.release, trial.before, why, found)
                (self.folder / _TRIAL).unlink(missing_ok=True)
                return self.get(line[-1])
            if len(line) == 1:
                raise BotError(f"There is no release before {line[0]!r} to roll back to.")
            release = self.get(line[-2])
            self.tell("rollback", release.name, line[-1], why, found)
            self._write(_POINTER, "\n".join(line[:-1]) + "\n")
        return release

    def previous(self) -> str | None:
        """The release that a rollback would bring back, unless a trial is what it would end."""
        line = self._line()
        return line[-2] if len(line) > 1 else None

    def can_roll_back(self) -> bool:
        """Whether a release is on trial, or one served before the current one."""
        return self.previous() is not None or self.trial() is not None

    def trial(self) -> Trial | None:
        """The trial that runs, if any. Raises BotError."""
        path = self.folder / _TRIAL
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            since = datetime.fromisoformat(kept["since"])
            found = Trial(str(kept["release"]), float(kept["share"]), str(kept["before"]), since)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BotError(f"{path} cannot be read ({error}). Delete it; that ends the trial.") from error
        return found if found.before == self.serving() else None

    def begin_trial(self, name: str, share: float, why: str = "", *, anyway: bool = False) -> Trial:
        """Let a share of the conversations run on a release; the others stay with the current one.

        Raises BotError as promote does, for a release that serves already, and for a share not between 0 and 1.
        """
        if not 0 < share < 1:
            raise BotError(f"{share!r} is no share of conversations; give one between 0 and 1, such as 0.1.")
        self.check(name, anyway)
        self.get(name)
        with self._alone():
            serving = self.serving()
            if name == serving:
                raise BotError(f"{name!r} serves all conversations already.")
            trial = Trial(name, share, serving, datetime.now(UTC))
            self.tell("try", name, serving, why)
            content = {"release": name, "share": share, "before": serving, "since": trial.since.isoformat()}
            self._write(_TRIAL, json.dumps(content) + "\n")
        return trial

    def story(self) -> list[Chapter]:
        """What became of the releases, oldest first."""
        trial = self.trial()
        return self._story.chapters(self.serving(), trial.release if trial else None)

    def tell(self, act: Act, release: str, before: str, why: str = "", found: Mapping[str, Any] | None = None) -> None:
        """Add to the story."""
        self._story.tell(Chapter(datetime.now(UTC), act, release, before, why, found))

    def _alone(self) -> FileLock:
        """Held while the pointer or the trial is changed: people and the watch may do so at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".lock")

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

    def _write(self, name: str, text: str) -> None:
        draft = self.folder / f".{name}.{os.getpid()}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)


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
