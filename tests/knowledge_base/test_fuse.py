import json
from dataclasses import replace
from pathlib import Path

import knowledge_base
from knowledge_base.fuse import Weights, fuse, read_weights
from knowledge_base.indexes import Candidate
from knowledge_base.types import Language

WEIGHTS = Weights({"faq": 0.1, "document": 0.2}, {"faq": 0.0, "document": 0.0})


def faq(id: int, source: str, dense: float, keyword: float = 0.0, role: str = "question", language: Language = "zh"):
    return Candidate(id, role, ("faq", source), language, dense, keyword)


def ids(*candidates: Candidate, language: Language = "zh", exact: tuple[int, ...] = ()) -> list[int]:
    return [scored.id for scored in fuse(candidates, language, frozenset(exact), WEIGHTS)]


def test_words_break_a_tie_of_meaning() -> None:
    assert ids(faq(1, "a", 0.90), faq(2, "b", 0.89, keyword=0.5)) == [2, 1]


def test_words_do_not_count_across_languages() -> None:
    assert ids(faq(1, "a", 0.90, language="en"), faq(2, "b", 0.89, keyword=0.9, language="en")) == [1, 2]


def test_an_exact_phrasing_comes_first() -> None:
    assert ids(faq(1, "a", 0.99, 1.0), faq(2, "b", 0.5), exact=(2,)) == [2, 1]


def test_of_two_exact_phrasings_the_customers_language_comes_first() -> None:
    twins = (faq(1, "en", 0.9, language="en"), faq(2, "zh", 0.9))
    assert ids(*twins, exact=(1, 2))[0] == 2
    assert ids(*twins, language="en", exact=(1, 2))[0] == 1


def test_an_faq_comes_once_by_its_best_phrasing() -> None:
    assert ids(faq(1, "a", 0.8), faq(2, "a", 0.9), faq(3, "b", 0.7)) == [2, 3]


def test_passages_of_one_document_stay_apart() -> None:
    passages = [Candidate(i, "passage", ("document", "d"), "zh", 0.9 - i / 10, 0.0) for i in (1, 2)]
    assert ids(*passages) == [1, 2]


def test_a_nearer_phrasing_to_refuse_takes_its_faq_out() -> None:
    refuse = faq(3, "a", 0.95, role="never")
    assert ids(faq(1, "a", 0.9), refuse, faq(2, "b", 0.5)) == [2]
    assert ids(faq(1, "a", 0.97), refuse, faq(2, "b", 0.5)) == [1, 2]


def test_no_faq_however_it_is_named_takes_passages_out() -> None:
    passage = Candidate(2, "passage", ("document", "d"), "zh", 0.5, 0.0)
    for name in (".zh", "document/d", "None"):
        assert ids(faq(1, name, 0.9), faq(3, name, 0.95, role="never"), passage) == [2]


def test_a_clause_counts_less_than_a_whole_phrasing() -> None:
    less = replace(WEIGHTS, clause=0.05)
    clause, whole = faq(1, "a", 0.93, role="clause"), faq(2, "b", 0.9)
    assert [s.id for s in fuse([clause, whole], "zh", frozenset(), less)] == [2, 1]
    assert [s.id for s in fuse([replace(clause, dense=0.96), whole], "zh", frozenset(), less)] == [1, 2]


def test_scores_stay_within_one_and_fall() -> None:
    scores = [s.score for s in fuse([faq(1, "a", 1.0, 1.0), faq(2, "b", 0.9)], "zh", frozenset(), WEIGHTS)]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 1


def test_the_weights_that_ship_say_on_what_they_were_fitted() -> None:
    stored = json.loads(Path(knowledge_base.__file__).with_name("fusion.json").read_text("utf8"))
    assert stored["fitted_on"] and stored["command"]
    assert read_weights().same_language["faq"] == stored["same_language"]["faq"]
