"""What of an FAQ is searched: its phrasings, their clauses, and the phrasings to refuse."""

from knowledge_base.entries import document_entries, faq_entries
from knowledge_base.types import Document, Faq

LIST = Faq(
    "f", "配送时间，运费怎么算；多久到", "三天内送达。", "zh", similar=("Delivery times, shipping costs and fees",)
)


def texts(faq: Faq, role: str) -> list[str]:
    return [entry.search_text for entry in faq_entries(faq) if entry.role == role]


def test_each_clause_of_a_phrasing_is_searched() -> None:
    assert texts(LIST, "question") == [LIST.question, *LIST.similar]
    assert texts(LIST, "clause") == ["配送时间", "运费怎么算", "多久到", "Delivery times", "shipping costs and fees"]


def test_a_clause_shows_the_whole_phrasing_and_is_never_an_exact_match() -> None:
    clauses = [entry for entry in faq_entries(LIST) if entry.role == "clause"]
    assert {entry.text for entry in clauses} == {LIST.question, *LIST.similar}
    assert {entry.normal for entry in clauses} == {""}


def test_no_clause_repeats_a_phrasing_another_clause_or_says_nothing() -> None:
    faq = Faq("f", "退货，退货、换", "可以。", "zh", similar=("退货",))
    assert texts(faq, "clause") == []
    assert texts(Faq("f", "Help! Refund/exchange?", "Yes.", "en"), "clause") == []


def test_a_long_list_gives_its_first_clauses_only() -> None:
    faq = Faq("f", "，".join(f"问题{n}" for n in range(30)), "答。", "zh")
    assert len(texts(faq, "clause")) == 8


def test_a_passage_full_of_english_terms_is_in_its_documents_language() -> None:
    terms = "见 `idf.py menuconfig` Component config > Bluetooth > Controller options"

    def language(text: str, document: str) -> str:
        (entry,) = document_entries(Document("d", "t", text, document), lambda texts: [1] * len(texts), 200)  # type: ignore[arg-type]
        return entry.language

    assert language(terms, "zh") == "zh" and language(terms, "en") == "en"
    assert language("idf.py menuconfig", "zh") == "en"


def test_a_draft_has_no_entries() -> None:
    assert faq_entries(Faq("f", "怎么退货，怎么换货", "可以。", "zh", status="draft")) == []


def test_the_first_passage_of_a_section_answers_to_its_name() -> None:
    text = "# 说明书\n\n开头。\n\n## 除垢\n\n第一步，倒入清洗剂。\n\n第二步，按一下键。\n\n## 保修\n\n两年。"
    made = document_entries(Document("d", "说明书", text, "zh"), lambda texts: [len(text) for text in texts], 16)
    assert [(entry.text, entry.normal) for entry in made] == [
        ("开头。", ""), ("第一步，倒入清洗剂。", "说明书除垢"), ("第二步，按一下键。", ""), ("两年。", "说明书保修"),
    ]  # fmt: skip


def test_a_name_too_long_to_choose_by_is_none() -> None:
    text = f"## {'很长的标题' * 30}\n\n两年。"
    (entry,) = document_entries(Document("d", "说明书", text, "zh"), lambda texts: [4 for _ in texts], 200)
    assert entry.normal == ""
