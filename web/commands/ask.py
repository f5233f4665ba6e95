"""`kefu ask`: one question through `Bot.reply`, streamed to the terminal. Decides nothing itself."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from web.cleaning import clean
from web.commands import compose
from web.commands.options import Data, Json
from web.commands.terminal import console, hint, say, say_json

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.types import Answer, Conversation
    from knowledge_base.types import Hit

EMPTY = "The knowledge base is empty. Load the demo shop with `kefu serve --demo`, or your files with `kefu add`."


def ask(
    text: Annotated[str, typer.Argument(help="The question, in Chinese or English.")],
    conversation: Annotated[str, typer.Option(help="Go on with this conversation.", show_default=False)] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask the bot one question."""
    text = clean(text)
    with compose.open_bot(data) as bot:
        if bot.knowledge.is_empty:
            hint(EMPTY)
        dialogue = _conversation(bot, conversation)
        if as_json:
            say_json(as_object(_answered(bot, dialogue, text), dialogue.id))
        else:
            _show(_streamed(bot, dialogue, text), dialogue.id)


def _conversation(bot: Bot, id: str) -> Conversation:
    if not id:
        return bot.log.open()
    found = bot.log.load(id)
    if found is None:
        raise ValueError(f"no conversation {id!r} is logged here; leave out --conversation to begin one")
    return found


def _answered(bot: Bot, conversation: Conversation, text: str) -> Answer:
    from bot.types import Done

    answer = None
    with closing(bot.reply(conversation, text)) as events:
        for event in events:
            if isinstance(event, Done):
                answer = event.answer
    assert answer is not None, "a reply ends with Done"
    return answer


def _streamed(bot: Bot, conversation: Conversation, text: str) -> Answer:
    screen = console()
    if not screen.is_terminal:
        return _answered(bot, conversation, text)
    from rich.live import Live
    from rich.text import Text

    from bot.types import Done, Token

    shown, answer = Text(), None
    with closing(bot.reply(conversation, text)) as events:
        with Live(shown, console=screen, transient=True) as live:
            for event in events:
                if isinstance(event, Token):
                    shown.append(event.text)
                    live.update(shown)
                elif isinstance(event, Done):
                    answer = event.answer
    assert answer is not None, "a reply ends with Done"
    return answer


def _show(answer: Answer, conversation: str) -> None:
    say(answer.text)
    for option in answer.options:
        say(f"  · {option}")
    for citation in answer.citations:
        path = " › ".join((citation.title, *citation.headings))
        source = f"{citation.source_id} · v{citation.version} · {citation.updated:%Y-%m-%d}"
        say(f"[{citation.number}] {path}  {source}")
        if citation.quote not in answer.text:
            say(f"    “{' '.join(citation.quote.split())}”", style="dim")
    total = answer.latency_ms.get("total")
    facts = [answer.kind, f"confidence {answer.confidence:.2f}", answer.language]
    facts += [f"{total:.0f} ms"] if total is not None else []
    facts += [answer.reason] if answer.reason else []
    say(" · ".join(facts), style="dim")
    say(f"conversation {conversation}", style="dim")


def as_object(answer: Answer, conversation: str) -> dict[str, Any]:
    """The answer as the object that `--json` prints: each hit with its score parts, each citation whole."""
    from dataclasses import asdict

    names = ("id", "kind", "text", "language", "confidence", "query", "options")
    return {
        **{name: getattr(answer, name) for name in names},
        "hits": [hit_object(hit) for hit in answer.hits],
        "citations": [asdict(citation) for citation in answer.citations],
        "release": answer.release,
        "latency_ms": {step: round(taken, 2) for step, taken in answer.latency_ms.items()},
        "reason": answer.reason,
        "conversation": conversation,
    }


def hit_object(hit: Hit) -> dict[str, Any]:
    """One hit as JSON: its source and the parts of its score."""
    return {
        "source_id": hit.passage.source_id,
        "kind": hit.passage.kind,
        "title": hit.passage.title,
        "score": round(hit.score, 4),
        "dense": round(hit.dense, 4),
        "keyword": round(hit.keyword, 4),
        "exact": hit.exact,
        "rerank": None if hit.rerank is None else round(hit.rerank, 4),
        "proximity": None if hit.proximity is None else round(hit.proximity, 4),
    }
