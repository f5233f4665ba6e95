"""How soon an FAQ is answered once it is published among many, with conversations running meanwhile.

Texts are hashed into vectors, so that what is measured is the store and the indexes.
"""

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, at_most
from benchmarks.server_speed import quantile
from benchmarks.work import Work
from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Progress, Status, Vectors
from knowledge_base.words import words

FAQS = 10_000
PUBLISHED = 20
CONVERSATIONS = 20
_PAUSE = 1.0  # seconds between two questions of one conversation
_POLL = 0.005


class Hashed:
    """An encoder without weights: each search word points in a direction of its own."""

    dimension, max_tokens = 384, 512
    fingerprint = files_sha256 = "hashed words"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        return self.encode_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension, np.float32)
        for word in words(text):
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / (np.linalg.norm(total) or 1.0)


def faq(number: int, status: Status = "published") -> Faq:
    """One of many different FAQs."""
    thing, deed = f"product {number}", ("clean", "return", "repair", "order")[number % 4]
    similar = (f"{deed} {thing}", f"I want to {deed} my {thing}")
    return Faq(f"f{number}.en", f"How do I {deed} {thing}?", f"Answer {number}.", "en", similar, status=status)


def publish_times(knowledge: KnowledgeBase, first: int) -> list[float]:
    """Milliseconds from the call that publishes until a search gives the new answer, for PUBLISHED drafts."""
    times = []
    for number in range(first, first + PUBLISHED):
        draft = faq(number, "draft")
        knowledge.editing.save([draft], {draft.id: 0})
        published = faq(number)
        began = time.perf_counter()
        knowledge.editing.save([published], {draft.id: 1})
        while not any(hit.passage.source_id == draft.id for hit in knowledge.search(published.similar[1], "en")):
            time.sleep(_POLL)
        times.append((time.perf_counter() - began) * 1000)
    return times


@contextmanager
def conversations(knowledge: KnowledgeBase, faqs: int) -> Iterator[None]:
    """Customers who ask all the time, one thread each."""
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.wait(_PAUSE):
            number = (number * 31 + 7) % faqs
            knowledge.search(f"how can I {faq(number).similar[0]} today", "en")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONVERSATIONS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def rows(work: Work) -> list[Row]:
    """Beside a search of the same knowledge base with nothing published."""
    work.say(f"{FAQS:,} FAQs are stored")
    with tempfile.TemporaryDirectory() as folder:
        knowledge = open_in(Path(folder), Retrieval(Hashed()))
        knowledge.editing.save([faq(number) for number in range(FAQS)], {})
        work.say(f"{PUBLISHED} FAQs are published")
        with conversations(knowledge, FAQS):
            searches = [_search(knowledge, number) for number in range(0, FAQS, FAQS // 100)]
            times = publish_times(knowledge, FAQS)
        knowledge.close()
    what, beside = (
        f"FAQ published among {FAQS:,} until it is found, {CONVERSATIONS} conversations beside it, ",
        "a search",
    )
    return [
        Row(what + "p50", quantile(times, 0.5), "ms", quantile(searches, 0.5), beside),
        Row(what + "p95", quantile(times, 0.95), "ms", quantile(searches, 0.95), beside, at_most(1_000, "ms")),
    ]


def _search(knowledge: KnowledgeBase, number: int) -> float:
    began = time.perf_counter()
    knowledge.search(f"may I {faq(number).similar[0]}", "en")
    return (time.perf_counter() - began) * 1000
