from datetime import UTC, datetime
from pathlib import Path

from knowledge_base.indexes import Candidate
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Hit, Passage
from tests.fakes import HashEncoder
from training.fusion import (
    PROXIMITY_GRID,
    RERANK_GRID,
    Case,
    Read,
    choose,
    choose_weight,
    fit_fusion,
    hit_at_1,
    reranked_at_1,
    together_at_1,
)


def case(golden: str, right_words: float) -> Case:
    """The right document is a little less near by meaning, and has `right_words` of the query's words."""
    right = Candidate(1, "passage", ("document", "right"), "zh", 0.88, right_words)
    wrong = Candidate(2, "passage", ("document", "wrong"), "zh", 0.90, 0.0)
    return Case(golden, "document", "zh", frozenset({"right"}), (right, wrong))


def test_hit_at_1_is_averaged_over_sets_not_questions() -> None:
    cases = [case("a", 0.5), case("b", 0.0), case("b", 0.0), case("b", 0.0)]
    assert hit_at_1(cases, "document", 0.0) == 0.0
    assert hit_at_1(cases, "document", 0.1) == 0.5
    assert hit_at_1(cases, "faq", 0.1) == 0.0


def test_of_weights_that_are_as_good_the_middle_is_chosen() -> None:
    scores = {0.0: 0.5, 0.02: 0.8, 0.04: 0.801, 0.06: 0.8, 0.08: 0.7}
    assert choose({(1.0, word): score for word, score in scores.items()}) == (1.0, 0.04)
    assert choose({(0.0, 0.1): 0.7, (0.02, 0.1): 0.8, (0.05, 0.1): 0.8, (1.0, 0.1): 0.7})[0] in (0.02, 0.05)
    assert choose({(0.03, 0.0): 0.4, (0.03, 0.3): 0.9}) == (0.03, 0.3)


def test_a_clause_can_bring_the_right_faq_first_or_the_wrong_one() -> None:
    clause = Candidate(1, "clause", ("faq", "right"), "zh", 0.95, 0.0)
    whole = Candidate(2, "question", ("faq", "wrong"), "zh", 0.90, 0.0)
    cases = [Case("a", "faq", "zh", frozenset({"right"}), (clause, whole))]
    assert hit_at_1(cases, "faq", 0.0, 0.03) == 1.0
    assert hit_at_1(cases, "faq", 0.0, 1.0) == 0.0


def hit(source: str, score: float, read: float | None, together: float | None = None) -> Hit:
    passage = Passage(1, "document", source, source, (), "", "zh", 1, datetime.now(UTC))
    return Hit(passage, score, rerank=read, proximity=together)


def test_the_reranker_counts_by_its_weight() -> None:
    hits = (hit("wrong", 0.9, 0.5), hit("right", 0.8, 0.9), hit("unread", 0.7, None))
    reads = [Read("a", "q", frozenset({"right"}), hits), Read("b", "q", frozenset({"wrong"}), hits[:1])]
    assert reranked_at_1(reads, 0.0) == 0.5
    assert reranked_at_1(reads, 0.5) == 1.0
    assert choose_weight({0.0: 0.5, 0.1: 0.8, 0.2: 0.802, 0.3: 0.801, 0.5: 0.6}) == 0.2


def test_words_in_one_sentence_count_by_their_weight() -> None:
    told = Read("a", "q", frozenset({"right"}), (hit("wrong", 0.9, None, 0.3), hit("right", 0.85, None, 0.8)))
    untold = Read("b", "q", frozenset({"right"}), (hit("wrong", 0.9, None), hit("right", 0.85, None)))
    assert together_at_1([told, untold], 0.0) == 0.0
    assert together_at_1([told, untold], 0.2) == 1.0


def test_the_file_says_what_it_was_fitted_to(folder: Path, tmp_path: Path, encoder: HashEncoder) -> None:
    retrieval = Retrieval(encoder, reranker=LateInteractionReranker(encoder))
    content = fit_fusion([folder], tmp_path / "work", retrieval, lambda done, total: None)
    assert content["fitted_on"] == ["shop"]
    assert content["encoder"] == encoder.files_sha256
    assert content["rerank"] in RERANK_GRID
    assert content["proximity"] in PROXIMITY_GRID
    assert content["hit@1"]["rerank"]["with"] >= content["hit@1"]["rerank"]["without"]
    assert content["hit@1"]["faq"]["with"] >= content["hit@1"]["faq"]["without"]
    assert set(content["other_language"].values()) == {0.0}
