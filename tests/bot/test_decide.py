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
    decision = decide([hit], "说明书 › 除垢", "zh", calibration)
    assert (decision.kind, decision.confidence, decision.hits) == ("grounded", 1.0, (hit,))


def test_only_questions_are_asked_back(faq: Any, passage: MakePassage, calibration: Calibration) -> None:
    section = Hit(passage("原文。", title="说明书", headings=("除垢",)), 0.49, keyword=0.4)
    decision = decide([faq("甲？", 0.5), section, faq("乙？", 0.48)], "问", "zh", replace(calibration, near=0.1))
    assert (decision.kind, decision.options) == ("clarify", ("甲？", "乙？"))
