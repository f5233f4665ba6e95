"""Whether a question's words stand in one sentence: shares by hand, what is lowered, and the search that uses it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base import proximity
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.proximity import Proximity, by_proximity
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq, Hit, Language, Passage, SourceKind
from tests.fakes import HashEncoder

AT = datetime.now(UTC)
TOGETHER = "Fill it with water. Clean the filter of the kettle each month. Never boil it dry."


def passage(
    text: str, headings: tuple[str, ...] = (), kind: SourceKind = "document", language: Language = "en"
) -> Passage:
    return Passage(1, kind, text[:20], "Manual", headings, text, language, 1, AT)


def test_only_what_stands_in_one_sentence_counts() -> None:
    weights = {"filter": 2.0, "clean": 1.0, "kettl": 1.0}
    apart = passage("Clean it daily. The filter is behind the lid. The kettle is of steel.")
    beside = passage("Boil water first. Clean the filter each month.")
    assert Proximity().shares(weights, [apart, beside, passage("Nothing of it.")]) == [0.5, 0.75, 0.0]


def test_the_path_belongs_to_each_sentence() -> None:
    weights = {"filter": 2.0, "clean": 1.0, "kettl": 1.0}
    shares = Proximity().shares(weights, [passage("Clean the filter each month.", headings=("The kettle",))])
    assert shares == [1.0]


def test_chinese_words_count_alike() -> None:
    weights = {"滤网": 2.0, "清洗": 1.0, "水壶": 1.0}
    text = "水壶是不锈钢的。每个月清洗一次滤网。"
    assert Proximity().shares(weights, [passage(text, language="zh")]) == [0.75]


def test_without_words_or_sentences_the_share_is_0() -> None:
    assert Proximity().shares({}, [passage("Clean it.")]) == [0.0]
    assert Proximity().shares({"clean": 1.0}, [passage("")]) == [0.0]


def test_only_documents_in_the_language_are_looked_at() -> None:
    found = [
        Hit(passage("Clean it.", kind="faq"), 0.9),
        Hit(passage("Clean the filter."), 0.8),
        Hit(passage("清洗滤网。", language="zh"), 0.7),
        Hit(passage("Clean it."), 0.6),
    ]
    looked = Proximity().look({"clean": 1.0, "filter": 1.0}, found, "en")
    assert [hit.proximity for hit in looked] == [None, 1.0, None, 0.5]
    assert [hit.score for hit in looked] == [0.9, 0.8, 0.7, 0.6]


hits = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["faq", "document"]), st.sampled_from(["zh", "en"])),
    max_size=8,
)


@given(hits, st.floats(0, 1))
def test_documents_in_the_language_fall_by_what_they_lack(
    drawn: list[tuple[float, float, SourceKind, Language]], weight: float
) -> None:
    told = {str(n): share for n, (_, share, kind, own) in enumerate(drawn) if (kind, own) == ("document", "zh")}
    found = [
        Hit(passage(str(n), kind=kind, language=own), score, proximity=told.get(str(n)))
        for n, (score, _, kind, own) in enumerate(drawn)
    ]
    ranked = by_proximity(found, weight)
    assert sorted(ranked, key=lambda hit: -hit.score) == ranked
    assert {hit.passage.text for hit in ranked} == {hit.passage.text for hit in found}
    for hit in ranked:
        share, before = told.get(hit.passage.text), drawn[int(hit.passage.text)][0]
        assert hit.proximity == share
        lack = 0.0 if share is None else weight * (max(told.values()) - share)
        assert hit.score == pytest.approx(max(0.0, before - lack))


@pytest.fixture
def looking(knowledge: KnowledgeBase, encoder: HashEncoder) -> KnowledgeBase:
    """A knowledge base that looks twice, and lets the second look at sentences decide."""
    retrieval = knowledge.searching.retrieval
    weights = replace(retrieval.weights, proximity=0.5, rerank=0.0)
    knowledge.searching.retrieval = Retrieval(encoder, weights, LateInteractionReranker(encoder))
    return knowledge


def test_a_search_prefers_the_document_that_holds_the_words_together(looking: KnowledgeBase) -> None:
    scattered = "Replace the lamp. A filter is sold apart. The kettle is of steel. Each month dust it. Clean hands."
    looking.put([Document("apart", "One", scattered, "en"), Document("beside", "Two", TOGETHER, "en")])
    hits = looking.search("clean the kettle filter each month", "en")
    assert [hit.passage.source_id for hit in hits] == ["beside", "apart"]
    assert hits[0].proximity is not None and hits[1].proximity is not None
    assert hits[0].proximity > 0.9 > hits[1].proximity


def test_across_languages_nothing_is_said(looking: KnowledgeBase) -> None:
    looking.put([Document("beside", "Two", TOGETHER, "en")])
    assert looking.search("多久清洗一次滤网", "zh")[0].proximity is None


def test_documents_are_cut_into_words_beforehand(looking: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    looking.put([Document("beside", "Two", TOGETHER, "en")])
    looking.put_faqs([Faq("open.en", "When are you open?", "From nine to five.", "en")])
    steps = len(list(looking.prepare()))
    assert steps == 3  # both are read closely, and the document is cut into words
    assert list(looking.prepare()) == []
    monkeypatch.setattr(proximity, "sentences", pytest.fail)
    assert looking.search("clean the kettle filter each month", "en")[0].proximity is not None
