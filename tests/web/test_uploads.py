"""A file on its way into the knowledge base can be watched and given up; nothing is changed by one given up."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from knowledge_base.assemble import open_in
from knowledge_base.convert import Cancelled
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Progress, Vectors
from tests.fakes import HashEncoder
from web.uploads import Job, kept, load_into


class Watched(HashEncoder):
    """Encodes one text after another; the job may be told to stop after the first."""

    job: Job | None = None

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        if progress:
            progress(1, len(texts))
            if self.job:
                self.job.stop = True
        return super().encode_passages(texts, progress)


@pytest.fixture
def encoder() -> Watched:
    return Watched()


@pytest.fixture
def knowledge(tmp_path: Path, encoder: Watched) -> Iterator[KnowledgeBase]:
    made = open_in(tmp_path, Retrieval(encoder))
    yield made
    made.close()


def test_a_job_tells_how_far_it_is(knowledge: KnowledgeBase) -> None:
    job = Job("terms.md")
    with kept("../terms.md") as path:
        assert path.name == "terms.md"
        path.write_text("# One\n\nText.\n\n# Two\n\nMore.", "utf-8")
        assert job.stage == "waiting"
        put = load_into(knowledge, path, "terms", job)
    assert (job.stage, job.done, job.total, job.put) == ("encoding", 2, 2, put)
    assert put.passages == 2 and not path.parent.exists()


def test_one_that_is_given_up_changes_nothing(knowledge: KnowledgeBase, encoder: Watched) -> None:
    with kept("terms.md") as path:
        path.write_text("# One\n\nText.\n\n# Two\n\nMore.", "utf-8")
        with pytest.raises(Cancelled):
            load_into(knowledge, path, "terms", Job("terms.md", stop=True))
        job = encoder.job = Job("terms.md")
        with pytest.raises(Cancelled):
            load_into(knowledge, path, "terms", job)
    assert (job.stage, job.done, job.total) == ("encoding", 1, 2)
    assert knowledge.documents() == [] and knowledge.is_empty
