"""`kefu releases`, `kefu promote`, `kefu rollback`: what serves and what served before. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, quiet_libraries, say, say_json

if TYPE_CHECKING:
    from bot.releases import Release, Releases
    from web.settings import Settings

Why = Annotated[str, typer.Option(help="What to keep in the story.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Even if its round has refused it.")]


def releases(data: Data = None, as_json: Json = False) -> None:
    """Every release: what it is made of, whether it serves, and what became of it."""
    settings = compose.read_settings(data)
    known = _open(settings)
    serving = known.serving()
    for name in known.names():
        told = _told(known, name, serving)
        if as_json:
            say_json(told)
            continue
        mark = "●" if told["serving"] else " "
        made = f"{', '.join(told['parts']) or 'calibration only'}{'  refused' if told['passed'] is False else ''}"
        say(f"{mark} {name}  {made}", style="bold" if told["serving"] else "")
        for chapter in told["story"]:
            why = f"  {chapter['why']}" if chapter["why"] else ""
            say(f"    {chapter['at']:%Y-%m-%d %H:%M}  {chapter['act']} (before: {chapter['before']}){why}", style="dim")


def promote(name: str, why: Why = "", anyway: Anyway = False, data: Data = None) -> None:
    """Make a release the one that serves; what its encoder has not read is read first."""
    quiet_libraries()
    settings = compose.read_settings(data, release=name)
    known = _open(settings)
    release = known.get(name)
    known.check(name, anyway)
    if not release.reads_like(known.current()):
        _prepare(settings, release)
    known.promote(name, why, anyway=anyway)
    say(f"{name} serves")


def rollback(why: Why = "", data: Data = None) -> None:
    """Let the release before the current one serve again."""
    release = _open(compose.read_settings(data)).rollback(why)
    say(f"{release.name} serves again")


def _open(settings: Settings) -> Releases:
    from bot.releases import Releases

    return Releases(settings.data / "releases")


def _told(known: Releases, name: str, serving: str) -> dict[str, Any]:
    release = known.get(name)
    parts = [part for part in ("encoder", "reranker", "generator") if getattr(release, part).adapter]
    story = [chapter for chapter in known.story() if name in (chapter.release, chapter.before)]
    fields = [{key: getattr(chapter, key) for key in ("at", "act", "release", "before", "why")} for chapter in story]
    passed = (known.judgement(name) or {"passed": None})["passed"]
    return {"name": name, "serving": name == serving, "parts": parts, "passed": passed, "story": fields}


def _prepare(settings: Settings, release: Release) -> None:
    """Encode with the release's encoder what it has not encoded, so that the server need only swap."""
    from bot.assemble import open_knowledge

    with bar("preparing the release") as shown:
        open_knowledge(settings, release, shown).close()
