"""FAQ files over HTTP: dry run, import, export, template. Knows no page.

An import is confirmed with the token of its dry run, which stands for the file's bytes and for the versions of the
FAQs that it would change: nothing is ever written that the dry run did not show.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from knowledge_base.faq_file import faq_bytes
from knowledge_base.faq_list import StoredFaq
from knowledge_base.faq_parse import Problem, parse
from knowledge_base.faq_row import FIELDS, row_of
from knowledge_base.faq_writes import Conflict
from knowledge_base.language import normalise
from knowledge_base.types import Faq, KnowledgeBaseError, Language, Progress
from web.api.faq_forms import (
    LONGEST_ANSWER,
    LONGEST_CATEGORY,
    LONGEST_PHRASING,
    MOST_PHRASINGS,
    Category,
    Listing,
    editing_of,
)
from web.api.faqs import listed
from web.api.rules import TheDesk, needs
from web.console.words import say
from web.desk import Desk
from web.problems import MOST_UPLOADED, ApiError
from web.staff.sessions import Session

MOST_ROWS = 50_000
MOST_BYTES = 20_000_000  # of the file; what MOST_UPLOADED has more is for the form around it
SHOWN = 100
"""Problems and changes that a dry run lists; all of them are counted."""
router = APIRouter(tags=["faqs"], max_body_size=MOST_UPLOADED["/api/faqs/import"])
Kind = Literal["csv", "xlsx", "jsonl"]
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
_PAGE = 200
_NOTED = 1_000  # ids of one import in the audit log; what each said before is in its history


class ProblemOut(BaseModel):
    """What is wrong. `row`: as the spreadsheet numbers it, 0 for the whole file."""

    row: int
    field: str
    code: str
    message: dict[Language, str]


class ReplacedOut(BaseModel):
    """An FAQ that would be changed: the fields that differ, old and new."""

    row: int
    id: str
    before: dict[str, Any]
    after: dict[str, Any]


class DryRunOut(BaseModel):
    """What an import would do. `token`: give it back to import; empty while there are problems."""

    token: str
    rows: int
    added: int
    changed: int
    unchanged: int
    problem_count: int
    problems: list[ProblemOut]
    changes: list[ReplacedOut]


class Imported(BaseModel):
    """What was done."""

    added: int
    changed: int
    unchanged: int


class Exported(BaseModel):
    """Which FAQs, in which kind of file."""

    model_config = ConfigDict(extra="forbid")

    format: Kind = "xlsx"
    q: Annotated[str, Query(max_length=200)] = ""
    language: Language | None = None
    status: Literal["draft", "review", "published"] | None = None
    category: Category = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A file that was read, beside what is stored. faqs: by row; stored: those it would replace, by id."""

    faqs: dict[int, Faq]
    stored: dict[str, StoredFaq]
    problems: tuple[Problem, ...]
    token: str

    @property
    def new(self) -> list[Faq]:
        """Those that are not stored yet."""
        return [faq for faq in self.faqs.values() if faq.id not in self.stored]

    @property
    def changed(self) -> dict[int, Faq]:
        """Those that would change a stored one, by row."""
        return {n: faq for n, faq in self.faqs.items() if faq.id in self.stored and self.stored[faq.id].faq != faq}

    def out(self) -> DryRunOut:
        """As the API tells it."""
        new, changed = len(self.new), self.changed
        return DryRunOut(
            token="" if self.problems else self.token,
            rows=len(self.faqs),
            added=new,
            changed=len(changed),
            unchanged=len(self.faqs) - new - len(changed),
            problem_count=len(self.problems),
            problems=[problem_out(one) for one in self.problems[:SHOWN]],
            changes=[_replaced(n, self.stored[faq.id].faq, faq) for n, faq in list(changed.items())[:SHOWN]],
        )


@router.post("/faqs/import/check")
def check_import(
    desk: TheDesk, session: Annotated[Session, needs("knowledge.write")], file: Annotated[UploadFile, File()]
) -> DryRunOut:
    """Read a CSV (UTF-8 or GBK), XLSX or JSONL file and say what importing it would do. Writes nothing."""
    return planned(desk, file.filename or "", file.file.read(MOST_BYTES + 1)).out()


@router.post("/faqs/import")
def import_faqs(
    desk: TheDesk,
    session: Annotated[Session, needs("knowledge.write")],
    file: Annotated[UploadFile, File()],
    token: Annotated[str, Form(max_length=64)],
) -> Imported:
    """Import the file whose dry run gave this token, all of it or nothing. 409 when something changed since."""
    plan = planned(desk, file.filename or "", file.file.read(MOST_BYTES + 1))
    if plan.token != token:
        raise ApiError(409, "the file or the FAQs have changed since the dry run; look at it again", "import_changed")
    return imported(desk, session, plan)


@router.get("/faqs/export", response_class=Response)
def export_faqs(
    wanted: Annotated[Exported, Query()], desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]
) -> Response:
    """The FAQs that the filter lets through, as a file that can be imported again."""
    filters = wanted.model_dump(exclude={"format"})
    found: list[Faq] = []
    while True:
        listing = Listing(**filters, sort="id", descending=False, limit=_PAGE, offset=len(found))
        page, _ = listed(desk, listing)
        found += [one.faq for one in page]
        if len(page) < _PAGE:
            return _file(wanted.format, found, "faqs")


@router.get("/faqs/template", response_class=Response)
def faq_template(
    session: Annotated[Session, needs("knowledge.read")], format: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx"
) -> Response:
    """A file with the columns and two rows to write over."""
    examples = [
        Faq(
            "returns.zh",
            "怎么退货？",
            "收货后 15 天内在订单页申请。",
            "zh",
            ("退货流程", "想退东西"),
            ("怎么换货",),
            "退换货",
        ),
        Faq(
            "returns.en", "How do I return an item?", "Ask on the order page within 15 days.", "en", ("return policy",)
        ),
    ]
    return _file(format, examples, "faq-template")


def planned(desk: Desk, name: str, data: bytes) -> Plan:
    """What importing a file would do. Raises ApiError for one that is too large."""
    if len(data) > MOST_BYTES:
        raise ApiError(413, f"the file has more than {MOST_BYTES // 1_000_000} MB; split it", "import_too_large")
    parsed = parse(name, data, MOST_ROWS)
    stored = editing_of(desk).list.some(faq.id for faq in parsed.faqs.values())
    problems = sorted((*parsed.problems, *_limits(parsed.faqs), *_repeated(parsed.faqs)), key=lambda one: one.row)
    seen = "\n".join(f"{id} {one.version}" for id, one in sorted(stored.items()))
    token = hashlib.sha256(hashlib.sha256(data).digest() + seen.encode()).hexdigest()
    return Plan(dict(parsed.faqs), stored, tuple(problems), token)


def imported(desk: Desk, session: Session, plan: Plan, progress: Progress | None = None) -> Imported:
    """Import what was planned, all or nothing, and note it. Raises ApiError.

    progress: (FAQs encoded, FAQs in all); what it raises ends the import, with nothing written.
    """
    if plan.problems:
        raise ApiError(400, "the file has problems; correct them first", "import_has_problems")
    new, changed = plan.new, list(plan.changed.values())
    seen = {faq.id: plan.stored[faq.id].version if faq.id in plan.stored else 0 for faq in (*new, *changed)}
    try:
        versions = editing_of(desk).save([*new, *changed], seen, progress)
    except Conflict as conflict:
        said = "some of the FAQs have changed since the dry run; nothing was imported"
        raise ApiError(409, said, "import_changed") from conflict
    done = Imported(added=len(new), changed=len(changed), unchanged=len(plan.faqs) - len(versions))
    listed = {"new": [faq.id for faq in new[:_NOTED]], "changed_ids": [faq.id for faq in changed[:_NOTED]]}
    before = {faq.id: plan.stored[faq.id].version for faq in changed[:_NOTED]}
    noted = done.model_dump() | listed
    desk.access.audit.note(session.staff.name, "faq.import", f"{len(versions)} FAQs", {"versions": before}, noted)
    return done


def problem_out(problem: Problem) -> ProblemOut:
    """A problem in both languages."""
    said: dict[Language, str] = {
        language: say("faq_import", f"wrong_{problem.code}", language, **problem.values) for language in ("zh", "en")
    }
    return ProblemOut(row=problem.row, field=problem.field, code=problem.code, message=said)


def _limits(faqs: Mapping[int, Faq]) -> list[Problem]:
    """Where a row says more than the console's editor takes."""
    found: list[Problem] = []
    for number, faq in faqs.items():
        for field, text, most in (
            ("question", faq.question, LONGEST_PHRASING),
            ("answer", faq.answer, LONGEST_ANSWER),
            ("category", faq.category, LONGEST_CATEGORY),
            *(("similar", text, LONGEST_PHRASING) for text in faq.similar),
            *(("never", text, LONGEST_PHRASING) for text in faq.never),
        ):
            if len(text) > most:
                found.append(Problem(number, field, "too_long", f"has more than {most} characters", {"most": most}))
        if max(len(faq.similar), len(faq.never)) > MOST_PHRASINGS:
            said = f"more than {MOST_PHRASINGS} phrasings"
            found.append(Problem(number, "similar", "too_many", said, {"most": MOST_PHRASINGS}))
    return found


def _repeated(faqs: Mapping[int, Faq]) -> list[Problem]:
    """Rows that ask, in the same language, what a row above asks."""
    first: dict[tuple[str, str], int] = {}
    found: list[Problem] = []
    for number, faq in faqs.items():
        above = first.setdefault((faq.language, normalise(faq.question)), number)
        if above != number:
            said = f"row {above} asks the same question"
            found.append(Problem(number, "question", "same_question", said, {"first": above}))
    return found


def _replaced(row: int, before: Faq, after: Faq) -> ReplacedOut:
    old, new = row_of(before), row_of(after)
    differ = [name for name in FIELDS if old[name] != new[name]]
    return ReplacedOut(
        row=row, id=after.id, before={name: old[name] for name in differ}, after={name: new[name] for name in differ}
    )


def _file(kind: str, faqs: Sequence[Faq], name: str) -> Response:
    try:
        content = faq_bytes(f".{kind}", faqs)
    except KnowledgeBaseError as problem:
        raise ApiError(409, str(problem), "not_exportable") from problem
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=_MEDIA[kind], headers=headers)
