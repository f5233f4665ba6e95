"""FAQs as the API takes and gives them. Knows no route and stores nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge_base.editing import Editing
from knowledge_base.faq_list import Sort, StoredFaq
from knowledge_base.faq_row import WrongFieldError, faq_of, row_of
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.types import LONGEST_ID, Faq, Language, Status
from web.api.moment import Moment
from web.cleaning import clean
from web.desk import Desk
from web.problems import ApiError

LONGEST_PHRASING = 1_000
LONGEST_ANSWER = 20_000
MOST_PHRASINGS = 200
LONGEST_CATEGORY = 200
Id = Annotated[str, Field(max_length=LONGEST_ID)]
Phrasing = Annotated[str, Field(min_length=1, max_length=LONGEST_PHRASING)]
Phrasings = Annotated[list[Phrasing], Field(max_length=MOST_PHRASINGS)]
Category = Annotated[str, Field(max_length=LONGEST_CATEGORY)]
Version = Annotated[int, Field(ge=0, le=2_000_000_000)]


class FaqIn(BaseModel):
    """A new FAQ; without an id it gets one."""

    model_config = ConfigDict(extra="forbid")

    id: Id = ""
    question: Phrasing
    answer: Annotated[str, Field(min_length=1, max_length=LONGEST_ANSWER)]
    language: Language
    similar: Phrasings = []
    never: Phrasings = []
    category: Category = ""
    valid_from: date | None = None
    valid_until: date | None = None
    status: Status = "draft"

    def faq(self, id: str = "") -> Faq:
        """The FAQ that it says. Raises ApiError for what is wrong with it."""
        given = id or clean(self.id) or f"faq-{uuid4().hex[:16]}.{self.language}"
        row = self.model_dump(include=set(FaqIn.model_fields))
        row |= {name: clean(row[name]) for name in ("question", "answer", "category")}
        row |= {name: [clean(text) for text in row[name]] for name in ("similar", "never")}
        try:
            return replace(faq_of(row | {"id": given}), id=given)
        except WrongFieldError as wrong:
            raise ApiError(400, f"{wrong.field}: {wrong}", f"faq_{wrong.code}") from wrong


class FaqChange(FaqIn):
    """An FAQ's new content. `version`: of the FAQ as its editor saw it."""

    version: Version


class FaqOut(BaseModel):
    """A stored FAQ. `version`: give it back with a change."""

    id: str
    question: str
    answer: str
    language: Language
    similar: list[str]
    never: list[str]
    category: str
    valid_from: date | None
    valid_until: date | None
    status: Status
    version: int
    updated: Moment


class Listing(BaseModel):
    """Which FAQs, in which order. `category` "-": those without one."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] = ""
    language: Language | None = None
    status: Status | None = None
    category: Category = ""
    sort: Sort = "updated"
    descending: bool = True
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class FaqPage(BaseModel):
    """FAQs of one page, and how many there are in all."""

    total: int
    items: list[FaqOut]
    categories: list[str]


class VersionOut(BaseModel):
    """One version of an FAQ. began, ended: when it was valid (UTC); who: by the audit log, else empty."""

    version: int
    current: bool
    action: str
    began: Moment | None
    ended: Moment | None
    who: str
    faq: dict[str, Any]


class History(BaseModel):
    """All that an FAQ has said, newest first."""

    total: int
    items: list[VersionOut]


class Bulk(BaseModel):
    """One change of many FAQs: what is given is set, or they are deleted."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]], Field(min_length=1, max_length=1000)
    ]
    status: Status | None = None
    category: Category | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    delete: bool = False

    def changes(self) -> dict[str, Any]:
        """The new values; dates that are given as null are taken away."""
        dates = {name: getattr(self, name) for name in ("valid_from", "valid_until") if name in self.model_fields_set}
        return self.model_dump(include={"status", "category"}, exclude_none=True) | dates


class BulkDone(BaseModel):
    """What was done: ids that were changed, or deleted, and ids that are not there."""

    done: list[str]
    missing: list[str]


class FaqConflict(ApiError):
    """Somebody else has changed the FAQ in the meantime. `stored`: what it is now; None: it is deleted."""

    def __init__(self, stored: StoredFaq | None) -> None:
        said = "somebody else has changed this FAQ; nothing was written" if stored else "this FAQ has been deleted"
        super().__init__(409, said, "faq_changed" if stored else "faq_deleted")
        self.stored = stored

    def body(self) -> dict[str, object]:
        """The error, with the FAQ as it is stored now."""
        stored = faq_out(self.stored).model_dump(mode="json") if self.stored else None
        return super().body() | {"stored": stored}


def editing_of(desk: Desk) -> Editing:
    """The FAQs of the desk's knowledge base. Raises Closed while there is no bot."""
    return knowledge_of(desk).editing


def knowledge_of(desk: Desk) -> KnowledgeBase:
    """The desk's knowledge base. Raises Closed while there is no bot."""
    return cast(KnowledgeBase, desk.bot.knowledge)


def faq_out(stored: StoredFaq) -> FaqOut:
    """An FAQ as the API gives it."""
    return FaqOut(**row_of(stored.faq), version=stored.version, updated=stored.updated)


def checked(values: Mapping[str, Any]) -> FaqIn:
    """What was typed, within the limits. Raises ApiError."""
    try:
        return FaqIn.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        code = "faq_empty" if first["type"] == "string_too_short" else "faq_too_long"
        where = ".".join(map(str, first["loc"]))
        raise ApiError(400, f"{where}: {first['msg']}", code) from error


def lines(text: str) -> list[str]:
    """The phrasings of a field with one in each line, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def noted(faqs: Mapping[str, StoredFaq], fields: Sequence[str]) -> dict[str, Any]:
    """Fields of many FAQs as the audit log keeps them, with the versions, under which the history has the rest."""
    return {
        id: {name: value for name, value in row_of(one.faq).items() if name in fields} | {"version": one.version}
        for id, one in faqs.items()
    }
