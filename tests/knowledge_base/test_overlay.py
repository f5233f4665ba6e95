"""Searching as if FAQs were changed finds what is found once they are."""

from dataclasses import replace
from datetime import date

import pytest

from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.types import Document, Faq, Hit

FAQS = [
    Faq(
        f"f{n}.en",
        f"How do I {deed} the {thing}?",
        f"Answer {n}.",
        "en",
        (f"{thing} {deed}", f"{deed} my {thing}, quickly"),
    )
    for n, (deed, thing) in enumerate(
        (d, t) for d in ("clean", "return", "repair", "open") for t in ("kettle", "lamp", "oven")
    )
]
ZH = Faq("f0.zh", "怎么清洗水壶？", "用清水。", "zh")
MANUAL = Document("manual", "Manual", "Clean the kettle once a month. Return it within 30 days.", "en")
QUERIES = [
    "clean kettle",
    "how do I repair my oven quickly",
    "水壶怎么清洗",
    "open lamp",
    "descale the kettle",
    "kettle clean",
]


@pytest.fixture
def filled(knowledge: KnowledgeBase) -> KnowledgeBase:
    knowledge.put_faqs([*FAQS, ZH])
    knowledge.put([MANUAL])
    return knowledge


def told(hits: list[Hit]) -> list[tuple[str, str, bool, float]]:
    return [(hit.passage.source_id, hit.passage.text, hit.exact, round(hit.score, 2)) for hit in hits]


@pytest.mark.parametrize(
    ("changed", "removed"),
    [
        ([replace(FAQS[0], answer="Another.")], []),
        ([replace(FAQS[0], question="How do I descale the kettle?", similar=("descaling",))], []),
        ([replace(FAQS[0], never=("clean kettle",))], []),
        ([replace(FAQS[8], similar=("kettle clean", "open lamp"))], []),
        ([Faq("new.en", "May I descale the kettle?", "Yes.", "en", ("kettle clean",))], []),
        ([replace(FAQS[0], status="draft")], []),
        ([replace(FAQS[0], valid_until=date(2020, 1, 1))], []),
        ([replace(ZH, question="水壶清洗", answer="用白醋。")], []),
        ([], ["f0.en"]),
        ([], []),
    ],
)
def test_it_is_found_as_if_it_were_stored(filled: KnowledgeBase, changed: list[Faq], removed: list[str]) -> None:
    before = [told(filled.search(query, "en")) for query in QUERIES]
    now, over = filled.with_changes(changed, removed)
    assert [told(now.search(query, "en")) for query in QUERIES] == before
    expected = [told(over.search(query, "en")) for query in QUERIES]
    assert [told(filled.search(query, "en")) for query in QUERIES] == before
    filled.put_faqs(changed)
    filled.delete(removed)
    actual = [told(filled.search(query, "en")) for query in QUERIES]
    for one, other in zip(expected, actual, strict=True):  # two that tie may change places
        assert {hit[:3] for hit in one[:2]} == {hit[:3] for hit in other[:2]}
        assert all(abs(a[3] - b[3]) <= 0.03 for a, b in zip(one[:2], other[:2], strict=True))


def test_the_share_of_a_text_that_is_indexed_is_the_search_s_own(filled: KnowledgeBase) -> None:
    from collections import Counter

    from knowledge_base import bm25
    from knowledge_base.words import words

    indexes = filled._indexes
    texts = {row.id: row.search_text for row in filled._store.index_rows(filled._store.entry_ids())}
    average = sum(len(words(text)) for text in texts.values()) / len(texts)
    for query in QUERIES:
        for id, share in indexes._backend.by_words(query, 20):
            own = bm25.shares(indexes.weights(query), [Counter(words(texts[id]))], average)
            assert own[0] == pytest.approx(share, abs=1e-3)
