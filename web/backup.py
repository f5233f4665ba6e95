"""Puts a data folder into one file while the server goes on, and makes a data folder of such a file again.

What can be made anew (models, indexes, checkpoints) is left out. The file holds secrets and customers' words. Knows
no table.
"""

import hashlib
import io
import json
import logging
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any

from knowledge_base.types import Progress
from web.errors import WebError

DATABASE = "kefu.sqlite"
_MANIFEST = "manifest.json"
_NOTED = "backups.jsonl"  # when backups were made, and where
_FORMAT = 1
_MADE_ANEW = frozenset({"models", "keywords", "milvus.db", f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"})
_MOST_MANIFEST = 50_000_000  # bytes
_BLOCK = 1_048_576  # bytes
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `made`: when, in ISO 8601; `files`: how many; `size`: their bytes."""

    path: Path
    made: str
    kefu: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A backup that was made at some time. `there`: whether the file is still where it was made."""

    at: datetime
    file: str  # its name
    there: bool


class _Hashing:
    """A file that is read once, hashed on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def back_up(data: Path, target: Path, progress: Progress | None = None) -> Backup:
    """Write everything of `data` that cannot be made anew to `target`, a .tar.gz that only its owner may read.

    The database is taken as it is at one moment, while others write to it. progress: bytes done and in all.
    Raises WebError when there is no database, `target` is there already, or the copy turns out damaged.
    """
    if not (data / DATABASE).is_file():
        raise WebError(f"{data} holds no {DATABASE}; set KEFU_DATA to the folder that is to be backed up")
    if target.exists():
        raise WebError(f"{target} is there already; choose another name, or delete it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        snapshot, draft = Path(beside, DATABASE), Path(beside, "draft")
        _snapshot(data / DATABASE, snapshot)
        files = [(DATABASE, snapshot), *((name, data / name) for name in _kept(data))]
        made = _packed(files, draft, progress)
        draft.chmod(0o600)
        _link(draft, target)
    _note(data, target, made["made"])
    return Backup(
        target, made["made"], made["kefu"], len(made["files"]), sum(f["size"] for f in made["files"].values())
    )


def restore(source: Path, data: Path, progress: Progress | None = None) -> Backup:
    """Make the data folder `data`, which must be empty or not there, of a backup; all of it or nothing.

    progress: bytes of the file read and in all. Raises WebError for a file that is no backup, damaged, or of a newer
    Kefu's form, and for a folder that holds something.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise WebError(f"{data} holds something already; name an empty folder, or move this one away first")
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{data.name}.", dir=data.parent) as beside:
        folder = Path(beside, "data")
        folder.mkdir(mode=0o700)
        try:
            manifest = _unpacked(source, folder, progress)
        except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, TypeError) as problem:
            if isinstance(problem, OSError) and problem.errno is not None:
                raise  # the disk, not the file
            raise WebError(f"{source} is no backup of Kefu, or damaged; use another one") from problem
        with suppress(FileNotFoundError):
            data.rmdir()
        folder.rename(data)
    _note(data, source, manifest["made"])  # it was made before its own note
    size = sum(file["size"] for file in manifest["files"].values())
    return Backup(source, manifest["made"], manifest["kefu"], len(manifest["files"]), size)


def noted(data: Path) -> list[Noted]:
    """The backups that were made of a data folder, oldest first, as far as is known."""
    try:
        lines = (data / _NOTED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    made = [json.loads(line) for line in lines if line.endswith("}")]  # the last may be half a line: the disk was full
    return [
        Noted(datetime.fromisoformat(one["made"]), Path(one["file"]).name, Path(one["file"]).exists()) for one in made
    ]


def _note(data: Path, target: Path, made: str) -> None:
    """Remember when a backup was made and where it is; a full disk must not keep anybody from making one."""
    line = json.dumps({"made": made, "file": str(target.resolve())}, ensure_ascii=False)
    try:
        with (data / _NOTED).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as problem:
        _log.warning("The backup is made, but cannot be noted in %s: %s", data / _NOTED, problem.strerror)


def _kept(data: Path) -> Iterator[str]:
    """Names of the files that go along, but for the database."""
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data)
        skipped = name.parts[0] in _MADE_ANEW or str(name) == DATABASE
        passing = any(part.startswith((".", "checkpoint")) or part.endswith((".lock", ".tmp")) for part in name.parts)
        if path.is_file() and not path.is_symlink() and not skipped and not passing:
            yield name.as_posix()


def _snapshot(database: Path, target: Path) -> None:
    """The database as it is at one moment. Raises WebError when it is damaged."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=60)) as source:
            source.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as problem:
        raise WebError(f"{database} cannot be read ({problem}); see `kefu doctor`") from problem
    if found != "ok":
        raise WebError(f"{database} is damaged ({found}); restore an earlier backup")


def _packed(files: list[tuple[str, Path]], draft: Path, progress: Progress | None) -> dict[str, Any]:
    listed: dict[str, dict[str, Any]] = {}
    total, done = sum(path.stat().st_size for _, path in files), 0
    with tarfile.open(draft, "x:gz", compresslevel=6) as archive:
        for name, path in files:
            with path.open("rb") as file:
                info = archive.gettarinfo(arcname=name, fileobj=file)
                hashing = _Hashing(file)
                archive.addfile(info, hashing)
            listed[name] = {"size": info.size, "sha256": hashing.digest.hexdigest()}
            done += info.size
            if progress:
                progress(done, max(total, done))
        made = {"format": _FORMAT, "kefu": version("kefu"), "made": datetime.now(UTC).isoformat(), "files": listed}
        told = json.dumps(made, ensure_ascii=False).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size = len(told)
        archive.addfile(info, io.BytesIO(told))
    return made


def _unpacked(source: Path, folder: Path, progress: Progress | None) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] = {}
    size = source.stat().st_size
    with source.open("rb") as packed, tarfile.open(fileobj=packed, mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None:
                raise ValueError(f"{member.name} is no file")
            if member.name == _MANIFEST:
                manifest = json.loads(content.read(_MOST_MANIFEST))
                continue
            hashing = _Hashing(content)
            _write(folder, member.name, hashing)
            found[member.name] = {"size": member.size, "sha256": hashing.digest.hexdigest()}
            if progress:
                progress(packed.tell(), size)
    if manifest["format"] > _FORMAT:
        raise WebError(f"{source} was made by Kefu {manifest['kefu']}; install that version or a newer one")
    if manifest["files"] != found or DATABASE not in found:
        raise ValueError("other files than were put in")
    return manifest


def _write(folder: Path, name: str, content: _Hashing) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name} leads out of the folder")
    target = folder.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, _BLOCK)
        file.flush()
        os.fsync(file.fileno())


def _link(draft: Path, target: Path) -> None:
    """Give the draft its name; never over a file that has come meanwhile."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(draft, target)
    except FileExistsError as problem:
        raise WebError(f"{target} has been made meanwhile; choose another name") from problem
