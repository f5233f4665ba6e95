"""Between values and rows: how sources and their entries are stored, and what makes them equal."""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import Row, Table

from knowledge_base import tables
from knowledge_base.types import Document, Faq, Language, SourceKind, Vectors

Role = Literal["passage", "question", "clause", "never"]
Source = Document | Faq

PLACES: tuple[tuple[SourceKind, Table], ...] = (("document", tables.document), ("faq", tables.faq))


@dataclass(frozen=True, slots=True)
class Entry:
    """One searchable text of a source, before it has a row id."""

    role: Role
    language: Language
    text: str  # what is shown; for an FAQ the phrasing
    search_text: str  # what is encoded and split into search words
    headings: tuple[str, ...] = ()
    normal: str = ""  # normalised phrasing, or name of the section that begins here, for exact match

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.search_text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One stored entry as the indexes need it; `vector` is None when this encoder has not encoded it."""

    id: int
    role: Role
    kind: SourceKind
    source_id: str
    language: Language
    search_text: str
    vector: Vectors | None


def source_hash(source: Source) -> str:
    """Changes exactly when the content of a document or FAQ does."""
    content = {key: value for key, value in stored(source).items() if key not in ("id", "source")}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def place(source: Source) -> tuple[SourceKind, Table]:
    return PLACES[0] if isinstance(source, Document) else PLACES[1]


def stored(source: Source) -> dict[str, Any]:
    values = ((field.name, getattr(source, field.name)) for field in fields(source))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def to_source(kind: SourceKind, row: Row[Any]) -> Source:
    if kind == "document":
        return Document(row.id, row.title, row.text, row.language, row.source)
    return Faq(
        id=row.id,
        question=row.question,
        answer=row.answer,
        language=row.language,
        similar=tuple(row.similar),
        never=tuple(row.never),
        category=row.category,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        status=row.status,
    )


def entry_values(entry: Entry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)} | {
        "headings": list(entry.headings),
        "content_hash": entry.hash,
        "normal": entry.normal[:512],
    }


def entry_key(row: Row[Any]) -> tuple[str, str, str, str]:
    return (row.role, row.language, row.text, row.content_hash)
