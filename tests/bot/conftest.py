"""Small real stand-ins: an encoder, a generator and a knowledge base that do in memory what the real ones do."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from bot.calibration import Calibration, Threshold
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import Stop
from knowledge_base.database import migrate, open_database
from knowledge_base.language import normalise
from knowledge_base.types import Faq, Hit, Language, Passage
from knowledge_base.words import words
from tests.fakes import HashEncoder

UPDATED = datetime(2026, 3, 1, 9, 30)


class ScriptedGenerator:
    """Writes the pieces it was given, then raises what it was given; remembers what it was asked."""

    name = "scripted"

    def __init__(self, *pieces: str, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.asked: list[Sequence[dict[str, str]]] = []
        self.closed = False

    def generate(self, messages: Sequence[dict[str, str]], stop: Stop) -> Iterator[str]:
        self.asked.append(messages)
        try:
            for piece in self.pieces:
                if stop():
                    return
                yield piece
            if self.error:
                raise self.error
        finally:
            self.closed = True


class SmallKnowledge:
    """Passages in a list, searched one by one, with the real knowledge base's search signature."""

    def __init__(self, passages: Sequence[Passage] = (), faqs: Sequence[Faq] = ()) -> None:
        self.encoder = HashEncoder()
        self.passages = list(passages)
        self._faqs = list(faqs)
        self.queries: list[str] = []
        self.closed = False

    def search(self, query: str, language: Language, limit: int = 10) -> list[Hit]:
        self.queries.append(query)
        hits = [self._hit(query, passage) for passage in self.passages]
        hits.sort(key=lambda hit: (-hit.exact, -hit.score, hit.passage.language != language))
        return hits[:limit]

    def _hit(self, query: str, passage: Passage) -> Hit:
        text = passage.phrasing or passage.text
        asked = set(words(query))
        dense = float(self.encoder.encode_queries([query])[0] @ self.encoder.encode_passages([text])[0])
        keyword = len(asked & set(words(text))) / len(asked) if asked else 0.0
        exact = normalise(query) == normalise(passage.phrasing or passage.name or "-")
        return Hit(passage, 1.0 if exact else (dense + keyword) / 2, dense, keyword, exact)

    def faqs(self) -> list[Faq]:
        return self._faqs

    def faq(self, faq_id: str) -> Faq | None:
        return next((faq for faq in self._faqs if faq.id == faq_id), None)

    def is_phrasing(self, question: str) -> bool:
        return any(normalise(question) == normalise(passage.phrasing) for passage in self.passages if passage.phrasing)

    @property
    def is_empty(self) -> bool:
        return not self.passages

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def hash_encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def scripted_generator() -> type[ScriptedGenerator]:
    return ScriptedGenerator


@pytest.fixture
def small_knowledge() -> type[SmallKnowledge]:
    return SmallKnowledge


@pytest.fixture
def passage() -> Callable[..., Passage]:
    """Makes a passage; an FAQ's when `phrasing` is given."""
    made: list[Passage] = []

    def make(text: str, language: Language = "zh", title: str = "说明", phrasing: str = "", **more: object) -> Passage:
        values: dict[str, object] = {
            "id": len(made) + 1,
            "kind": "faq" if phrasing else "document",
            "source_id": f"source-{len(made) + 1}",
            "title": phrasing or title,
            "headings": (),
            "text": text,
            "language": language,
            "version": 2,
            "updated": UPDATED,
            "phrasing": phrasing,
        }
        made.append(Passage(**(values | more)))
        return made[-1]

    return make


@pytest.fixture
def calibration() -> Calibration:
    """Confidence rises with the share of matched words: 0.5 at half of them."""
    return Calibration(
        weights={"bias": -5.0, "keyword": 10.0},
        thresholds={
            f"{kind}.{language}": Threshold(answer=0.6, clarify=0.3)
            for kind in ("faq", "document")
            for language in ("zh", "en")
        },
        tie=0.0,
        near=0.3,
        support=0.5,
    )


@pytest.fixture
def log(database_url: str) -> Iterator[ConversationLog]:
    engine = open_database(database_url)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    kept = ConversationLog(engine)
    yield kept
    kept.close()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
