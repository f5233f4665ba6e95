"""Documents over HTTP: the list, upload and replace in place, trash, deletion for good. Knows no page."""

from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, cast

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from sqlalchemy import func, select

from bot.tables import answer_source
from knowledge_base.document_list import DocumentRow, Wanted
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.source import Unreadable, readable
from knowledge_base.types import LONGEST_ID, Progress, Put
from web.api.document_bodies import (
    CutOut,
    CutPage,
    CutsListed,
    DocumentOut,
    DocumentPage,
    DocumentText,
    Listed,
    PutOut,
    ReceiptOut,
)
from web.api.rules import TheDesk, needs
from web.desk import Desk
from web.problems import MOST_UPLOADED, ApiError
from web.staff.sessions import Session
from web.uploads import MOST_BYTES, Job, kept, load_into, long_job

router = APIRouter(tags=["documents"], max_body_size=MOST_UPLOADED["/api/documents"])
DocumentId = Annotated[str, Path(min_length=1, max_length=LONGEST_ID)]
Reader = Annotated[Session, needs("knowledge.read")]
Writer = Annotated[Session, needs("knowledge.write")]
_CHUNK = 1_048_576


@router.get("/documents")
def list_documents(desk: TheDesk, session: Reader, listed: Annotated[Listed, Query()]) -> DocumentPage:
    """Documents outside the trash."""
    return page_of(desk, listed)


@router.get("/trash")
def list_trash(desk: TheDesk, session: Reader, listed: Annotated[Listed, Query()]) -> DocumentPage:
    """Documents in the trash."""
    return page_of(desk, listed, trashed=True)


@router.post("/documents")
async def add_document(
    desk: TheDesk,
    session: Writer,
    file: Annotated[UploadFile, File()],
    id: Annotated[str, Form(max_length=LONGEST_ID)] = "",
) -> PutOut:
    """Read a file into the knowledge base. id: of the document to replace or make; else the file's name."""
    if (file.size or 0) > MOST_BYTES:
        raise ApiError(413, f"the file has more than {MOST_BYTES // 1_000_000} MB; split it", "too_large")
    with kept(file.filename or "") as path:
        with path.open("wb") as target:
            while part := await file.read(_CHUNK):
                target.write(part)
        return PutOut.model_validate(await long_job(stored_file, desk, session, path, id))


@router.get("/documents/{document_id:path}")
def get_document(document_id: DocumentId, desk: TheDesk, session: Reader) -> DocumentText:
    """A document with its text; also one in the trash."""
    return document_of(desk, document_id)


@router.get("/passages/{document_id:path}")
def list_passages(
    document_id: DocumentId, desk: TheDesk, session: Reader, listed: Annotated[CutsListed, Query()]
) -> CutPage:
    """A document's passages, in its order."""
    return cuts_of(desk, document_id, listed)


@router.delete("/documents/{document_id:path}", status_code=204)
def trash_document(document_id: DocumentId, desk: TheDesk, session: Writer) -> None:
    """Put a document into the trash: it is answered from no more, and can be restored."""
    if not trashed(desk, session, [document_id]):
        raise _unknown(document_id)


@router.post("/trash/{document_id:path}")
async def restore_document(document_id: DocumentId, desk: TheDesk, session: Writer) -> PutOut:
    """Take a document out of the trash."""
    return PutOut.model_validate(await long_job(restored, desk, session, document_id))


@router.delete("/trash/{document_id:path}")
async def erase_document(document_id: DocumentId, desk: TheDesk, session: Writer) -> ReceiptOut:
    """Delete a document of the trash for good, with all its earlier versions. Answers the receipt."""
    return await long_job(erased, desk, session, document_id)


def knowledge_of(desk: Desk) -> KnowledgeBase:
    """The bot's knowledge base. Raises Closed."""
    return cast(KnowledgeBase, desk.bot.knowledge)


def page_of(desk: Desk, listed: Listed, trashed: bool = False) -> DocumentPage:
    """A page of the list, of the trash if so."""
    wanted = Wanted(listed.q, listed.language, trashed, listed.sort)
    rows, total = knowledge_of(desk).library.list.page(wanted, listed.limit, listed.offset)
    return DocumentPage(total=total, items=[DocumentOut.model_validate(asdict(row)) for row in rows])


def found_row(desk: Desk, document_id: str) -> DocumentRow:
    """A document's line. Raises ApiError when there is none."""
    row = knowledge_of(desk).library.list.row(document_id)
    if row is None:
        raise _unknown(document_id)
    return row


def document_of(desk: Desk, document_id: str) -> DocumentText:
    """A document with its text, also one in the trash. Raises ApiError when there is none."""
    row = found_row(desk, document_id)
    document = knowledge_of(desk).library.list.document(document_id, trashed=row.trashed is not None)
    if document is None:
        raise _unknown(document_id)
    return DocumentText(**asdict(row), text=document.text)


def cuts_of(desk: Desk, document_id: str, listed: CutsListed) -> CutPage:
    """A document's passages, in its order. Raises ApiError when there is no such document."""
    found_row(desk, document_id)
    cuts, total = knowledge_of(desk).library.list.passages(document_id, listed.limit, listed.offset)
    return CutPage(total=total, items=[CutOut.model_validate(asdict(cut)) for cut in cuts])


def stored_file(desk: Desk, session: Session, path: FilePath, document_id: str = "", job: Job | None = None) -> Put:
    """Read a file into the knowledge base and note it. Raises ApiError, or Cancelled when the job says so."""
    knowledge = knowledge_of(desk)
    document_id = readable(document_id).strip() or readable(path.name)
    before = knowledge.library.list.row(document_id)
    try:
        put = load_into(knowledge, path, document_id, job or Job(path.name))
    except Unreadable as problem:
        raise ApiError(422, str(problem), "unreadable") from problem
    if put.outcome in ("added", "changed"):
        after = {"version": found_row(desk, put.id).version, "passages": put.passages, "encoded": put.encoded}
        old = {"version": before.version, "passages": before.passages} if before else None
        desk.access.audit.note(session.staff.name, f"document.{'change' if before else 'add'}", put.id, old, after)
    return put


def trashed(desk: Desk, session: Session, ids: list[str]) -> list[str]:
    """Put documents into the trash and note it; returns those that were there."""
    gone = knowledge_of(desk).library.trash(ids)
    for document_id in gone:
        desk.access.audit.note(session.staff.name, "document.trash", document_id)
    return gone


def restored(desk: Desk, session: Session, document_id: str, encoded: Progress | None = None) -> Put:
    """Take a document out of the trash and note it. Raises ApiError."""
    knowledge = knowledge_of(desk)
    document = knowledge.library.list.document(document_id, trashed=True)
    if document is None:
        raise _not_in_trash(document_id)
    put = knowledge.put([document], encoded=encoded)[0]
    if put.outcome not in ("added", "changed", "unchanged"):
        raise ApiError(409, f"{document_id} stays in the trash: {put.detail}", "duplicate")
    desk.access.audit.note(session.staff.name, "document.restore", document_id, after={"passages": put.passages})
    return put


def erased(desk: Desk, session: Session, document_id: str, progress: Progress | None = None) -> ReceiptOut:
    """Delete a document of the trash for good, note it, and give the receipt. Raises ApiError."""
    receipt = knowledge_of(desk).library.erase(document_id, progress)
    if receipt is None:
        raise _not_in_trash(document_id)
    left = receipt.left
    shown = ReceiptOut(
        id=receipt.id,
        title=receipt.title,
        version=receipt.version,
        passages=receipt.passages,
        probed=receipt.found.probed,
        passages_found=receipt.found.passages,
        vectors_found=receipt.found.vectors,
        rows_found=left.documents + left.passages + left.revisions,
        elsewhere=list(receipt.found.elsewhere),
        answers_citing=_answers_citing(desk, document_id),
        clean=receipt.clean,
        at=receipt.at,
        staff_name=session.staff.name,
    )
    noted: dict[str, Any] = shown.model_dump(mode="json", exclude={"id", "title", "staff_name"})
    desk.access.audit.note(session.staff.name, "document.erase", document_id, after=noted)
    return shown


def _answers_citing(desk: Desk, document_id: str) -> int:
    """Logged answers that cite the document: what customers were told stays told."""
    cited = (answer_source.c.kind == "document") & (answer_source.c.source_id == document_id)
    with desk.access.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(answer_source).where(cited)).scalar() or 0)


def _unknown(document_id: str) -> ApiError:
    return ApiError(404, f"there is no document {document_id[:80]!r}", "no_such_document")


def _not_in_trash(document_id: str) -> ApiError:
    return ApiError(404, f"there is no document {document_id[:80]!r} in the trash", "not_in_trash")
