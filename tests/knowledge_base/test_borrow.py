"""Vectors from another database: each once, and only those of the same encoder."""

from pathlib import Path

from knowledge_base.assemble import open_in
from knowledge_base.database import open_database
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document
from tests.fakes import HashEncoder


def test_vectors_of_the_same_encoder_are_taken_over_from_another_database(tmp_path: Path) -> None:
    texts = [Document(f"d{n}", f"Title {n}", f"Words about thing {n}.", "en") for n in range(1_200)]
    first = open_in(tmp_path / "first", Retrieval(HashEncoder()))
    first.put(texts)
    engine = open_database(f"sqlite:///{tmp_path / 'first' / 'kefu.sqlite'}")
    encoder = HashEncoder()
    second = open_in(tmp_path / "second", Retrieval(encoder))
    second.put(texts[:5])
    assert (second.borrow(engine), second.borrow(engine)) == (1_195, 0)
    other = open_in(tmp_path / "other", Retrieval(HashEncoder("another")))
    assert other.borrow(engine) == 0
    second.put(texts)
    assert len(encoder.encoded) == 5 and not second.needs_encoding()
    assert second.search("Words about thing 77.", "en", 1)[0].passage.source_id == "d77"
    for one in (first, second, other):
        one.close()
    engine.dispose()
