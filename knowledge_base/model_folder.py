"""Makes a model folder once from checked source files, and tells whether an existing one is whole.

Knows nothing of what a model is: a `Recipe` says which files it comes from and how they are converted.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from knowledge_base.types import Finding, KnowledgeBaseError, Progress

log = logging.getLogger(__name__)

MANIFEST = "kefu-model.json"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a model is made from. `remedy` says how the operator gets it (again)."""

    path: Path
    sha256: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model folder is made. Raise `version` when `convert` would write something else than before.

    convert: writes every file of the model into the empty folder it is given.
    """

    name: str
    version: str
    sources: tuple[Source, ...]
    convert: Callable[[Path, Progress], None]

    @property
    def identity(self) -> list[str]:
        """What an existing folder must have been made from to be used as it is."""
        return [self.name, self.version, *(source.sha256 for source in self.sources)]


def silent(done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def prepare(models: Path, recipe: Recipe, progress: Progress | None = None) -> Path:
    """Return the folder of the recipe's model under `models`, converting it first where it is not there yet.

    The folder appears by one rename, so it is whole or absent; a second process waits for the first.
    Raises KnowledgeBaseError when a source is missing or damaged, when the existing folder is damaged, and
    when nothing can be written; the message names the remedy.
    """
    folder = models / recipe.name
    if _is_made(folder, recipe):
        return folder
    try:
        models.mkdir(parents=True, exist_ok=True)
        with FileLock(models / f".{recipe.name}.lock"):
            if not _is_made(folder, recipe):
                _make(folder, recipe, progress or silent)
    except OSError as error:
        raise KnowledgeBaseError(
            f"cannot write the model folder {folder}: {error.strerror or error}; make its disk writable with "
            "some GB free, or set KEFU_DATA to another folder, then start again"
        ) from error
    return folder


def check(folder: Path) -> Finding:
    """Read every file of a prepared folder and compare its SHA-256 with the manifest (seconds per GB)."""
    try:
        problem = _problem(folder, read_all=True)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    name = f"model {folder.name}"
    if problem:
        return Finding(name, False, f"{folder} {problem}", _remedy(folder))
    return Finding(name, True, f"{folder}: every file matches its SHA-256")


def digest(folder: Path) -> str:
    """One SHA-256 over all files of a model folder, whoever made it; a prepared one is not read again."""
    if (folder / MANIFEST).is_file():
        files = _manifest(folder)["files"]
        assert isinstance(files, dict)
        hashes = {name: file["sha256"] for name, file in files.items()}
    else:
        paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        names = [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]
        hashes = {name: sha256_of(folder / name) for name in names}
    return sha256_text(json.dumps(hashes, sort_keys=True))


def folder_of(folder_or_name: str) -> Path:
    """Where the files of a model lie that has been loaded, from a folder or from the hub."""
    folder = Path(folder_or_name)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(folder_or_name, local_files_only=True))


def sha256_text(text: str) -> str:
    """SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_made(folder: Path, recipe: Recipe) -> bool:
    """Whether the folder is there, whole, and of this recipe; a damaged one is an error, not overwritten."""
    if not folder.exists():
        return False
    problem = _problem(folder, read_all=False)
    if problem:
        raise KnowledgeBaseError(f"the model folder {folder} {problem}; {_remedy(folder)}")
    made_from: object = _manifest(folder)["made_from"]
    return made_from == recipe.identity


def _remedy(folder: Path) -> str:
    return f"delete {folder} and start again: it is then made anew from the installed package"


def _manifest(folder: Path) -> dict[str, object]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict) or not {"made_from", "files"} <= manifest.keys():
        raise ValueError(f"{MANIFEST} of {folder} is not a manifest")
    return manifest


def _problem(folder: Path, read_all: bool) -> str:
    """What is wrong with the folder, "" when nothing. Files untouched since the conversion are not read."""
    try:
        files = _manifest(folder)["files"]
    except FileNotFoundError:
        return f"has no {MANIFEST}, so it is not a model that Kefu made"
    except ValueError:
        return f"has a damaged {MANIFEST}"
    assert isinstance(files, dict)
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            return f"lacks {name}"
        stat = path.stat()
        if stat.st_size != expected["size"]:
            return f"is damaged: {name} has {stat.st_size} bytes instead of {expected['size']}"
        touched = stat.st_mtime_ns != expected["modified"]
        if (read_all or touched) and sha256_of(path) != expected["sha256"]:
            return f"is damaged: {name} does not match its SHA-256"
    return ""


def _make(folder: Path, recipe: Recipe, progress: Progress) -> None:
    """Convert into a temporary sibling, make it durable, and put it in place. The caller holds the lock."""
    for stale in folder.parent.glob(f".{recipe.name}.partial*"):
        shutil.rmtree(stale)
    _check_sources(recipe)
    log.info("making the model folder %s", folder)
    partial = folder.parent / f".{recipe.name}.partial"
    partial.mkdir()
    try:
        recipe.convert(partial, progress)
        _seal(partial, recipe)
        _swap_in(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    log.info("model folder %s is ready", folder)


def _check_sources(recipe: Recipe) -> None:
    for source in recipe.sources:
        if not source.path.is_file():
            raise KnowledgeBaseError(f"the model file {source.path} is missing; {source.remedy}")
        if sha256_of(source.path) != source.sha256:
            raise KnowledgeBaseError(f"the model file {source.path} is damaged (its SHA-256 differs); {source.remedy}")


def _seal(partial: Path, recipe: Recipe) -> None:
    """Write the manifest and flush every file to disk."""
    files = {}
    for path in sorted(path for path in partial.rglob("*") if path.is_file()):
        stat = path.stat()
        name = path.relative_to(partial).as_posix()
        files[name] = {"size": stat.st_size, "modified": stat.st_mtime_ns, "sha256": sha256_of(path)}
    manifest = {"made_from": recipe.identity, "files": files}
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for path in [*partial.rglob("*"), partial]:
        _flush(path)


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows has no handle on folders
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap_in(partial: Path, folder: Path) -> None:
    """Put the finished folder in place; one made by an older recipe steps aside and goes."""
    old = partial.with_name(f"{partial.name}-old")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    _flush(folder.parent)
    if old.exists():
        shutil.rmtree(old)
