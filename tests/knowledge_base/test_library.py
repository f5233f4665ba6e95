"""Documents in the list, in the trash, back again, and gone for good with a receipt."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.document_list import Wanted
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.types import Document
from tests.fakes import HashEncoder

TERMS = Document(
    "terms.pdf",
    "Warranty",
    "# Warranty\n\nThe kettle has two years.\n\n## Filter\n\nThe filter lasts six months.",
    "en",
)
CARE = Document("保养.docx", "炒锅保养", "铁锅用完擦干，抹一层油。", "zh", "保养.docx")


def found(knowledge: KnowledgeBase, query: str) -> set[str]:
    """The documents found, without the one that always is."""
    return {hit.passage.source_id for hit in knowledge.search(query, "en")} - {CARE.id}


@pytest.fixture
def full(knowledge: KnowledgeBase) -> KnowledgeBase:
    knowledge.put([TERMS, CARE])
    return knowledge


def test_the_list_is_paged_searched_and_sorted(full: KnowledgeBase) -> None:
    full.put([Document(f"{n:02}.md", f"Page {n:02}", f"Number {n} says 100%_ok.", "en") for n in range(30)])
    rows, total = full.library.list.page(Wanted(sort="title"), limit=10, offset=10)
    assert total == 32 and [row.id for row in rows] == [f"{n:02}.md" for n in range(10, 20)]
    (row,), _ = full.library.list.page(Wanted("KETTLE"))
    assert (row.id, row.title, row.passages, row.version, row.language) == ("terms.pdf", "Warranty", 2, 1, "en")
    assert row.characters == len(TERMS.text) and row.trashed is None
    assert [row.id for row in full.library.list.page(Wanted("擦干", "zh"))[0]] == ["保养.docx"]
    assert full.library.list.page(Wanted("擦干", "en")) == ([], 0)
    assert full.library.list.page(Wanted("100%_ok"))[1] == 30 and full.library.list.page(Wanted("1%k"))[1] == 0


def test_a_document_is_shown_as_it_was_cut(full: KnowledgeBase) -> None:
    cuts, total = full.library.list.passages("terms.pdf")
    assert total == 2 and [cut.number for cut in cuts] == [1, 2]
    assert cuts[1].headings[-1] == "Filter" and "six months" in cuts[1].text
    assert cuts[1].tokens == full.encoder.count_tokens([cuts[1].text])[0]
    assert [cut.number for cut in full.library.list.passages("terms.pdf", 1, 1)[0]] == [2]
    assert full.library.list.passages("nothing") == ([], 0)


def test_what_is_in_the_trash_is_not_found_and_can_come_back(
    full: KnowledgeBase, open_knowledge: Callable[[], KnowledgeBase]
) -> None:
    other = open_knowledge()
    assert found(other, "how long does the filter last") == {"terms.pdf"}
    assert full.library.trash(["terms.pdf", "nothing"]) == ["terms.pdf"]
    assert full.library.trash(["terms.pdf"]) == []
    for knowledge in (full, other):
        assert found(knowledge, "how long does the filter last") == set()
        assert [document.id for document in knowledge.documents()] == ["保养.docx"]
        assert knowledge.document("terms.pdf") is None and "terms.pdf" in knowledge.deleted_ids()
        assert all(finding.ok for finding in knowledge.check())
    (row,), total = full.library.list.page(Wanted(trashed=True))
    assert (row.id, total, row.passages) == ("terms.pdf", 1, 0) and row.trashed is not None
    full.rebuild()
    assert found(full, "how long does the filter last") == set()

    kept = full.library.list.document("terms.pdf", trashed=True)
    assert kept is not None and full.put([kept])[0].outcome == "added"
    assert found(other, "how long does the filter last") == {"terms.pdf"}
    assert full.document("terms.pdf") == TERMS and full.library.list.page(Wanted(trashed=True))[1] == 0
    assert "terms.pdf" not in full.deleted_ids()
    row_again = full.library.list.row("terms.pdf")
    assert row_again is not None and row_again.version == 1


def test_a_new_file_of_the_same_id_takes_the_place_in_the_trash(full: KnowledgeBase) -> None:
    full.library.trash(["terms.pdf"])
    put = full.put([Document("terms.pdf", "Warranty", "The kettle has three years.", "en")])[0]
    assert put.outcome == "changed" and found(full, "how many years has the kettle") == {"terms.pdf"}
    assert full.library.list.document("terms.pdf", trashed=True) is None


def test_what_is_in_the_trash_is_no_duplicate(full: KnowledgeBase) -> None:
    full.library.trash(["terms.pdf"])
    twin = Document("copy.pdf", TERMS.title, TERMS.text, "en")
    assert full.put([twin])[0].outcome == "added"
    assert full.put([TERMS])[0].outcome == "duplicate"


def test_replacing_encodes_only_what_is_new(full: KnowledgeBase, encoder: HashEncoder) -> None:
    encoder.encoded.clear()
    seen: list[tuple[int, int]] = []
    changed = Document("terms.pdf", "Warranty", TERMS.text.replace("six months", "a year"), "en")
    put = full.put([changed], encoded=lambda done, total: seen.append((done, total)))[0]
    assert (put.outcome, put.passages, put.encoded) == ("changed", 2, 1)
    assert len(encoder.encoded) == 1 and "a year" in encoder.encoded[0]
    assert seen == [(1, 1)]


def test_giving_up_while_it_is_encoded_changes_nothing(full: KnowledgeBase) -> None:
    def give_up(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        full.put([Document("terms.pdf", "Warranty", "Something else.", "en")], encoded=give_up)
    assert full.document("terms.pdf") == TERMS


def test_for_good_leaves_nothing(
    full: KnowledgeBase, open_knowledge: Callable[[], KnowledgeBase], tmp_path: Path, database_url: str
) -> None:
    full.put([Document("terms.pdf", "Warranty", "The kettle has three long years.", "en")])
    full.library.trash(["terms.pdf"])
    assert full.library.erase("保养.docx") is None  # not in the trash
    seen: list[tuple[int, int]] = []
    receipt = full.library.erase("terms.pdf", lambda done, total: seen.append((done, total)))
    assert receipt is not None and receipt.clean
    assert (receipt.id, receipt.version, receipt.passages, receipt.found.probed) == ("terms.pdf", 2, 1, 1)
    assert seen == [(1, 1)]
    assert full.library.erase("terms.pdf") is None
    assert full.library.list.row("terms.pdf") is None and "terms.pdf" in full.deleted_ids()
    full.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("kefu.sqlite*"))
    assert ("抹一层油".encode() in kept) == database_url.startswith("sqlite")
    for text in ("three long years", "two years", "six months"):
        assert text.encode() not in kept
    assert open_knowledge().put([TERMS])[0].outcome == "changed"  # of version 3: it is not forgotten that there was one


def test_a_receipt_tells_what_is_still_there(full: KnowledgeBase) -> None:
    twin = Document("copy.md", TERMS.title, TERMS.text + "\n\n## More\n\nAnd it is red.", "en")
    full.put([twin])
    full.library.trash(["terms.pdf"])
    receipt = full.library.erase("terms.pdf")
    assert receipt is not None and receipt.clean and receipt.found.elsewhere == ("copy.md",)


def test_an_index_that_kept_something_is_found_out(
    full: KnowledgeBase, milvus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = full._indexes._backend
    keeping = (backend._collection, "forget") if milvus else (backend._dense, "remove")
    monkeypatch.setattr(*keeping, lambda ids: None)
    full.library.trash(["terms.pdf"])
    receipt = full.library.erase("terms.pdf")
    assert receipt is not None and not receipt.clean and receipt.found.passages == 2
