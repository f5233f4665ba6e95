"""`kefu releases`, `kefu promote`, `kefu rollback`: what serves, what is tried, what became of each. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, quiet_libraries, say, say_json

if TYPE_CHECKING:
    from bot.releases import Release, Releases
    from bot.story import Chapter
    from web.settings import Settings

Why = Annotated[str, typer.Option(help="What to keep in the story.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Even if its round has refused it.")]
Share = Annotated[
    float, typer.Option(min=0.01, max=1.0, help="Let this share of the conversations try it first; 0.1: one of ten.")
]


def releases(data: Data = None, as_json: Json = False) -> None:
    """Every release: what it is made of, how it was judged, whether it serves, and what became of it."""
    settings = compose.read_settings(data)
    known = _open(settings)
    serving = known.serving()
    for name in known.names():
        told = _told(known, name, serving)
        if as_json:
            say_json(told)
            continue
        mark = "●" if told["serving"] else " "
        made = ", ".join(told["parts"]) or "calibration only"
        made += "  refused" if told["passed"] is False else ""
        made += f"  tried by {told['trial']:.0%} of the conversations" if told["trial"] else ""
        say(f"{mark} {name}  {made}", style="bold" if told["serving"] else "")
        judged = known.judgement(name)
        lines = [_judged(judged)] if judged and "dataset" in judged else []
        for line in lines + [_chapter(one) for one in known.story() if one.is_about(name)]:
            say(f"    {line}", style="dim")


def promote(name: str, why: Why = "", anyway: Anyway = False, share: Share = 1.0, data: Data = None) -> None:
    """Make a release the one that serves; what its encoder has not read is read first."""
    quiet_libraries()
    settings = compose.read_settings(data, release=name)
    known = _open(settings)
    release = known.get(name)
    known.check(name, anyway)
    if not release.reads_like(known.current()):
        _prepare(settings, release)
    if share < 1:
        known.begin_trial(name, share, why, anyway=anyway)
        return say(f"{share:.0%} of the conversations try {name}; {known.serving()} serves the others")
    known.promote(name, why, anyway=anyway)
    say(f"{name} serves")


def rollback(why: Why = "", data: Data = None) -> None:
    """End the trial, if there is one; else let the release before the current one serve again."""
    known = _open(compose.read_settings(data))
    trial, release = known.trial(), known.rollback(why)
    say(f"the trial of {trial.release} has ended; {release.name} serves" if trial else f"{release.name} serves again")


def _open(settings: Settings) -> Releases:
    from bot.releases import Releases

    return Releases(settings.data / "releases")


def _told(known: Releases, name: str, serving: str) -> dict[str, Any]:
    release = known.get(name)
    parts = [part for part in ("encoder", "reranker", "generator") if getattr(release, part).adapter]
    story = [chapter for chapter in known.story() if chapter.is_about(name)]
    judged, trial = known.judgement(name), known.trial()
    return {
        "name": name, "serving": name == serving, "parts": parts, "passed": judged and judged["passed"],
        "trial": trial.share if trial and trial.release == name else 0.0, "story": [asdict(one) for one in story],
    }  # fmt: skip


def _judged(content: Mapping[str, Any]) -> str:
    """How a release came about and what its round found."""
    dataset, changed = content["dataset"], content["changed"]
    examples = f"{dataset['train']} examples to train with, {dataset['fit']} to fit thresholds"
    verdict = "passed" if content["passed"] else "refused"
    verdict += f" against {content['current']}: {changed['better']} answers better, {changed['worse']} worse"
    return f"{content['made'][:16].replace('T', ' ')}  made from {examples} ({dataset['hash'][:12]}); {verdict}"


def _chapter(chapter: Chapter) -> str:
    said = {
        "promote": f"{chapter.release} promoted (before: {chapter.before})",
        "rollback": f"rolled back to {chapter.release} (before: {chapter.before})",
        "refuse": f"{chapter.release} refused (compared with: {chapter.before})",
        "try": f"{chapter.release} tried by a share of the conversations (beside: {chapter.before})",
        "withdraw": f"trial of {chapter.release} ended (beside: {chapter.before})",
    }[chapter.act]
    why = f"  {chapter.why}" if chapter.why else ""
    if found := chapter.found:
        shares = [f"{found[side]['count']} of {found[side]['of']}" for side in ("now", "before")]
        figure = f"conversations {found['figure']}, {found['language']}"
        why += f": {figure}: {shares[0]}, before {shares[1]}; limit +{found['limit']:.0%}"
    return f"{chapter.at.astimezone():%Y-%m-%d %H:%M}  {said}{why}"


def _prepare(settings: Settings, release: Release) -> None:
    """Encode with the release's encoder what it has not encoded, so that the server need only swap."""
    from bot.assemble import open_knowledge

    with bar("preparing the release") as shown:
        open_knowledge(settings, release, shown).close()
