"""What goes in and out of the documents' API: shapes with their limits. Knows no route."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from knowledge_base.document_list import Sort
from knowledge_base.types import Language
from web.api.moment import Moment

Limit = Annotated[int, Field(ge=1, le=200)]
Offset = Annotated[int, Field(ge=0, le=10_000_000)]


class Listed(BaseModel):
    """Which part of the list. q: stands in title, id or text."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] = ""
    language: Language | None = None
    sort: Sort = "-updated"
    limit: Limit = 50
    offset: Offset = 0


class CutsListed(BaseModel):
    """Which passages."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 100
    offset: Offset = 0


class DocumentOut(BaseModel):
    """A document without its text. trashed: since when it is in the trash, where it has no passages."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    language: Language
    source: str
    version: int
    updated: Moment
    trashed: Moment | None
    characters: int
    passages: int


class DocumentPage(BaseModel):
    """Some of the documents, and how many there are."""

    total: int
    items: list[DocumentOut]


class DocumentText(DocumentOut):
    """A document with its Markdown text."""

    text: str


class CutOut(BaseModel):
    """A passage, as the document was cut."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    headings: list[str]
    text: str
    language: Language
    tokens: int


class CutPage(BaseModel):
    """Some of a document's passages, and how many there are."""

    total: int
    items: list[CutOut]


class PutOut(BaseModel):
    """What became of a file. encoded: passages that had not been encoded before."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    outcome: Literal["added", "changed", "unchanged", "duplicate", "empty"]
    passages: int
    encoded: int
    detail: str


class ReceiptOut(BaseModel):
    """Proof of a deletion: what was looked for in the live indexes and tables, and what was found (0 of it)."""

    id: str
    title: str
    version: int
    passages: int
    probed: int
    passages_found: int
    vectors_found: int
    rows_found: int
    elsewhere: list[str]
    answers_citing: int
    clean: bool
    at: Moment
    staff_name: str
