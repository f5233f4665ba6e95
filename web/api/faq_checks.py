"""What a draft FAQ would do, over HTTP: its clashes with others, and which questions it would answer anew."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from bot.duplicates import Clash, warnings
from bot.impact import Impact, impact, questions
from bot.types import Kind
from knowledge_base.types import Faq, Language, Progress, Status
from web.api.faq_forms import FaqIn, Id, Phrasing, Phrasings, knowledge_of
from web.api.rules import TheDesk, needs
from web.api.the_log import log_of
from web.desk import Desk
from web.problems import MOST_BODY
from web.staff.sessions import Session

router = APIRouter(tags=["faqs"], max_body_size=MOST_BODY)


class DraftIn(BaseModel):
    """What stands in the editor so far."""

    model_config = ConfigDict(extra="forbid")

    id: Id = ""
    question: Phrasing
    language: Language
    similar: Phrasings = []
    never: Phrasings = []


class WarningOut(BaseModel):
    """One clash: own (it refuses its own phrasing), same, refused (by another FAQ), near (another answers it)."""

    clash: Clash
    phrasing: str
    faq_id: str
    question: str


class ImpactIn(FaqIn):
    """An FAQ as it would be published; `removed`: as if it were not there."""

    removed: bool = False
    status: Status = "published"


class OutcomeOut(BaseModel):
    """What is answered. `kind` "clarify": the text has the questions offered, one in each line."""

    kind: Kind
    text: str
    source_id: str
    title: str


class ChangeOut(BaseModel):
    """A question that would be answered otherwise."""

    origin: Literal["logged", "golden"]
    question: str
    language: Language
    before: OutcomeOut
    after: OutcomeOut


class ImpactOut(BaseModel):
    """The changes among the questions looked at."""

    logged: int
    golden: int
    changes: list[ChangeOut]


@router.post("/faqs/check")
def check_faq(body: DraftIn, desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]) -> list[WarningOut]:
    """Duplicates and conflicts of a draft, at most 20."""
    similar, never = tuple(body.similar), tuple(body.never)
    draft = Faq(body.id, body.question, "", body.language, similar, never)
    found = warnings(knowledge_of(desk), desk.bot.calibration, draft)
    return [WarningOut(**asdict(one)) for one in found]


@router.post("/faqs/impact")
def faq_impact(body: ImpactIn, desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]) -> ImpactOut:
    """Which of the newest 200 questions of customers, and of the golden ones, would get another answer."""
    found = impact_of(desk, body.faq(), body.removed)
    return ImpactOut(logged=found.logged, golden=found.golden, changes=[_change(asdict(one)) for one in found.changes])


def impact_of(desk: Desk, faq: Faq, removed: bool = False, progress: Progress | None = None) -> Impact:
    """The impact of publishing an FAQ, or of removing it."""
    return impact(knowledge_of(desk), desk.bot.calibration, questions(log_of(desk)), faq, removed, progress)


def _change(values: dict[str, Any]) -> ChangeOut:
    asked = values["asked"]
    return ChangeOut(
        origin=asked["origin"],
        question=asked["query"],
        language=asked["language"],
        before=OutcomeOut(**values["before"]),
        after=OutcomeOut(**values["after"]),
    )
