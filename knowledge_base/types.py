"""The nouns of the knowledge base: frozen values that every other module passes around.

Knows nothing of databases, models or files.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Language = Literal["zh", "en"]
SourceKind = Literal["faq", "document"]
Status = Literal["draft", "review", "published"]
Vectors = NDArray[np.float32]
LONGEST_ID = 512
"""Characters that the id of a document or an FAQ may have."""
_LONGEST_NAME = 120  # characters of a section's name
Progress = Callable[[int, int], None]
"""Called with (done, total) while a long job runs."""


class KnowledgeBaseError(Exception):
    """A problem the operator can mend; its message names the remedy."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source text as Markdown. `id` is stable: putting the same id again replaces it."""

    id: str
    title: str
    text: str
    language: Language
    source: str = ""  # file name or URL that a reader may open


@dataclass(frozen=True, slots=True)
class Faq:
    """One question with its answer, the other ways it is asked, and the phrasings it must never match.

    Two FAQs whose ids differ in the ending ".zh" or ".en" only are translations of each other.
    """

    id: str
    question: str
    answer: str
    language: Language
    similar: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    category: str = ""
    valid_from: date | None = None
    valid_until: date | None = None  # inclusive
    status: Status = "published"

    @staticmethod
    def family(faq_id: str) -> str:
        """What the ids of translations have in common: "returns" for "returns.zh" and "returns.en"."""
        return faq_id[:-3] if faq_id.endswith((".zh", ".en")) else faq_id

    def is_open_on(self, day: date) -> bool:
        """Whether customers may see it that day."""
        return self.status == "published" and is_valid_on(day, self.valid_from, self.valid_until)


def is_valid_on(day: date, first: date | None, last: date | None) -> bool:
    """Whether the day lies between the two, both included; None leaves that end open."""
    return (first is None or first <= day) and (last is None or day <= last)


def path_of(title: str, headings: Sequence[str]) -> tuple[str, ...]:
    """A document's title and the headings that lead to a place in it, each once."""
    return tuple(dict.fromkeys(part for part in (title, *headings) if part.strip()))


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrieval unit: a piece of a document, or an FAQ as it answers one phrasing."""

    id: int  # row id in the store, FAISS id and keyword id
    kind: SourceKind
    source_id: str  # id of the Document or Faq
    title: str  # document title, or the FAQ's own question
    headings: tuple[str, ...]  # heading path inside the document, outermost first
    text: str  # the piece's Markdown, or the FAQ's answer
    language: Language
    version: int  # revision number of the source, from 1
    updated: datetime
    phrasing: str = ""  # FAQ only: the phrasing that is indexed

    @property
    def path(self) -> tuple[str, ...]:
        """Its title and the headings that lead to it, each once."""
        return path_of(self.title, self.headings)

    @property
    def name(self) -> str:
        """What a customer can choose it by: an FAQ's question, or a section's name; empty where there is none."""
        return self.title if self.kind == "faq" else section(self.title, self.headings)


def section(title: str, headings: Sequence[str]) -> str:
    """The name of a section of a document, its innermost heading after the title; empty without a heading."""
    inner = [heading for heading in headings if heading.strip() and heading != title]
    name = f"{title} › {inner[-1]}" if inner else ""
    return name if len(name) <= _LONGEST_NAME else ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage. `score` is the fused score in 0..1; the parts say where it comes from."""

    passage: Passage
    score: float
    dense: float = 0.0  # cosine between query and passage, -1..1
    keyword: float = 0.0  # share of the query's word weight found in the passage, 0..1
    exact: bool = False  # the query is, normalised, one of the FAQ's phrasings, or the section's name
    rerank: float | None = None  # what the reranker says of it, 0..1; None: it has not read it
    proximity: float | None = None  # share of the word weight in one sentence, 0..1; None: not looked at


@dataclass(frozen=True, slots=True)
class Put:
    """What `put` did with one document or FAQ."""

    id: str
    outcome: Literal["added", "changed", "unchanged", "duplicate", "empty"]
    passages: int = 0  # now stored for it
    encoded: int = 0  # encoded anew
    detail: str = ""  # for the operator, e.g. the id it duplicates


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `doctor` found. `remedy` is empty when all is well."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""


class Encoder(Protocol):
    """Text to vector. Rows are L2-normalised float32; `dimension` columns."""

    dimension: int
    fingerprint: str  # changes whenever the same text would get another vector
    files_sha256: str  # of what it was loaded from, in whatever precision it is computed
    max_tokens: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors: ...

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...


class Reranker(Protocol):
    """Reads a few texts closely, where search only compares vectors."""

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """For each text, as `candidate_text` makes it, how well it answers the query, 0..1."""
        ...

    def prepare(self, texts: Sequence[str]) -> Iterator[None]:
        """Do beforehand what must be done once for each text, a piece at each step; queries go before."""
        ...
