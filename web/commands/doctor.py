"""`kefu doctor`: looks at everything an answer depends on and says what is wrong and what mends it.

Changes nothing. The knowledge base and the model folders check themselves; this module asks them.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from web.commands import compose
from web.commands.errors import mendable
from web.commands.options import Data, Json
from web.commands.terminal import say, say_json

if TYPE_CHECKING:
    from knowledge_base.types import Finding
    from web.settings import Settings

_NEEDED_GB = 3.0  # models, indexes and room to write them anew
_SHOWN = ("torch", "sentence-transformers", "transformers", "faiss-cpu", "tantivy", "SQLAlchemy", "fastapi")


def doctor(data: Data = None, as_json: Json = False) -> None:
    """Check versions, data folder, models, indexes, release and port."""
    settings = compose.read_settings(data)
    findings = []
    for finding in _findings(settings):
        findings.append(finding)
        if not as_json:
            _show(finding)
    well = all(finding.ok for finding in findings)
    if as_json:
        from dataclasses import asdict

        say_json({"ok": well, "findings": [asdict(finding) for finding in findings]})
    if not well:
        raise typer.Exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from _versions()
    yield _folder(settings.data)
    yield _disk(settings.data)
    yield from _secrets(settings.data)
    yield from _models(settings)
    yield _release(settings)
    yield from _knowledge(settings)
    yield _port(settings.host, settings.port)


def _versions() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    from knowledge_base.types import Finding

    remedy = "pip install -c constraints.txt -e .  (or `make run`)"
    wrong = []
    for line in requires("kefu") or []:
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found}, needed {wanted.specifier}")
    if wrong:
        yield Finding("versions", False, "; ".join(wrong), remedy)
        return
    shown = ", ".join(f"{name} {version(name)}" for name in _SHOWN)
    yield Finding("versions", True, f"kefu {version('kefu')}, Python {sys.version.split()[0]}, {shown}")


def _folder(data: Path) -> Finding:
    from knowledge_base.types import Finding

    place = _existing(data)
    try:
        with tempfile.TemporaryFile(dir=place):
            detail = str(data.resolve()) if place == data else f"{data.resolve()} is made at the first start"
            return Finding("data folder", True, detail)
    except OSError as error:
        remedy = f"make {place} writable, or set KEFU_DATA to another folder"
        return Finding("data folder", False, f"{place} cannot be written: {error.strerror}", remedy)


def _disk(data: Path) -> Finding:
    from knowledge_base.types import Finding

    free = shutil.disk_usage(_existing(data)).free / 1e9
    detail = f"{free:.1f} GB free"
    if free >= _NEEDED_GB:
        return Finding("disk", True, detail)
    return Finding("disk", False, detail, f"free {_NEEDED_GB:.0f} GB, or set KEFU_DATA to a folder on another disk")


def _secrets(data: Path) -> Iterator[Finding]:
    """Keys in the data folder must be readable by their owner alone."""
    from knowledge_base.types import Finding

    if os.name != "posix" or not data.is_dir():
        return
    keys = [path for path in sorted(data.iterdir()) if path.is_file() and path.suffix in (".key", ".secret")]
    for path in keys:
        loose = path.stat().st_mode & 0o077
        detail = f"{path} can be read by others" if loose else f"{path} is private"
        yield Finding("permissions", not loose, detail, f"chmod 600 {path}" if loose else "")


def _models(settings: Settings) -> Iterator[Finding]:
    from knowledge_base.model_folder import MANIFEST, check
    from knowledge_base.types import Finding

    folders = sorted(path.parent for path in settings.models_folder.glob(f"*/{MANIFEST}"))
    yield from (check(folder) for folder in folders)
    for name, value in (("KEFU_ENCODER", settings.encoder), ("KEFU_GENERATOR", settings.generator)):
        if value != "embedded":
            yield Finding("models", True, f"{name} is {value}")
    if not folders and "embedded" in (settings.encoder, settings.generator):
        yield Finding("models", True, "the embedded models are made at the first start")


def _release(settings: Settings) -> Finding:
    from bot.releases import Releases
    from bot.types import BotError
    from knowledge_base.types import Finding

    releases = Releases(settings.data / "releases")
    try:
        release = releases.current() if settings.release == "current" else releases.get(settings.release)
    except BotError as error:
        return Finding("release", False, str(error), "set KEFU_RELEASE=default until it is mended")
    return Finding("release", True, f"{release.name} serves")


def _knowledge(settings: Settings) -> Iterator[Finding]:
    from knowledge_base.types import Finding

    if not settings.database_url and not (settings.data / "kefu.sqlite").is_file():
        yield Finding("knowledge base", True, "nothing is stored yet; `kefu serve --demo` or `kefu add` begins one")
        return
    try:
        with compose.open_knowledge(settings.data) as knowledge:
            yield from knowledge.check()
            count = f"{len(knowledge.documents())} documents, {len(knowledge.faqs())} FAQs"
            yield Finding("knowledge base", True, count)
    except Exception as error:
        line = mendable(error)
        if line is None:
            raise
        yield Finding("knowledge base", False, line, "see the message")


def _port(host: str, port: int) -> Finding:
    from knowledge_base.types import Finding

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            detail = f"{host}:{port} cannot be listened on: {error.strerror or error}"
            if _is_kefu(host, port):
                return Finding("port", True, f"{host}:{port} is served by a running Kefu")
            return Finding("port", False, detail, "stop the program that has it, or set KEFU_PORT or KEFU_HOST")
    return Finding("port", True, f"{host}:{port} is free")


def _is_kefu(host: str, port: int) -> bool:
    import httpx

    address = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    try:
        return httpx.get(f"http://{address}:{port}/health", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.resolve().parents) if place.exists())


def _show(finding: Finding) -> None:
    mark, style = ("✓", "") if finding.ok else ("✗", "red")
    say(f"{mark} {finding.check}: {finding.detail}", style=style)
    if finding.remedy:
        say(f"  → {finding.remedy}")
