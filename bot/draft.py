"""The answer while it is being made: what each step found, how long it took. Knows no step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bot.types import Answer, Citation, Decision
from knowledge_base.types import Hit, Language


@dataclass(slots=True)
class Draft:
    """Filled step by step by one reply; `answer` may be asked at any moment."""

    id: str
    language: Language
    text: str = ""
    query: str = ""
    hits: tuple[Hit, ...] = ()
    decision: Decision = Decision("abstain", 0.0, reason="not decided")
    citations: tuple[Citation, ...] = ()
    stopped: bool = False
    latency_ms: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the time spent inside to the step's latency."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.latency_ms[step] = self.latency_ms.get(step, 0.0) + _milliseconds(began)

    def note(self, reason: str) -> None:
        """Adds to the reason, for staff."""
        self.decision = replace(self.decision, reason=f"{self.decision.reason}; {reason}")

    def first_token(self) -> None:
        """Notes when the customer saw the first words."""
        self.latency_ms.setdefault("first_token", _milliseconds(self._began))

    def answer(self, release: str) -> Answer:
        """The answer as it stands now."""
        return Answer(
            id=self.id,
            kind=self.decision.kind,
            text=self.text,
            language=self.language,
            confidence=self.decision.confidence,
            query=self.query,
            hits=self.hits,
            citations=self.citations,
            options=self.decision.options,
            reason=self.decision.reason,
            release=release,
            stopped=self.stopped,
            latency_ms=self.latency_ms | {"total": _milliseconds(self._began)},
        )


def _milliseconds(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 2)
