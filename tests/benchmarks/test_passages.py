"""Passages in bulk: a knowledge base takes them for what it would have stored itself; questions are never repeated."""

from pathlib import Path

from benchmarks.list_recall import texts
from benchmarks.passages import RandomPassages, questions, store_passages
from knowledge_base.assemble import open_in
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder


def test_what_is_stored_in_bulk_is_whole_and_found(tmp_path: Path) -> None:
    encoder = HashEncoder()
    store_passages(tmp_path, 30, encoder)
    knowledge = open_in(tmp_path, Retrieval(encoder))
    wrong = {finding.check for finding in knowledge.check() if not finding.ok}
    document = knowledge.document("d7")
    assert document is not None and len(knowledge.documents()) == 30 and not knowledge.needs_encoding()
    hits = knowledge.search(document.text, "en", 3)
    assert hits[0].passage.source_id == "d7"
    knowledge.close()
    assert wrong == {"encoder"}  # the vectors are random ones


def test_random_passages_are_unit_vectors() -> None:
    rows = RandomPassages(HashEncoder()).encode_passages(["a", "b"])
    assert rows.shape[0] == 2 and abs(float((rows[0] ** 2).sum()) - 1) < 1e-5


def test_questions_differ_beyond_those_that_there_are() -> None:
    asked = questions(9_500)
    assert len(set(asked)) == len(asked) == 9_500


def test_what_is_asked_is_not_what_is_stored() -> None:
    stored, asked = texts(500, 50)
    assert len(stored) == 500 and 50 <= len(asked) and not {*stored} & {*asked}
