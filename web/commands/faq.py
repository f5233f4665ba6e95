"""`kefu faq import` and `kefu faq export`: FAQs from and to a file. Knows no file format."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from web.commands import compose
from web.commands.errors import Mendable
from web.commands.options import Data, Json
from web.commands.terminal import bar, say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.types import Faq

faq = typer.Typer(cls=Mendable, help="Import and export FAQs.", no_args_is_help=True)


@faq.command("import")
def import_faqs(
    file: Annotated[Path, typer.Argument(help="JSONL, CSV or XLSX, one FAQ a row.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import FAQs from a file; a known id is replaced."""
    from knowledge_base.faq_file import read_faqs

    faqs = read_faqs(file)
    with compose.open_knowledge(data) as knowledge:
        if dry_run:
            outcomes = [(one.id, _would_be(knowledge, one)) for one in faqs]
        else:
            outcomes = _imported(knowledge, faqs)
            _note(outcomes, data)
    if as_json:
        rows = [{"id": id, "outcome": outcome} for id, outcome in outcomes]
        say_json({"dry_run": dry_run, "faqs": rows})
        return
    for id, outcome in outcomes:
        if outcome != "unchanged":
            say(f"{outcome:<10} {id}")
    counts = Counter(outcome for _, outcome in outcomes)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no FAQs in the file"
    say(f"{'would be: ' if dry_run else ''}{summary}", style="dim")


@faq.command("export")
def export_faqs(
    file: Annotated[Path, typer.Argument(help="Where to write; the ending says the format.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Export all FAQs to a file that `kefu faq import` reads again."""
    from knowledge_base.faq_file import write_faqs

    if not file.absolute().parent.is_dir():
        raise ValueError(f"{file.parent} is not a folder; make it, or write somewhere else")
    with compose.open_knowledge(data) as knowledge:
        faqs = knowledge.faqs()
    write_faqs(file, faqs)
    if as_json:
        say_json({"file": str(file), "faqs": len(faqs)})
    else:
        say(f"{len(faqs)} FAQs written to {file}")


def _imported(knowledge: KnowledgeBase, faqs: Sequence[Faq]) -> list[tuple[str, str]]:
    with bar("encoding FAQs") as shown:
        return [(put.id, put.outcome) for put in knowledge.put_faqs(faqs, shown)]


def _note(outcomes: Sequence[tuple[str, str]], data: Path | None) -> None:
    """Tell the audit log what an import has changed, if anything."""
    counts = Counter(outcome for _, outcome in outcomes)
    if done := {name: counts[name] for name in ("added", "changed") if counts[name]}:
        with compose.open_audit(data) as audit:
            audit.note("kefu faq import", "faq.import", f"{sum(done.values())} FAQs", after=done)


def _would_be(knowledge: KnowledgeBase, faq: Faq) -> str:
    stored = knowledge.faq(faq.id)
    if stored is None:
        return "added"
    return "unchanged" if stored == faq else "changed"
