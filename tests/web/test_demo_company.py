"""The demo company's own data: complete, the same in both languages, free of contradictions, and loadable."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook

from knowledge_base.faq_file import read_faqs
from knowledge_base.language import language_of, normalise
from knowledge_base.types import Document, Faq, Progress, Put
from web.demo_company import DEMO, DOCUMENTS, FAQS, QUESTIONS, SITE, demo_documents, load_demo

PRICES = DEMO / "document_sources" / "price-list.csv"
PAGES = {"zh": SITE / "index.html", "en": SITE / "en.html"}


class MemoryKnowledge:
    """Keeps what is put, by id, as the knowledge base does."""

    def __init__(self) -> None:
        self.kept: dict[str, Faq | Document] = {}
        self.deleted: set[str] = set()

    def faqs(self) -> list[Faq]:
        return [source for source in self.kept.values() if isinstance(source, Faq)]

    def documents(self) -> list[Document]:
        return [source for source in self.kept.values() if isinstance(source, Document)]

    def deleted_ids(self) -> set[str]:
        return self.deleted

    def put(self, sources: list[Faq] | list[Document], progress: Progress | None = None) -> list[Put]:
        for done, source in enumerate(sources, start=1):
            self.kept[source.id] = source
            if progress:
                progress(done, len(sources))
        return [Put(source.id, "added") for source in sources]

    put_faqs = put


FirstLoad = tuple[MemoryKnowledge, list[Put], list[tuple[int, int]]]


@pytest.fixture(scope="module")
def faqs() -> list[Faq]:
    return read_faqs(FAQS)


@pytest.fixture(scope="module")
def first_load() -> FirstLoad:
    """What the first load leaves, returns and tells of its progress; converting the files takes seconds."""
    knowledge = MemoryKnowledge()
    steps: list[tuple[int, int]] = []
    outcomes = load_demo(knowledge, lambda done, total: steps.append((done, total)))
    return knowledge, outcomes, steps


@pytest.fixture(scope="module")
def documents(first_load: FirstLoad) -> dict[str, Document]:
    return {document.id: document for document in first_load[0].documents()}


@pytest.fixture(scope="module")
def questions() -> list[dict]:
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def prices() -> dict[str, int]:
    with PRICES.open(encoding="utf-8", newline="") as file:
        return {row["model"]: int(row["price"]) for row in csv.DictReader(file)}


def test_each_faq_stands_in_both_languages(faqs: list[Faq]) -> None:
    topics = {language: {f.id[:-3] for f in faqs if f.id.endswith(f".{language}")} for language in ("zh", "en")}
    assert topics["zh"] == topics["en"] and len(topics["zh"]) >= 44
    assert all(faq.id.endswith(f".{faq.language}") and faq.language == language_of(faq.answer) for faq in faqs)


def test_faqs_are_complete(faqs: list[Faq]) -> None:
    assert all(3 <= len(faq.similar) <= 5 and faq.category and faq.status == "published" for faq in faqs)
    assert sum(bool(faq.never) for faq in faqs) >= 20
    assert {"怎么申请退货？", "How do I return an item?"} <= {faq.question for faq in faqs}


def test_no_phrasing_stands_twice(faqs: list[Faq]) -> None:
    said = Counter(normalise(phrasing) for faq in faqs for phrasing in (faq.question, *faq.similar))
    assert [phrasing for phrasing, times in said.items() if times > 1] == []
    for faq in faqs:
        own = {normalise(phrasing) for phrasing in (faq.question, *faq.similar)}
        assert own.isdisjoint(map(normalise, faq.never)), faq.id


def test_a_pair_says_the_same_numbers(faqs: list[Faq]) -> None:
    by_id = {faq.id: faq for faq in faqs}
    for faq in faqs:
        if faq.language == "zh":
            assert _long_numbers(faq.answer) == _long_numbers(by_id[f"{faq.id[:-3]}.en"].answer), faq.id


def _long_numbers(text: str) -> set[str]:
    """Numbers of two digits or more, since small ones are spelled out here and there; no days of the year."""
    undated = re.sub(r"\d+ 月 \d+ 日|\d+ December", "", text)
    return set(re.findall(r"\d{2,}", re.sub(r"(?<=\d),(?=\d)", "", undated)))


def test_nobody_real_is_called_or_linked(faqs: list[Faq], documents: dict[str, Document]) -> None:
    pages = [path.read_text(encoding="utf-8") for path in PAGES.values()]
    text = "\n".join([*(faq.answer for faq in faqs), *(d.text for d in documents.values()), *pages])
    hosts = {match.rstrip(".") for match in re.findall(r"(?:https?://|@)([\w.-]+)", text)}
    assert hosts - {"www.w3.org"} <= {"milletlane.example", "www.milletlane.example"} and hosts
    phones = re.findall(r"\b0?\d{2,3}-\d{3,4}-\d{4}\b", text)
    assert phones and all("555" in phone for phone in phones)


def test_documents_are_real_files_with_clean_text(documents: dict[str, Document]) -> None:
    kinds = Counter(Path(name).suffix for name in documents)
    assert kinds[".pdf"] >= 3 and kinds[".docx"] >= 2 and kinds[".xlsx"] and kinds[".html"] and kinds[".md"]
    for name, document in documents.items():
        assert (DOCUMENTS / name).stat().st_size < 300_000
        assert len(document.text) > 500 and document.title.strip(), name
        # CJK radicals and private characters are what a PDF with a bad font gives back
        assert not re.search(r"[\u2e80-\u2fdf\ue000-\uf8ff\ufffd]", document.text), name
        if name != "price-list.xlsx":
            assert document.language == name.split(".")[1], name


def test_the_price_list_says_the_same_on_both_sheets() -> None:
    zh, en = load_workbook(DOCUMENTS / "price-list.xlsx").worksheets
    rows = [[(row[0], *row[-2:]) for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in (zh, en)]
    assert rows[0] == rows[1] and len(rows[0]) >= 40
    assert len({model for model, *_ in rows[0]}) == len(rows[0])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_prices_on_the_page_are_those_of_the_list(language: str, prices: dict[str, int]) -> None:
    page = PAGES[language].read_text(encoding="utf-8")
    tiles = re.findall(r'data-model="([^"]+)".*?class="price">¥([\d,]+)<', page, re.DOTALL)
    assert len(tiles) >= 8
    assert [(model, int(price.replace(",", ""))) for model, price in tiles] == [
        (model, prices[model]) for model, _ in tiles
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_asks_nothing_of_other_hosts_and_runs_no_inline_code(language: str) -> None:
    page = PAGES[language].read_text(encoding="utf-8")
    assert f'<script src="/widget.js" data-language="{language}" defer></script>' in page
    assert re.findall(r"<script(?! src=\"/widget.js\")|<style|\sstyle=|\son\w+=|javascript:", page) == []
    fetched = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(
        r"url\(([^)]+)\)|@import", (SITE / "style.css").read_text(encoding="utf-8")
    )
    assert [address for address in fetched if "//" in address] == []
    local = [address for address in fetched if not address.startswith(("#", "/", "mailto:", "tel:"))]
    assert [address for address in local if not (SITE / address.split("#")[0]).is_file()] == []


def test_golden_questions(questions: list[dict], faqs: list[Faq], documents: dict[str, Document]) -> None:
    texts = {faq.id: faq.answer for faq in faqs} | {name: d.text for name, d in documents.items()}
    phrasings = {normalise(phrasing) for faq in faqs for phrasing in (faq.question, *faq.similar)}
    assert len({row["id"] for row in questions}) == len(questions)
    for row in questions:
        assert row.keys() == {
            "id", "question", "language", "relevant", "answers", "answerable", "history",
        }  # fmt: skip
        assert row["answerable"] == bool(row["relevant"]) and set(row["relevant"]) <= texts.keys(), row
        assert normalise(row["question"]) not in phrasings, row
        if row["answers"]:
            for source in row["relevant"]:
                said = normalise(texts[source])
                assert any(normalise(answer) in said for answer in row["answers"]), (row, source)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_golden_questions_cover_each_kind(questions: list[dict], language: str) -> None:
    rows = [row for row in questions if row["language"] == language]
    kinds = Counter(
        "none" if not row["relevant"] else "faq" if row["relevant"][0].endswith((".zh", ".en")) else "document"
        for row in rows
    )
    assert len(rows) >= 30 and kinds["none"] >= 8 and kinds["faq"] >= 12 and kinds["document"] >= 12
    assert any(row["history"] for row in rows)


def test_the_first_load_puts_everything(
    first_load: FirstLoad,
) -> None:
    knowledge, outcomes, steps = first_load
    ids = [put.id for put in outcomes]
    assert set(ids) == knowledge.kept.keys() and len(ids) == len(set(ids))
    assert {path.name for path in demo_documents()} <= set(ids)
    assert steps == [(done, len(ids)) for done in range(1, len(ids) + 1)]


def test_a_later_load_puts_only_what_is_missing(
    first_load: FirstLoad,
) -> None:
    knowledge = MemoryKnowledge()
    changed = Faq("return-how.zh", "怎么申请退货？", "已由客服修改。", "zh")
    knowledge.kept = first_load[0].kept | {changed.id: changed}
    del knowledge.kept["wok-care.zh.md"]
    assert [put.id for put in load_demo(knowledge)] == ["wok-care.zh.md"]
    assert knowledge.kept[changed.id] == changed
    assert load_demo(knowledge) == []


def test_what_staff_deleted_does_not_come_back(first_load: FirstLoad) -> None:
    knowledge = MemoryKnowledge()
    knowledge.kept = dict(first_load[0].kept)
    del knowledge.kept["wok-care.zh.md"]
    knowledge.deleted = {"wok-care.zh.md"}
    assert load_demo(knowledge) == []
