"""`kefu add` and `kefu remove`: files into the knowledge base and out again.

How they are stored is in web.commands.storing. Knows no format.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.storing import File, Outcome, files_in, report, stored_files
from web.commands.terminal import hint, say, say_json


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    id: Annotated[str, typer.Option("--id", help="Id of a single file, else its name.", show_default=False)] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Keep one folder in step until Ctrl-C.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files, and folders with all that is in them; a known id is replaced."""
    from knowledge_base.load import SUFFIXES
    from knowledge_base.source import readable

    if id and (len(paths) != 1 or paths[0].is_dir()):
        raise ValueError(f"--id {id!r} names one document; give exactly one file with it")
    if watch:
        if len(paths) != 1 or not paths[0].is_dir():
            raise ValueError("--watch keeps one folder in step; give exactly one folder with it")
        from web.commands.watch import watch_folder

        watch_folder(paths[0], data, as_json)
        return
    files = [File(paths[0], readable(id))] if id else list(files_in(paths, SUFFIXES))
    outcomes: list[Outcome] = []
    with compose.open_knowledge(data) as knowledge, compose.open_audit(data) as audit:
        for outcome in stored_files(knowledge, files):
            outcomes.append(outcome)
            report(outcome, as_json, audit)
    if not as_json:
        say(f"{datetime.now():%Y-%m-%d %H:%M}  {_summary(outcomes)}", style="dim")
    if any(outcome.outcome in ("failed", "empty") for outcome in outcomes):
        raise typer.Exit(1)


def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents or FAQs.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove documents and FAQs by id."""
    from knowledge_base.source import readable

    ids = [readable(id) for id in ids]
    with compose.open_knowledge(data) as knowledge, compose.open_audit(data) as audit:
        faqs = {id for id in ids if knowledge.faq(id)}
        removed = knowledge.delete(ids)
        for id in removed:
            audit.note("kefu remove", "faq.delete" if id in faqs else "document.erase", id)
    unknown = [id for id in ids if id not in removed]
    if as_json:
        say_json({"removed": removed, "unknown": unknown})
    else:
        for id in removed:
            say(f"removed    {id}")
    if unknown:
        hint(f"kefu: not in the knowledge base: {', '.join(unknown)}", style="red")
        raise typer.Exit(1)


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no files"
