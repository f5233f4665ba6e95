"""`kefu evaluate`: golden sets put to the bot and scored. Scores nothing itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, hint, quiet_libraries, say, say_json

if TYPE_CHECKING:
    from knowledge_base.types import Progress
    from training.evaluate import Run

_COLUMNS = ("hit@1", "hit@5", "coverage", "correct_of_answered", "false_answer_rate", "auc")


def evaluate(
    sets: Annotated[list[Path], typer.Argument(help="Folders in the golden-set format.")],
    out: Annotated[Path, typer.Option(help="Where answers and reports go; run again to go on.")],
    release: Annotated[str, typer.Option(help="Name of the release to evaluate.")] = "current",
    limit: Annotated[int, typer.Option(min=0, help="At most so many questions of each set; 0: all.")] = 0,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask every question of golden sets and score the answers."""
    quiet_libraries()
    from training.evaluate import evaluate as evaluate_sets

    with bar("preparing models") as shown:
        run = _run(data, out, release, limit, shown)
    with bar("evaluating") as shown:
        report = evaluate_sets(sets, run, shown)
    if as_json:
        say_json(report)
        return
    rows = {**report["sets"], **report["languages"], "all": report["all"]}
    width = max(len(name) for name in rows)
    say(f"{'':{width}}  questions  " + "  ".join(_COLUMNS), style="bold")
    for name, group in rows.items():
        say(f"{name:{width}}  {group['questions']:9}  " + "  ".join(_cell(group, column) for column in _COLUMNS))
    hint(f"Written to {out}: report.html, report.json, answers.jsonl", style="dim")


def _run(data: Path | None, out: Path, release: str, limit: int, progress: Progress) -> Run:
    """The release's own calibration and generator, over knowledge bases that the evaluation makes."""
    from bot.assemble import open_generator, open_release, open_retrieval
    from bot.calibration import load
    from training.evaluate import Run
    from training.workspace import with_calibration

    settings = compose.read_settings(data, release=release)
    chosen = open_release(settings)
    generator = open_generator(settings, chosen, progress)
    open_bot = with_calibration(load(chosen.calibration), generator, chosen.name)
    files = hashlib.sha256(json.dumps(dict(chosen.files), sort_keys=True).encode()).hexdigest()
    identity = " ".join([chosen.name, files, getattr(generator, "name", "")])
    retrieval = open_retrieval(settings, chosen, progress)
    return Run(out, retrieval, open_bot, identity, limit, chosen.name)


def _cell(group: dict[str, Any], column: str) -> str:
    score = group["scores"].get(column)
    missing = score is None or score["value"] is None or not score["of"]
    return ("-" if missing else f"{score['value']:.3f}").rjust(len(column))
