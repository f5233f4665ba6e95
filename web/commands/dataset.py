"""`kefu dataset …`: examples from the log, datasets of those that staff approved. Finds and masks nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import bar, say, say_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from knowledge_base.types import Faq

dataset = typer.Typer(help="Examples for training, from the conversation log.", no_args_is_help=True)
Mask = Annotated[list[str] | None, typer.Option(help="A regular expression of what else to mask; may be repeated.")]
Public = Annotated[list[str] | None, typer.Option(help="What the company has published, e.g. its hotline; repeated.")]


@dataset.command()
def collect(mask: Mask = None, public: Public = None, data: Data = None, as_json: Json = False) -> None:
    """Find examples in the log; personal data is masked. Staff approve them in the console."""
    import re

    from training.harvest import Masking, harvest, masking

    try:
        more = [re.compile(pattern) for pattern in mask or ()]
    except re.error as error:
        raise typer.BadParameter(
            f"{error.pattern!r} is no regular expression ({error})", param_hint="--mask"
        ) from error
    kept = masking(compose.read_settings(data))
    whole = Masking([*kept.patterns, *more], [*kept.public, *(public or ())])
    with _opened(data) as (engine, faqs), bar("reading conversations") as shown:
        found = harvest(engine, faqs, whole, shown)
    if as_json:
        return say_json(found)
    labels = ", ".join(f"{count} {label}" for label, count in sorted(found.found.items())) or "nothing to learn from"
    masked = ", ".join(f"{count} {kind}" for kind, count in sorted(found.masked.items())) or "nothing"
    say(f"{found.conversations} conversations: {labels}; {found.added} new. Masked: {masked}.")


@dataset.command()
def build(
    out: Annotated[Path, typer.Option(help="The dataset's folder.")], data: Data = None, as_json: Json = False
) -> None:
    """Write what staff approved as training files and a golden set."""
    from bot.examples import Examples
    from training.dataset import build as build_dataset

    with _opened(data) as (engine, faqs):
        approved = Examples(engine).approved()
        try:
            made = build_dataset(approved, faqs, out)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    if as_json:
        return say_json(made)
    say(f"{out}: {made.train} to train on, {made.held_out} held out, {dict(made.languages)}, hash {made.hash[:12]}")
    for part, enough in made.supports().items():
        say(f"  {part}: {'enough to train' if enough else 'too few yet'}", style="" if enough else "dim")


@contextmanager
def _opened(data: Path | None) -> Iterator[tuple[Engine, list[Faq]]]:
    """The log's database and the company's FAQs; no model is loaded for it."""
    from bot.log import MIGRATIONS, VERSION_TABLE
    from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE
    from knowledge_base.database import migrate, open_database
    from knowledge_base.store import Store

    engine = open_database(compose.read_settings(data).database)
    migrate(engine, KNOWLEDGE, "knowledge_base_version")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    try:
        yield engine, Store(engine, "").sources("faq")
    finally:
        engine.dispose()
