"""Makes a versioned dataset of the examples that staff approved and of the company's own FAQs.

Writes the files that training/examples.py reads, and a golden set of what is held out. Of one conversation nothing
stands on both sides. Knows nothing of where examples come from.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.examples import Example
from bot.lessons import FEWEST
from knowledge_base.language import normalise
from knowledge_base.types import Faq

_HELD_OUT = 5  # one conversation of so many is kept for judging
_NAME = "company"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was written: `hash` names the content, whatever folder it stands in."""

    folder: Path
    hash: str
    train: int
    held_out: int
    languages: Mapping[str, int]
    labels: Mapping[str, int]

    def supports(self) -> dict[str, bool]:
        """Which parts of a release there are examples enough to train."""
        return {part: self.train + self.held_out >= fewest for part, fewest in FEWEST.items()}


def build(examples: Sequence[Example], faqs: Sequence[Faq], folder: Path) -> Dataset:
    """Write train/ and golden/ into `folder`, in place of what stands there, and dataset.json last.

    Raises ValueError when there is no approved example.
    """
    usable = _distinct(examples)
    if not usable:
        raise ValueError("there is no approved example yet; approve some in the console, under Learning")
    train = [one for one in usable if not held_out(one)]
    kept = [one for one in usable if held_out(one)]
    published = [faq for faq in faqs if faq.status == "published"]
    for part in ("train", "golden"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    _write(folder / "train" / f"faq_{_NAME}.jsonl", _answers(train, published))
    _write(folder / "train" / f"faq_queries_{_NAME}.jsonl", _queries(train, published))
    _write(folder / "golden" / "faq.jsonl", map(_faq, published))
    _write(folder / "golden" / "questions.jsonl", question_rows(kept, {faq.id for faq in published}))
    made = Dataset(
        folder,
        _digest(folder),
        len(train),
        len(kept),
        dict(Counter(one.language for one in usable)),
        dict(Counter(one.label for one in usable)),
    )
    told = {name: getattr(made, name) for name in ("hash", "train", "held_out", "languages", "labels")}
    told |= {"supports": made.supports(), "examples": [one.id for one in usable]}  # which: for whoever asks for erasure
    (folder / "dataset.json").write_text(json.dumps(told, indent=2) + "\n", "utf8")
    return made


def _distinct(examples: Iterable[Example]) -> list[Example]:
    """One example a question and answer, the strongest label first."""
    strength = {"staff": 0, "correction": 1, "confirmed": 2}
    found: dict[str, Example] = {}
    for example in sorted(examples, key=lambda one: (strength[one.label], one.id)):
        if example.status == "approved":
            found.setdefault(f"{normalise(example.question)}\n{_target(example)}", example)
    return sorted(found.values(), key=lambda one: one.id)


def held_out(example: Example) -> bool:
    """By conversation, and by nothing else: what is held out once stays so in every later version."""
    return int.from_bytes(hashlib.sha256(example.conversation_id.encode()).digest()[:4]) % _HELD_OUT == 0


def _target(example: Example) -> str:
    """What answers the question: a source of the knowledge base, else the words themselves."""
    return example.source_id or f"said-{hashlib.sha256(normalise(example.answer).encode()).hexdigest()[:16]}"


def _answers(train: Sequence[Example], faqs: Sequence[Faq]) -> Iterable[dict[str, Any]]:
    ids = {faq.id for faq in faqs}
    yield from ({"id": faq.id, "question": faq.question, "answer": faq.answer} for faq in faqs)
    for example in train:
        if (target := _target(example)) not in ids:
            ids.add(target)
            yield {"id": target, "question": example.question, "answer": example.answer}


def _queries(train: Sequence[Example], faqs: Sequence[Faq]) -> Iterable[dict[str, Any]]:
    yield from ({"query": text, "faq_id": faq.id} for faq in faqs for text in faq.similar)
    yield from ({"query": example.question, "faq_id": _target(example)} for example in train)


def _faq(faq: Faq) -> dict[str, Any]:
    fields = {"id": faq.id, "question": faq.question, "answer": faq.answer, "language": faq.language}
    return fields | {"similar": list(faq.similar)}


def question_rows(kept: Sequence[Example], known: set[str]) -> Iterable[dict[str, Any]]:
    """Those that an FAQ answers; what only a person has answered so far has no answer in the knowledge base."""
    for example in kept:
        answerable = example.source_id in known
        yield {
            "id": example.id,
            "question": example.question,
            "language": example.language,
            "relevant": [example.source_id] if answerable else [],
            "answers": [],
            "answerable": answerable,
            "history": [],
        }


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf8")


def _digest(folder: Path) -> str:
    files = sorted(path for part in ("train", "golden") for path in (folder / part).iterdir())
    return hashlib.sha256(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in files)).hexdigest()
