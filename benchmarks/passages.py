"""Passages in any number, of real sentences in both languages, and the questions of real customers; stored in bulk.

The sentences are those of training/topics, drawn at random, so that words are as common and as rare as in real texts.
Knows the tables, measures nothing.
"""

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, Table, func, insert, select

from knowledge_base import tables
from knowledge_base.assemble import MIGRATIONS
from knowledge_base.database import migrate, open_database
from knowledge_base.language import normalise
from knowledge_base.records import Entry, entry_values, source_hash, stored
from knowledge_base.types import Document, Encoder, Language, Progress, Vectors
from training.examples import Topic, read_topics

TOPICS = Path(__file__).resolve().parents[1] / "training" / "topics"
LANGUAGES: tuple[Language, Language] = ("zh", "en")
_ENDS = re.compile(r"(?<=[。！？；])|(?<=[.!?;]) ")
_TOGETHER = 5_000  # passages written in one transaction


class RandomPassages:
    """An encoder with the real one's queries and random passages: the size of an index, not its meaning, matters."""

    def __init__(self, encoder: Encoder) -> None:
        self.dimension, self.max_tokens = encoder.dimension, encoder.max_tokens
        self.fingerprint, self.files_sha256 = encoder.fingerprint, encoder.files_sha256
        self.encode_queries, self.count_tokens = encoder.encode_queries, encoder.count_tokens
        self._random = np.random.default_rng(0)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        rows = self._random.standard_normal((len(texts), self.dimension)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@cache
def topics() -> tuple[Topic, ...]:
    """All topics that ship."""
    return tuple(topic for file in sorted(TOPICS.glob("topics_*.jsonl")) for topic in read_topics(file))


@cache
def _sentences(language: Language) -> tuple[str, ...]:
    texts = (part.strip() for topic in topics() for part in _ENDS.split(topic.passage[language]))
    return tuple(dict.fromkeys(text for text in texts if text))


def passage(number: int, dice: random.Random, sentences: int = 1) -> str:
    """One in Chinese for even numbers, in English for odd ones."""
    found = dice.choices(_sentences(LANGUAGES[number % 2]), k=sentences)
    return "".join(found) if number % 2 == 0 else " ".join(found)


def document(number: int, dice: random.Random, sentences: int = 2) -> Document:
    language, title = LANGUAGES[number % 2], ("说明", "Manual")[number % 2]
    return Document(f"d{number}", f"{title} {number}", passage(number, dice, sentences), language)


def questions(count: int, seed: int = 7) -> list[str]:
    """Different questions of customers, both languages alike; beyond the 8,000 that there are, with a number."""
    asked = [text for topic in topics() for language in LANGUAGES for text in topic.questions[language]]
    asked = list(dict.fromkeys(asked))
    random.Random(seed).shuffle(asked)
    return [asked[n % len(asked)] + (f" {n}" if n >= len(asked) else "") for n in range(count)]


def store_passages(folder: Path, count: int, encoder: Encoder) -> None:
    """So many documents of one passage each, their vectors random, beside what is in `folder`; the same every time."""
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, "knowledge_base_version")
    dice = random.Random(7)
    fake = RandomPassages(encoder)
    with engine.connect() as connection:
        before = connection.execute(select(func.max(tables.entry.c.id))).scalar() or 0
    for start in range(0, count, _TOGETHER):
        documents = [document(n, dice) for n in range(start, min(start + _TOGETHER, count))]
        _write(engine, documents, fake, before + start)
    engine.dispose()


def _write(engine: Engine, documents: Sequence[Document], encoder: RandomPassages, before: int) -> None:
    entries = list(_entries(documents))
    vectors = encoder.encode_passages([values["search_text"] for values in entries])
    stamp = {"version": 1, "updated": tables.now()}
    hashes = {values["content_hash"]: vector for values, vector in zip(entries, vectors, strict=True)}
    ids = range(before + 1, before + len(entries) + 1)
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (tables.document, [stored(one) | stamp | {"content_hash": source_hash(one)} for one in documents]),
        (tables.entry, [{"id": id} | values for id, values in zip(ids, entries, strict=True)]),
        (tables.vector, [
            {"content_hash": hash_, "encoder": encoder.fingerprint, "data": vector.astype("<f4").tobytes()}
            for hash_, vector in hashes.items()
        ]),
        (tables.change, [{"entry_id": id, "added": True} for id in ids]),
    ]  # fmt: skip
    with engine.begin() as connection:
        for table, values in rows:
            connection.execute(insert(table), values)


def _entries(documents: Sequence[Document]) -> Iterator[dict[str, Any]]:
    """As `document_entries` makes them of texts that are one passage, without looking for where to cut."""
    for one in documents:
        search_text = f"{one.title}\n{one.text}"
        entry = Entry("passage", one.language, one.text, search_text, normal=normalise(one.title))
        yield entry_values(entry) | {"kind": "document", "source_id": one.id, "ordinal": 0}
