"""How soon an FAQ is answered once it is published among many, with conversations running meanwhile.

Run as a program: [FAQS] [ENCODER FOLDER]. Without a folder the texts are hashed, so that what is measured is the
store and the indexes. Prints JSON; the bar is 1,000 ms at p95.
"""

import hashlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from knowledge_base.assemble import open_in
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Encoder, Faq, Progress, Status, Vectors
from knowledge_base.words import words

PUBLISHED = 20
CONVERSATIONS = 20
_PAUSE = 1.0  # seconds between two questions of one conversation
_POLL = 0.005


class Hashed:
    """An encoder without weights: each search word points in a direction of its own."""

    dimension, max_tokens, fingerprint = 384, 512, "hashed words"

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


def measured(faqs: int, encoder: Encoder) -> dict[str, float]:
    """Median and p95 of publish_times among `faqs` FAQs, in ms, and how long storing those took, in s."""
    with tempfile.TemporaryDirectory() as folder:
        knowledge = open_in(Path(folder), Retrieval(encoder))
        began = time.perf_counter()
        knowledge.editing.save([faq(number) for number in range(faqs)], {})
        stored = time.perf_counter() - began
        with conversations(knowledge, faqs):
            times = publish_times(knowledge, faqs)
        knowledge.close()
    p50, p95 = np.quantile(times, [0.5, 0.95])
    return {"faqs": faqs, "store_s": round(stored, 1), "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    faqs = int(arguments[0]) if arguments else 10_000
    encoder: Encoder = SentenceTransformerEncoder(arguments[1]) if len(arguments) > 1 else Hashed()
    sys.stdout.write(json.dumps(measured(faqs, encoder)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
