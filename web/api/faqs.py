"""FAQs over HTTP: list, read, write, delete, look back, restore, change many. Knows no page and no file."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from knowledge_base.faq_list import FaqFilter, StoredFaq
from knowledge_base.faq_row import row_of
from knowledge_base.faq_writes import Conflict
from knowledge_base.revisions import Revision, faq_of_content
from knowledge_base.types import LONGEST_ID, Faq
from web.api.faq_forms import (
    Bulk,
    BulkDone,
    FaqChange,
    FaqConflict,
    FaqIn,
    FaqOut,
    FaqPage,
    History,
    Listing,
    Version,
    VersionOut,
    editing_of,
    faq_out,
    noted,
)
from web.api.rules import TheDesk, needs
from web.cleaning import clean
from web.desk import Desk
from web.problems import MOST_BODY, ApiError
from web.staff.sessions import Session

router = APIRouter(tags=["faqs"], max_body_size=MOST_BODY)
FaqId = Annotated[str, Path(min_length=1, max_length=LONGEST_ID)]
_VERSIONS = 200  # shown of one FAQ's history


@router.get("/faqs")
def list_faqs(
    listing: Annotated[Listing, Query()], desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]
) -> FaqPage:
    """The FAQs, a page at a time."""
    found, total = listed(desk, listing)
    categories = editing_of(desk).list.categories()
    return FaqPage(total=total, items=[faq_out(one) for one in found], categories=categories)


@router.post("/faqs", status_code=201)
def add_faq(body: FaqIn, desk: TheDesk, session: Annotated[Session, needs("knowledge.write")]) -> FaqOut:
    """Add an FAQ; 409 when there is one of that id."""
    return faq_out(saved_faq(desk, session, body.faq(), 0))


@router.get("/faqs/item/{faq_id:path}")
def get_faq(faq_id: FaqId, desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]) -> FaqOut:
    """One FAQ with its version."""
    return faq_out(known_faq(desk, faq_id))


@router.put("/faqs/item/{faq_id:path}")
def put_faq(
    faq_id: FaqId, body: FaqChange, desk: TheDesk, session: Annotated[Session, needs("knowledge.write")]
) -> FaqOut:
    """Change an FAQ; 409 with the stored text when it is no longer of the version given. The body's id is ignored."""
    return faq_out(saved_faq(desk, session, body.faq(faq_id), body.version))


@router.delete("/faqs/item/{faq_id:path}", status_code=204)
def delete_faq(
    faq_id: FaqId,
    desk: TheDesk,
    session: Annotated[Session, needs("knowledge.write")],
    version: Annotated[Version | None, Query()] = None,
) -> Response:
    """Delete an FAQ, if it still is of that version where one is given; its history stays and can be restored."""
    deleted_faq(desk, session, faq_id, version)
    return Response(status_code=204)


@router.get("/faqs/history/{faq_id:path}")
def faq_history(faq_id: FaqId, desk: TheDesk, session: Annotated[Session, needs("knowledge.read")]) -> History:
    """The newest 200 versions of an FAQ, also of a deleted one."""
    return history(desk, faq_id)


@router.post("/faqs/restore/{faq_id:path}")
def restore_faq(
    faq_id: FaqId,
    version: Annotated[Version, Query()],
    desk: TheDesk,
    session: Annotated[Session, needs("knowledge.write")],
) -> FaqOut:
    """Make an earlier version the current one, as a version of its own; also of a deleted FAQ."""
    return faq_out(restored_faq(desk, session, faq_id, version))


@router.post("/faqs/bulk")
def change_faqs(body: Bulk, desk: TheDesk, session: Annotated[Session, needs("knowledge.write")]) -> BulkDone:
    """Change or delete up to 1,000 FAQs, all or none."""
    return changed_faqs(desk, session, body)


def listed(desk: Desk, listing: Listing) -> tuple[list[StoredFaq], int]:
    """The FAQs of one page, and how many there are in all."""
    wanted = FaqFilter(
        text=clean(listing.q),
        language=listing.language,
        status=listing.status,
        category=listing.category,
        sort=listing.sort,
        descending=listing.descending,
    )
    return editing_of(desk).list.page(wanted, listing.limit, listing.offset)


def known_faq(desk: Desk, faq_id: str) -> StoredFaq:
    """The FAQ of that id. Raises ApiError."""
    stored = editing_of(desk).list.get(faq_id)
    if stored is None:
        raise ApiError(404, "there is no such FAQ", "no_such_faq")
    return stored


def saved_faq(desk: Desk, session: Session, faq: Faq, version: int, action: str = "") -> StoredFaq:
    """Write an FAQ whose editor saw `version`, 0 for a new one, and note it. Raises FaqConflict.

    action: as the audit log names it, when it is not simply an FAQ added or changed.
    """
    editing = editing_of(desk)
    before = editing.list.get(faq.id)
    try:
        new = editing.save([faq], {faq.id: version})[faq.id]
    except Conflict as conflict:
        stored = conflict.stored[faq.id]
        if stored and not version:
            raise ApiError(409, f"there is an FAQ of the id {faq.id!r} already", "faq_exists") from conflict
        raise FaqConflict(stored) from conflict
    if new != version:
        action = action or ("faq.change" if version else "faq.add")
        after = row_of(faq) | {"version": new}
        desk.access.audit.note(session.staff.name, action, faq.id, row_of(before.faq) if before else None, after)
    return known_faq(desk, faq.id)


def deleted_faq(desk: Desk, session: Session, faq_id: str, version: int | None = None) -> None:
    """Delete an FAQ and note it. Raises ApiError, or FaqConflict when it is not of that version any more."""
    before = known_faq(desk, faq_id)
    seen = before.version if version is None else version
    try:
        editing_of(desk).delete([faq_id], {faq_id: seen})
    except Conflict as conflict:
        raise FaqConflict(conflict.stored[faq_id]) from conflict
    desk.access.audit.note(session.staff.name, "faq.delete", faq_id, row_of(before.faq))


def restored_faq(desk: Desk, session: Session, faq_id: str, version: int) -> StoredFaq:
    """Make an earlier version current and note it. Raises ApiError."""
    editing = editing_of(desk)
    revision = editing.revisions.get("faq", faq_id, version)
    if revision is None:
        raise ApiError(404, f"there is no version {version} of this FAQ to go back to", "no_such_version")
    now = editing.list.get(faq_id)
    return saved_faq(desk, session, faq_of_content(revision.content), now.version if now else 0, "faq.restore")


def changed_faqs(desk: Desk, session: Session, body: Bulk) -> BulkDone:
    """Change or delete many and note it. Raises ApiError, or FaqConflict when one was changed meanwhile."""
    editing, changes = editing_of(desk), body.changes()
    if body.delete == bool(changes):
        raise ApiError(400, "say what to change, or that they are to be deleted", "nothing_to_do")
    before = editing.list.some(dict.fromkeys(body.ids))
    after = [_changed(one.faq, changes) for one in before.values()]
    seen = {id: one.version for id, one in before.items()}
    try:
        if body.delete:
            editing.delete(list(before), seen)
        else:
            editing.save(after, seen)
    except Conflict as conflict:
        raise FaqConflict(next(iter(conflict.stored.values()))) from conflict
    action = "faq.bulk_delete" if body.delete else "faq.bulk_change"
    fields = ("question",) if body.delete else tuple(changes)
    now = {} if body.delete else editing.list.some(before)
    subject = f"{len(before)} FAQs"
    desk.access.audit.note(session.staff.name, action, subject, noted(before, fields), noted(now, fields))
    return BulkDone(done=list(before), missing=[id for id in dict.fromkeys(body.ids) if id not in before])


def _changed(faq: Faq, changes: dict[str, Any]) -> Faq:
    changed = replace(faq, **changes)
    if changed.valid_from and changed.valid_until and changed.valid_until < changed.valid_from:
        raise ApiError(400, f"{faq.id}: its last day would be before its first", "faq_before_begin")
    return changed


def history(desk: Desk, faq_id: str) -> History:
    """The versions of an FAQ, newest first. Raises ApiError when there never was one of that id."""
    editing = editing_of(desk)
    now = editing.list.get(faq_id)
    before, total = editing.revisions.page("faq", faq_id, _VERSIONS)
    if now is None and not before:
        raise ApiError(404, "there is no such FAQ", "no_such_faq")
    changes, _ = desk.access.audit.page(_VERSIONS, 0, faq_id)
    who = {
        change.after["version"]: change.staff_name for change in changes if change.after and "version" in change.after
    }
    items = [_version(one, before[at + 1 : at + 2], who) for at, one in enumerate(before)]
    if now:
        current = VersionOut(
            version=now.version,
            current=True,
            action="put",
            began=now.updated,
            ended=None,
            who=who.get(now.version, ""),
            faq=row_of(now.faq),
        )
        items.insert(0, current)
    return History(total=total + bool(now), items=items)


def _version(revision: Revision, older: list[Revision], who: dict[int, str]) -> VersionOut:
    began: datetime | None = older[0].ended if older and older[0].action == "put" else None
    return VersionOut(
        version=revision.version,
        current=False,
        action=revision.action,
        began=began,
        ended=revision.ended,
        who=who.get(revision.version, ""),
        faq=row_of(faq_of_content(revision.content)),
    )
