from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.calibration import Calibration, Threshold
from bot.decide import decide
from knowledge_base.types import Hit, Passage

MakePassage = Callable[..., Passage]


@pytest.fixture
def faq(passage: MakePassage) -> Callable[..., Hit]:
    def make(question: str, score: float, language: str = "zh", **more: Any) -> Hit:
        return Hit(passage("答案。", language, phrasing=question), score, keyword=score, **more)

    return make


@pytest.fixture
def document(passage: MakePassage) -> Callable[..., Hit]:
    def make(score: float, language: str = "zh") -> Hit:
        return Hit(passage("原文。", language), score, keyword=score)

    return make


@pytest.mark.parametrize(
    ("score", "kind"), [(0.9, "faq"), (0.6, "faq"), (0.5, "clarify"), (0.45, "clarify"), (0.2, "abstain")]
)
def test_confidence_decides_about_faqs(faq: Any, calibration: Calibration, score: float, kind: str) -> None:
    hits = [faq("甲？", score), faq("乙？", score - 0.02)]
    assert decide(hits, "问", "zh", calibration).kind == kind


@pytest.mark.parametrize(("score", "kind"), [(0.9, "grounded"), (0.5, "abstain"), (0.1, "abstain")])
def test_confidence_decides_about_documents(document: Any, calibration: Calibration, score: float, kind: str) -> None:
    assert decide([document(score)], "问", "zh", calibration).kind == kind


def test_an_exact_phrasing_is_answered_whatever_the_confidence(faq: Any, calibration: Calibration) -> None:
    hit = faq("甲？", 0.1, exact=True)
    decision = decide([hit, faq("乙？", 0.1)], "甲", "zh", calibration)
    assert (decision.kind, decision.confidence, decision.hits) == ("faq", 1.0, (hit,))


def test_nothing_found_is_abstained_from(calibration: Calibration) -> None:
    decision = decide([], "问", "zh", calibration)
    assert (decision.kind, decision.confidence, decision.options) == ("abstain", 0.0, ())


def test_faqs_that_tie_are_asked_back(faq: Any, calibration: Calibration) -> None:
    hits = [faq("甲？", 0.9), faq("乙？", 0.895), faq("丙？", 0.7)]
    decision = decide(hits, "问", "zh", replace(calibration, tie=0.01))
    assert (decision.kind, decision.options) == ("clarify", ("甲？", "乙？"))


def test_one_candidate_alone_is_not_asked_back(faq: Any, calibration: Calibration) -> None:
    decision = decide([faq("甲？", 0.5)], "问", "zh", calibration)
    assert (decision.kind, decision.options) == ("abstain", ("甲？",))


def test_abstaining_offers_two_near_questions_in_the_customer_s_language(faq: Any, calibration: Calibration) -> None:
    hits = [faq("A?", 0.3, "en"), faq("甲？", 0.3), faq("乙？", 0.2), faq("丙？", 0.2)]
    assert decide(hits, "问", "zh", calibration).options == ("甲？", "乙？")
    assert decide(hits, "q", "en", calibration).options == ("A?",)


def test_the_question_itself_and_doubles_are_not_offered(faq: Any, calibration: Calibration) -> None:
    hits = [faq("怎么退货？", 0.3), faq("乙？", 0.3), faq("乙?", 0.3)]
    assert decide(hits, "怎么退货", "zh", calibration).options == ("乙？",)


def test_evidence_is_near_the_best_and_of_its_language(document: Any, calibration: Calibration) -> None:
    hits = [document(0.9), document(0.85, "en"), document(0.8), document(0.2)]
    assert decide(hits, "问", "zh", calibration).hits == (hits[0], hits[2])


def test_each_kind_and_language_has_its_own_threshold(document: Any, calibration: Calibration) -> None:
    strict = replace(calibration, thresholds={**calibration.thresholds, "document.en": Threshold(0.99, 0.99)})
    assert decide([document(0.9)], "问", "zh", strict).kind == "grounded"
    assert decide([document(0.9, "en")], "q", "en", strict).kind == "abstain"


def test_abstaining_offers_the_sections_that_come_nearest_by_name(
    faq: Any, passage: MakePassage, calibration: Calibration
) -> None:
    section = Hit(passage("原文。", title="说明书", headings=("说明书", "除垢")), 0.4, keyword=0.4)
    loose = Hit(passage("没有标题的文字。"), 0.39, keyword=0.4)
    calibration = replace(calibration, near=0.1)
    decision = decide([section, loose, faq("乙？", 0.35), faq("丙？", 0.35)], "咖啡机有水垢", "zh", calibration)
    assert (decision.kind, decision.options) == ("abstain", ("说明书 › 除垢", "乙？"))


def test_a_section_asked_for_by_its_name_is_answered_whatever_the_confidence(
    passage: MakePassage, calibration: Calibration
) -> None:
    hit = Hit(passage("原文。", title="说明书", headings=("除垢",)), 1.0, keyword=0.0, exact=True)
    near = Hit(passage("别的原文。", title="说明书", headings=("清洗",)), 0.99, keyword=0.9)
    decision = decide([hit, near], "说明书 › 除垢", "zh", calibration)
    assert (decision.kind, decision.confidence, decision.hits) == ("grounded", 1.0, (hit,))


def test_only_questions_are_asked_back(faq: Any, passage: MakePassage, calibration: Calibration) -> None:
    section = Hit(passage("原文。", title="说明书", headings=("除垢",)), 0.49, keyword=0.4)
    decision = decide([faq("甲？", 0.5), section, faq("乙？", 0.48)], "问", "zh", replace(calibration, near=0.1))
    assert (decision.kind, decision.options) == ("clarify", ("甲？", "乙？"))


def test_at_the_threshold_it_answers_and_at_the_lower_one_it_asks_back(faq: Any, calibration: Calibration) -> None:
    half = [faq("甲？", 0.5), faq("乙？", 0.5)]  # a confidence of exactly 0.5
    answering = replace(calibration, thresholds={"faq.zh": Threshold(answer=0.5, clarify=0.1)})
    asking = replace(calibration, thresholds={"faq.zh": Threshold(answer=0.6, clarify=0.5)})
    assert decide(half, "问", "zh", answering).kind == "faq"
    assert decide(half, "问", "zh", asking).kind == "clarify"


def test_what_stands_just_as_near_as_allowed_is_offered_and_is_evidence(
    faq: Any, document: Any, calibration: Calibration
) -> None:
    near = replace(calibration, near=0.25)
    assert decide([faq("甲？", 0.25), faq("乙？", 0.0)], "问", "zh", near).options == ("甲？", "乙？")
    assert len(decide([document(0.75), document(0.5)], "问", "zh", near).hits) == 2


def test_faqs_that_differ_by_as_much_as_a_tie_or_more_are_told_apart(faq: Any, calibration: Calibration) -> None:
    apart = replace(calibration, tie=0.125)
    first, second = faq("甲？", 0.875), faq("乙？", 0.75)
    assert decide([first, second], "问", "zh", apart).hits == (first,)
    assert decide([first], "问", "zh", apart).hits == (first,)


def test_a_tie_and_a_choice_are_among_three_at_most(faq: Any, calibration: Calibration) -> None:
    sure, unsure = ([faq(f"{name}？", score) for name in "甲乙丙丁"] for score in (0.9, 0.5))
    tied = decide(sure, "问", "zh", replace(calibration, tie=0.01))
    assert (tied.kind, tied.options) == ("clarify", ("甲？", "乙？", "丙？"))
    assert decide(unsure, "问", "zh", calibration).options == ("甲？", "乙？", "丙？")


def test_no_more_than_three_passages_are_evidence(document: Any, calibration: Calibration) -> None:
    hits = [document(0.9) for _ in range(5)]
    assert decide(hits, "问", "zh", calibration).hits == tuple(hits[:3])


def test_a_document_among_the_first_is_no_faq_to_choose(faq: Any, document: Any, calibration: Calibration) -> None:
    decision = decide([faq("甲？", 0.9), document(0.9)], "问", "zh", replace(calibration, tie=0.01))
    assert decision.kind == "faq"


def test_questions_to_choose_from_are_in_the_customer_s_language(faq: Any, calibration: Calibration) -> None:
    hits = [faq("甲？", 0.5), faq("A?", 0.5, "en"), faq("乙？", 0.5)]
    assert decide(hits, "问", "zh", calibration).options == ("甲？", "乙？")


def test_confidence_is_asked_for_the_customer_s_language(faq: Any, calibration: Calibration) -> None:
    unsure_in_chinese = replace(calibration, weights={**calibration.weights, "chinese": -20.0})
    hits = [faq("A?", 0.9, "en")]
    assert decide(hits, "q", "en", unsure_in_chinese).kind == "faq"
    assert decide(hits, "问", "zh", unsure_in_chinese).kind == "abstain"


@pytest.mark.parametrize(
    ("score", "tie", "kind", "reason"),
    [
        (0.9, 0.0, "faq", "confidence 0.98, threshold 0.6"),
        (0.9, 0.5, "clarify", "confidence 0.98, threshold 0.6, but FAQs tie"),
        (0.5, 0.0, "clarify", "confidence 0.50, threshold 0.6"),
        (0.2, 0.0, "abstain", "confidence 0.05, threshold 0.6"),
    ],
)
def test_staff_are_told_the_confidence_that_decided(
    faq: Any, calibration: Calibration, score: float, tie: float, kind: str, reason: str
) -> None:
    hits = [faq("甲？", score), faq("乙？", score - 0.1)]
    decision = decide(hits, "问", "zh", replace(calibration, tie=tie))
    assert (decision.kind, decision.reason) == (kind, reason)
    assert decision.confidence == calibration.confidence(hits, "zh")


def test_staff_are_told_the_confidence_that_decided_about_documents(document: Any, calibration: Calibration) -> None:
    decision = decide([document(0.9)], "问", "zh", calibration)
    assert (decision.kind, decision.reason) == ("grounded", "confidence 0.98, threshold 0.6")
    assert decision.confidence == calibration.confidence([document(0.9)], "zh")


def test_staff_are_told_when_no_confidence_was_asked(faq: Any, document: Any, calibration: Calibration) -> None:
    named = replace(document(0.9), exact=True)
    assert decide([], "问", "zh", calibration).reason == "nothing found"
    assert decide([faq("甲？", 0.1, exact=True)], "甲", "zh", calibration).reason == "exact phrasing"
    assert decide([named], "说明", "zh", calibration).reason == "a section's name"
