"""`kefu search` and `kefu rebuild`: the indexes seen from outside. Knows nothing of answers."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from web.cleaning import clean
from web.commands import compose
from web.commands.ask import EMPTY, hit_object
from web.commands.options import Data, Json
from web.commands.terminal import bar, hint, say, say_json

if TYPE_CHECKING:
    from knowledge_base.types import Hit

_SHOWN = 120  # characters of a passage


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in Chinese or English.")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many hits.")] = 10,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Search FAQs and documents, best first, with the parts of each score."""
    from knowledge_base.language import language_of

    text = clean(text)
    with compose.open_knowledge(data) as knowledge:
        if knowledge.is_empty:
            hint(EMPTY)
        language = language_of(text)
        hits = knowledge.search(text, language, limit)
    if as_json:
        found = [{**hit_object(hit), "text": hit.passage.text} for hit in hits]
        say_json({"query": text, "language": language, "hits": found})
        return
    for rank, hit in enumerate(hits, 1):
        _show(rank, hit)
    if not hits:
        hint("Nothing found.")


def rebuild(data: Data = None, as_json: Json = False) -> None:
    """Make every index anew from the store."""
    with compose.open_knowledge(data) as knowledge, bar("encoding") as shown:
        began = perf_counter()
        knowledge.rebuild(shown)
        shown.hide()
        seconds = round(perf_counter() - began, 1)
        counts = {"documents": len(knowledge.documents()), "faqs": len(knowledge.faqs())}
    if as_json:
        say_json({**counts, "seconds": seconds})
    else:
        say(f"rebuilt from {counts['documents']} documents and {counts['faqs']} FAQs in {seconds} s")


def _show(rank: int, hit: Hit) -> None:
    passage = hit.passage
    parts = f"dense {hit.dense:.2f} · keyword {hit.keyword:.2f}" + (" · exact" if hit.exact else "")
    parts += "" if hit.proximity is None else f" · proximity {hit.proximity:.2f}"
    parts += "" if hit.rerank is None else f" · rerank {hit.rerank:.2f}"
    say(f"{rank:>2}  {hit.score:.3f}  {' › '.join(passage.path)}", style="bold")
    say(f"    {parts} · {passage.kind} {passage.source_id} v{passage.version}", style="dim")
    text = " ".join(passage.text.split())
    say(f"    {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
