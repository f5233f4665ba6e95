"""Finds in the log what could be learned: questions with the answers that people gave, mended or confirmed.

Personal data is masked before anything is kept. A thumb alone teaches nothing. Approves nothing: that is for staff.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from bot.control import control
from bot.examples import Example, Examples, Label
from bot.search_log import Wanted, ids_of
from bot.settings import Settings
from bot.transcript import Line, Transcript, transcripts
from knowledge_base.language import language_of, normalise
from knowledge_base.types import Faq, Progress
from training.redact import redact

_MOST = 100_000  # conversations of one run
_SHORTEST, _LONGEST = 2, 4_000  # characters of a question or an answer
_TAUGHT = ("faq", "grounded")


@dataclass(frozen=True, slots=True)
class Masking:
    """How texts are masked: the company's own patterns, and what it has published itself."""

    patterns: Sequence[re.Pattern[str]] = ()
    public: Collection[str] = ()


def masking(settings: Settings) -> Masking:
    """What the settings say is masked besides, and what is not."""
    return Masking([re.compile(pattern) for pattern in settings.mask], settings.public)


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run found: examples by label, how many were new, personal data masked by kind."""

    conversations: int
    found: dict[str, int]
    added: int
    masked: dict[str, int]


def harvest(engine: Engine, faqs: Sequence[Faq], masking: Masking, progress: Progress) -> Harvest:
    """Read the log and keep the examples in it that are not kept yet; running it again adds nothing twice.

    faqs: of the company, so that a reply in an FAQ's own words is known as that FAQ. progress: (conversations, all).
    """
    store = Examples(engine)
    known = {normalise(faq.answer): faq.id for faq in faqs}
    groups = list(ids_of(engine, Wanted(), _MOST))
    total, done, added = sum(map(len, groups)), 0, 0
    found: Counter[str] = Counter()
    masked: Counter[str] = Counter()
    for group in groups:
        examples = [one for log in transcripts(engine, group) for one in examples_of(log, known, masking)]
        found.update(example.label for example in examples)
        for example in examples:
            masked.update(example.masked)
        added += store.add(examples)
        done += len(group)
        progress(done, total)
    return Harvest(total, dict(found), added, dict(masked))


def examples_of(log: Transcript, known: dict[str, str], masking: Masking) -> Iterator[Example]:
    """The examples of one conversation. known: normalised answer of an FAQ → its id.

    Who was asked back and chose one of the questions offered meant that with the words before: those are learned.
    """
    asked = meant = ""
    offered: Mapping[str, str] = {}  # each question offered, with the words that it was offered for
    for line in log.lines:
        if line.role == "customer":
            meant = offered.get(line.text, "")
            asked = asked if control(line.text) else line.text
        elif line.role == "staff":
            if asked:
                yield from _example(log, "staff", asked, line.text, known.get(normalise(line.text), ""), masking)
                asked = ""  # the first reply answers; what follows is talk
        elif line.correction is not None:
            yield from _example(log, "correction", _query(line, asked), str(line.correction["text"]), "", masking)
        elif line is _confirmed(log):
            source = str(line.answer["citations"][0]["source_id"]) if line.answer and line.answer["citations"] else ""
            yield from _example(log, "confirmed", meant or _query(line, asked), line.text, source, masking)
        elif line.answer is not None:
            offered = {str(option): _query(line, asked) for option in line.answer["options"]}


def _confirmed(log: Transcript) -> Line | None:
    """The bot's last answer, where the customer said that it solved the matter and no person took part."""
    if not log.solved or any(line.role == "staff" for line in log.lines):
        return None
    answers = [line for line in log.lines if line.answer is not None and line.answer["kind"] in _TAUGHT]
    last = answers[-1] if answers else None
    return None if last is None or (last.feedback and not last.feedback["helpful"]) else last


def _query(line: Line, asked: str) -> str:
    """What was searched for: of a follow-up question the whole of it."""
    return str(line.answer["query"]) if line.answer and line.answer["query"] else asked


def _example(
    log: Transcript, label: Label, question: str, answer: str, source_id: str, masking: Masking
) -> Iterator[Example]:
    asked, said = (redact(text.strip(), masking.patterns, masking.public) for text in (question, answer))
    if all(_SHORTEST <= len(text) <= _LONGEST for text in (asked.text, said.text)):
        taught = f"{normalise(asked.text)}\n{source_id or normalise(said.text)}"
        yield Example(
            id=hashlib.sha256(taught.encode()).hexdigest(),
            conversation_id=log.id,
            label=label,
            language=language_of(asked.text),
            question=asked.text,
            answer=said.text,
            source_id=source_id,
            masked={str(kind): count for kind, count in (asked.masked + said.masked).items()},
        )
