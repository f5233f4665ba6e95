"""Gaps in the knowledge: unanswered questions gathered by meaning, worked out in a thread and remembered.

Vectors are remembered too, so that after new answers only new questions are encoded. Knows no web.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy import Engine, select

from bot.alike import Alike, fitted, gather, typical
from bot.unanswered import Asked, Why, asked, covered, drafted, reasons, signature
from knowledge_base import tables as knowledge
from knowledge_base.recent import Recent
from knowledge_base.types import Encoder, Faq, Language, Progress, Vectors

MOST = 2_000
"""Distinct questions that are gathered, the newest of the period."""
_BATCH = 16  # questions encoded at once; the bot's own queries go between two batches
_KNOWN = 300  # phrasings of FAQs to which the bars are fitted
_REMEMBERED_VECTORS = 6_000
_REMEMBERED_PERIODS = 4
_OF_FAQS: frozenset[Why] = frozenset({"thumb", "correction"})  # reasons that a published FAQ does not answer
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that mean the same and have no good answer."""

    id: str
    question: str  # the most typical one
    language: Language
    questions: tuple[Asked, ...]  # the most asked first
    draft: str | None = None  # id of an FAQ that is being written for it

    @property
    def count(self) -> int:
        """How often it was asked."""
        return sum(one.count for one in self.questions)

    @property
    def last(self) -> datetime:
        """When it was asked last."""
        return max(one.last for one in self.questions)

    @property
    def why(self) -> Mapping[Why, int]:
        """The reasons, the most frequent first."""
        return reasons(self.questions)

    @property
    def answer(self) -> str:
        """What staff said that the answer should be, in the language of the typical question; else nothing."""
        return next((one.answer for one in self.questions if one.answer and one.language == self.language), "")

    @property
    def similar(self) -> list[str]:
        """The other questions in the language of the typical one."""
        return [one.text for one in self.questions if one.language == self.language and one.text != self.question]


@dataclass(slots=True)
class Work:
    """What is known of one period: the gaps, or how far the work on them is."""

    gaps: tuple[Gap, ...] = ()
    questions: int = 0
    done: int = 0
    total: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    failed: bool = False
    signature: tuple[object, ...] = ()


Bounds = tuple[datetime | None, datetime | None]


class Gaps:
    """Works out gaps, each period once until something new is logged. Any thread may call."""

    def __init__(self, engine: Engine, encoder: Encoder) -> None:
        self._engine = engine
        self._encoder = encoder
        self._vectors: Recent[Vectors] = Recent(_REMEMBERED_VECTORS)
        self._works: OrderedDict[Bounds, Work] = OrderedDict()
        self._alike: tuple[object, Alike] | None = None
        self._lock = threading.Lock()
        self._working = threading.Lock()

    def look(self, bounds: Bounds, ignored: Collection[str] = (), patience: float = 0.0) -> Work:
        """The work on a period, begun if need be; waits at most `patience` seconds for its end.

        ignored: keys (see key) of questions to leave out.
        """
        now = (signature(self._engine), frozenset(ignored))
        with self._lock:
            work = self._works.get(bounds)
            if work is None or (work.finished.is_set() and (work.signature != now or work.failed)):
                before = work.gaps if work else ()
                work = Work(gaps=before, signature=now)
                self._works[bounds] = work
                self._works.move_to_end(bounds)
                while len(self._works) > _REMEMBERED_PERIODS:
                    self._works.popitem(last=False)
                threading.Thread(target=self._work, args=(work, bounds, frozenset(ignored)), daemon=True).start()
        work.finished.wait(patience)
        return work

    def forget(self) -> None:
        """Drop all that is remembered of customers' words."""
        self._vectors.clear()
        with self._lock:
            self._works.clear()

    def _work(self, work: Work, bounds: Bounds, ignored: frozenset[str]) -> None:
        def progress(done: int, total: int) -> None:
            work.done, work.total = done, total

        try:
            with self._working:  # one period after the other
                work.gaps = tuple(self._found(bounds, ignored, progress))
                work.questions = sum(len(gap.questions) for gap in work.gaps)
        except Exception as error:  # told to whoever looks; its words may be a customer's
            _log.error("Unanswered questions could not be gathered: %s", type(error).__name__)
            work.failed = True
        finally:
            work.finished.set()

    def _found(self, bounds: Bounds, ignored: frozenset[str], progress: Progress) -> list[Gap]:
        known = asked(self._engine, *bounds, MOST)
        published, drafts = covered(self._engine, known), drafted(self._engine)
        open_ = {
            normal: one
            for normal, one in known.items()
            if key(normal) not in ignored and (normal not in published or _OF_FAQS & set(one.why))
        }
        ranked = sorted(open_.items(), key=lambda item: (-item[1].count, -item[1].last.timestamp()))
        if not ranked:
            return []
        alike = self._bars()
        vectors = self._encoded([one.text for _, one in ranked], progress)
        groups = gather(vectors, [one.language for _, one in ranked], alike)
        gaps = [_gap([ranked[row] for row in group], vectors[group], drafts) for group in groups]
        return sorted(gaps, key=lambda gap: (-gap.count, -gap.last.timestamp()))

    def _bars(self) -> Alike:
        """How near questions must be, fitted to the company's own FAQs; again when they have changed."""
        faq = knowledge.faq.c
        with self._engine.connect() as connection:
            columns = (faq.id, faq.language, faq.question, faq.similar)
            statement = select(*columns).where(faq.status == "published").order_by(faq.content_hash)
            rows = [row for row in connection.execute(statement.limit(_KNOWN)) if row.similar]
        known = [(Faq.family(r.id), r.language, text) for r in rows for text in (r.question, *r.similar)][:_KNOWN]
        sign = tuple(known)
        if self._alike is None or self._alike[0] != sign:
            vectors = self._encoded([text for _, _, text in known])
            self._alike = (sign, fitted([one[0] for one in known], [one[1] for one in known], vectors))
        return self._alike[1]

    def _encoded(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        def read(new: Sequence[str]) -> Iterator[Vectors]:
            for start in range(0, len(new), _BATCH):
                if progress:
                    progress(len(texts) - len(new) + start, len(texts))
                yield from self._encoder.encode_queries(new[start : start + _BATCH])

        if not texts:
            return np.zeros((0, self._encoder.dimension), np.float32)
        made = self._vectors.of(texts, read)
        return np.stack([made[text] for text in texts])


def key(normal: str) -> str:
    """What a question is ignored by: it tells nothing of the words."""
    return hashlib.sha256(normal.encode()).hexdigest()[:32]


def keys(gap: Gap, normalise: Callable[[str], str]) -> list[str]:
    """The keys of all questions of a gap."""
    return [key(normalise(one.text)) for one in gap.questions]


def _gap(members: Sequence[tuple[str, Asked]], vectors: Vectors, drafts: Mapping[str, str]) -> Gap:
    language = _main_language(one for _, one in members)
    own = [row for row, (_, one) in enumerate(members) if one.language == language]
    chosen = own[typical(vectors[own], [members[row][1].count for row in own])]
    draft = next((drafts[normal] for normal, _ in members if normal in drafts), None)
    questions = tuple(one for _, one in members)
    return Gap(key(members[0][0]), members[chosen][1].text, language, questions, draft)


def _main_language(questions: Iterable[Asked]) -> Language:
    counts: dict[Language, int] = {"zh": 0, "en": 0}
    for one in questions:
        counts[one.language] += one.count
    return "zh" if counts["zh"] >= counts["en"] else "en"
