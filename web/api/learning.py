"""Learning over HTTP: examples to review, rounds to start and stop, releases to judge and promote. Knows no page.

The work is done by other processes; see web/learning.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from bot.examples import Example, Examples, Status
from bot.lessons import lessons, used_by
from bot.releases import Releases
from web.api.learning_forms import (
    CollectIn,
    Counts,
    Decision,
    ExampleOut,
    ExamplePage,
    LessonOut,
    LossPoint,
    RoundIn,
    RoundOut,
)
from web.api.rules import TheDesk, needs
from web.cleaning import clean
from web.desk import Desk
from web.learning import Clash, RoundState
from web.problems import MOST_BODY, ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["learning"], prefix="/learning", max_body_size=MOST_BODY)
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
ExampleId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Corrector = Annotated[Session, needs("conversations.correct")]
Trainer = Annotated[Session, needs("training.use")]
_RESERVED = ("default", "current")  # the release that ships, and the pointer


@router.get("/examples")
def list_examples(
    desk: TheDesk,
    session: Corrector,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> ExamplePage:
    """Examples found in the log, newest first."""
    return examples_page(desk, status, limit, offset)


@router.post("/examples/{example_id}")
def decide_example(example_id: ExampleId, body: Decision, desk: TheDesk, session: Corrector) -> ExampleOut:
    """Approve or reject an example, in other words if given; "new" puts it back."""
    return decided(desk, session, example_id, body)


@router.get("/counts")
def get_counts(desk: TheDesk, session: Corrector) -> Counts:
    """How many examples there are, and what they are enough to train."""
    return counts(desk)


@router.post("/collect", status_code=202)
def collect_examples(body: CollectIn, desk: TheDesk, session: Corrector) -> None:
    """Look for new examples in the log; `collecting` of the counts tells when it is done."""
    collect(desk, session)


@router.get("/rounds")
def list_rounds(desk: TheDesk, session: Trainer) -> list[RoundOut]:
    """All rounds, newest first."""
    return rounds(desk)


@router.post("/rounds", status_code=202)
def start_round(body: RoundIn, desk: TheDesk, session: Trainer) -> RoundOut:
    """Begin a round in a process of its own."""
    return started(desk, session, body)


@router.get("/rounds/{name}")
def get_round(name: Name, desk: TheDesk, session: Trainer) -> RoundOut:
    """One round."""
    return one_round(desk, name)


@router.get("/rounds/{name}/log")
def get_log(name: Name, desk: TheDesk, session: Trainer) -> str:
    """The end of what its process said."""
    one_round(desk, name)
    return desk.learning.log(name)


@router.post("/rounds/{name}/stop", status_code=202)
def stop_round(name: Name, desk: TheDesk, session: Trainer) -> None:
    """Stop it; it can go on later."""
    stopped(desk, session, name)


@router.post("/rounds/{name}/resume", status_code=202)
def resume_round(name: Name, desk: TheDesk, session: Trainer) -> RoundOut:
    """Go on with a round that was stopped or has failed."""
    return resumed(desk, session, name)


def examples_page(desk: Desk, status: Status | None, limit: int, offset: int = 0) -> ExamplePage:
    """A page of the list."""
    found, total = _examples(desk).page(status, limit, offset)
    return ExamplePage(total=total, items=[_out(one) for one in found])


def some_examples(desk: Desk, ids: Collection[str]) -> dict[str, ExampleOut]:
    """Those of these ids that there still are."""
    return {id: _out(one) for id, one in _examples(desk).some(ids).items()}


def decided(desk: Desk, session: Session, example_id: str, body: Decision) -> ExampleOut:
    """Decide, and note it: never the words, which were a customer's. Raises ApiError."""
    words = {name: text for name in ("question", "answer") if (text := getattr(body, name)) is not None}
    cleaned = {name: clean(text) for name, text in words.items()}
    if not all(cleaned.values()):
        raise ApiError(400, "an example needs a question and an answer", "no_words")
    found = _examples(desk).decide(example_id, body.status, session.staff.name, **cleaned, sure=body.sure)
    if found is None:
        raise ApiError(404, "there is no such example", "no_such_example")
    before, after = found
    changed = ({"edited": sorted(cleaned)} if cleaned else {}) | ({"sure": True} if after.sure else {})
    was, is_now = {"status": before.status}, {"status": after.status, **changed}
    desk.access.audit.note(session.staff.name, "example.decide", example_id, was, is_now)
    return _out(after)


def counts(desk: Desk) -> Counts:
    """What there is, and what it is enough for."""
    found = _examples(desk).counts()
    current = Releases(desk.settings.data / "releases").current()
    told = [
        LessonOut(
            part=one.part,
            train=one.train,
            have=one.have,
            fewest=one.fewest,
            name={"zh": one.name("zh"), "en": one.name("en")},
            why={"zh": one.sentence("zh"), "en": one.sentence("en")},
        )
        for one in lessons(found["approved"], used_by(current, desk.settings.encoder))
    ]
    busy, failed = desk.learning.busy("collect"), desk.learning.failed("collect")
    return Counts(**found, lessons=told, collecting=busy, failed=failed)


def collect(desk: Desk, session: Session) -> None:
    """Begin to look for examples. Raises ApiError while somebody does."""
    with no_clash():
        desk.learning.begin("collect", ["dataset", "collect"])
    desk.access.audit.note(session.staff.name, "example.collect", "examples")


def rounds(desk: Desk) -> list[RoundOut]:
    """All rounds, newest first."""
    return [_round(one) for one in desk.learning.rounds()]


def one_round(desk: Desk, name: str) -> RoundOut:
    """One round. Raises ApiError for none."""
    if (found := desk.learning.round(name)) is None:
        raise ApiError(404, f"there is no round {name!r}", "no_such_round")
    return _round(found)


def started(desk: Desk, session: Session, body: RoundIn) -> RoundOut:
    """Begin a round. Raises ApiError for a name that is taken, and while another runs."""
    name = body.name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    taken = {*Releases(desk.settings.data / "releases").names(), *_RESERVED}
    if name in taken or desk.learning.round(name) is not None:
        raise ApiError(409, f"there is a round or a release {name!r} already", "round_name_taken")
    with no_clash():
        desk.learning.start(name, body.only)
    desk.access.audit.note(session.staff.name, "round.start", name, after={"only": body.only})
    return one_round(desk, name)


def stopped(desk: Desk, session: Session, name: str) -> None:
    """Stop a round. Raises ApiError."""
    one_round(desk, name)
    with no_clash():
        desk.learning.stop(name)
    desk.access.audit.note(session.staff.name, "round.stop", name)


def resumed(desk: Desk, session: Session, name: str) -> RoundOut:
    """Go on with a round. Raises ApiError for one that has ended."""
    found = one_round(desk, name)
    if found.state in ("passed", "refused"):
        raise ApiError(409, f"the round {name!r} has ended", "round_ended")
    with no_clash():
        desk.learning.start(name, "calibration" if found.only == "calibration" else "auto")
    desk.access.audit.note(session.staff.name, "round.resume", name)
    return one_round(desk, name)


@contextmanager
def no_clash() -> Iterator[None]:
    """Turns a clash of two works into the API's error."""
    try:
        yield
    except Clash as clash:
        raise ApiError(409, str(clash), clash.code) from clash


def _examples(desk: Desk) -> Examples:
    return Examples(desk.access.engine)


def _out(example: Example) -> ExampleOut:
    return ExampleOut(**{name: getattr(example, name) for name in ExampleOut.model_fields})


def _round(state: RoundState) -> RoundOut:
    told, at = state.progress, {"step": "", "done": 0, "total": 0, "seconds_left": None, "loss": []}
    if told:
        at = {name: getattr(told, name) for name in at} | {
            "loss": [LossPoint(part=part, step=step, loss=loss) for part, step, loss in told.loss]
        }
    results = {name: step["result"] for name, step in state.steps.items()}
    fields = {name: getattr(state, name) for name in ("name", "state", "began", "error")}
    return RoundOut.model_validate(fields | at | {"only": state.wanted, "steps": results})
