"""What learning over HTTP takes and gives: pydantic models with the limits of every field. Knows no work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.examples import Status
from bot.lessons import Wanted
from knowledge_base.types import Language
from web.api.moment import Moment

Words = Annotated[str, Field(min_length=1, max_length=4_000)]


class ExampleOut(BaseModel):
    """One example; `masked` counts what personal data was taken out, by kind."""

    id: str
    conversation_id: str
    label: Literal["staff", "correction", "confirmed"]
    language: Language
    question: str
    answer: str
    source_id: str
    masked: dict[str, int]
    status: Status
    staff_name: str | None
    at: Moment
    decided: Moment | None
    sure: bool


class ExamplePage(BaseModel):
    """Some of the examples, newest first, and how many there are."""

    total: int
    items: list[ExampleOut]


class Decision(BaseModel):
    """What becomes of an example; `question` and `answer` only where the words are to be others.

    sure: its label was doubted and is right after all; only of one that is approved.
    """

    model_config = ConfigDict(extra="forbid")

    status: Status
    question: Words | None = None
    answer: Words | None = None
    sure: bool = False


class LessonOut(BaseModel):
    """Whether the examples are enough to train a part of a release, and why."""

    part: str
    train: bool
    have: int
    fewest: int
    name: dict[Language, str]
    why: dict[Language, str]


class Counts(BaseModel):
    """How many examples there are, and what they are enough for. `collecting`: the log is being read."""

    new: int
    approved: int
    rejected: int
    lessons: list[LessonOut]
    collecting: bool
    failed: str


class CollectIn(BaseModel):
    """What to look through. all: conversations of all time, as examples that are known are not kept twice."""

    model_config = ConfigDict(extra="forbid")

    all: Literal[True]


class RoundIn(BaseModel):
    """A round to begin; without a name it gets one from the time."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")] | None = None
    only: Wanted = "auto"


class LossPoint(BaseModel):
    """The loss of a part at a step of its training."""

    part: str
    step: int
    loss: float


class RoundOut(BaseModel):
    """A round, how far it is, and what its steps came to."""

    name: str
    state: Literal["running", "stopped", "failed", "passed", "refused"]
    began: Moment
    only: str
    error: str
    steps: dict[str, Any]
    step: str
    done: int
    total: int
    seconds_left: int | None
    loss: list[LossPoint]
