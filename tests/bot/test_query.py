import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query import is_follow_up, standalone

COMPLETED = [  # earlier question, follow-up, words that must be in the query, words that must not
    ("怎么申请退货？", "那运费呢？", ["退货", "运费"], ["那", "呢", "怎么"]),
    ("怎么申请退货？", "运费呢", ["退货", "运费"], []),
    ("云净空气净化器多少钱？", "它保修多久？", ["云净空气净化器", "保修多久"], ["它"]),
    ("怎么申請退貨？", "那運費呢？", ["退货", "运费"], []),
    ("会员有什么权益？", "多久？", ["会员", "多久"], []),
    ("会员有什么权益？", "这个怎么开通", ["会员", "开通"], []),
    ("怎么开发票？", "为什么？", ["发票"], []),
    ("可以开专票吗", "那么需要多少钱", ["专票", "多少钱"], []),
    ("How do I return an item?", "what about shipping?", ["return", "item", "shipping"], ["about"]),
    ("How do I return an item?", "How long does it take?", ["return", "item", "How long"], []),
    ("What is the price of the AirPure 3?", "Is it waterproof?", ["price", "AirPure 3", "waterproof"], []),
    ("Do you ship abroad?", "and to Canada?", ["ship abroad", "Canada"], []),
    ("Do you ship abroad?", "to Canada?", ["ship abroad", "to Canada"], []),
    ("Can I change my address?", "why?", ["change", "address", "why"], []),
    ("Do you sell filters?", "How do I clean them?", ["sell filters", "clean them"], []),
]
UNTOUCHED = [
    "怎么申请退货？",
    "退货",
    "怎么退货",
    "发票怎么开？",
    "怎么还没发货呢",
    "我买的耳机坏了，它能修吗？",
    "这个月有什么活动？",
    "云净3代支持水洗吗",
    "你们的营业时间是几点到几点？",
    "那曲可以送货吗请问需要加多少运费和时间",
    "会员等级有哪些",
    "运费多少钱",
    "How do I return an item?",
    "shipping?",
    "How long does it take to get a refund?",
    "Is it possible to change my address?",
    "I bought shoes and they don't fit, what now?",
    "Do you ship to Canada?",
    "Where is my order?",
    "what payment methods do you accept",
    "Is there a warranty on the AirPure 3?",
    "My order arrived but it is broken",
    "",
    "👍",
    "12345",
]


@pytest.mark.parametrize(("earlier", "question", "has", "has_not"), COMPLETED)
def test_a_follow_up_is_completed(earlier: str, question: str, has: list[str], has_not: list[str]) -> None:
    query = standalone(question, [earlier])
    assert [word for word in has if word not in query] == []
    assert [word for word in has_not if word in query] == []


@pytest.mark.parametrize("question", UNTOUCHED)
def test_a_self_contained_question_stays_untouched(question: str) -> None:
    assert standalone(question, ["怎么开发票？", "How do I get an invoice?"], "价格表") == question


def test_a_chain_of_follow_ups_leads_back_to_its_topic() -> None:
    query = standalone("多久？", ["怎么申请退货？", "那运费呢？"])
    assert "退货" in query and "运费" in query and "多久" in query


def test_the_cited_title_helps_where_the_last_question_names_nothing() -> None:
    assert standalone("它保修多久", ["多少钱？"], "云净 3 说明书") == "云净 3 说明书 保修多久"
    assert standalone("how long is it covered", [], "AirPure 3 manual") == "AirPure 3 manual how long is it covered"


def test_without_history_nothing_is_invented() -> None:
    assert standalone("那运费呢？") == "那运费呢？"
    assert standalone("what about shipping?") == "what about shipping?"


def test_other_language_follow_up_keeps_both() -> None:
    query = standalone("what about shipping?", ["怎么申请退货？"])
    assert "退货" in query and "shipping" in query


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=6), st.text(max_size=20))
def test_a_query_is_never_blank_unless_the_question_is(question: str, earlier: list[str], topic: str) -> None:
    query = standalone(question, earlier, topic)
    assert query == question or (query.strip() and is_follow_up(question))


@given(st.text(max_size=60))
def test_without_context_every_question_is_its_own_query(question: str) -> None:
    assert standalone(question) == question
