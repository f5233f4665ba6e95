"""Sentence ends of both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.sentences import sentence_spans, sentences

CASES = [
    (
        "退货政策：七天无理由。运费自理！是吗？是的；好",
        ["退货政策：七天无理由。", "运费自理！", "是吗？", "是的；", "好"],
    ),
    ("他说：“好。”然后走了。（详见第3条。）完", ["他说：“好。”", "然后走了。", "（详见第3条。）", "完"]),
    ("真的吗？！当然。", ["真的吗？！", "当然。"]),
    ("支持 Windows 10.不支持 Mac。真的吗?可以", ["支持 Windows 10.", "不支持 Mac。", "真的吗?", "可以"]),
    ("**请注意。**下一句。前。**不**可", ["**请注意。**", "下一句。", "前。", "**不**可"]),
    ('He said "yes." Then he left.', ['He said "yes."', "Then he left."]),
    ("It costs 3.14 yuan. See No. 5 for details.", ["It costs 3.14 yuan.", "See No. 5 for details."]),
    ("Is it free? No. We charge $5.", ["Is it free?", "No.", "We charge $5."]),
    ("Use mild soap, e.g. this one, i.e. no acid. Rinse.", ["Use mild soap, e.g. this one, i.e. no acid.", "Rinse."]),
    ("Dr. Li of Acme Inc. is in. J. Smith is out.", ["Dr. Li of Acme Inc. is in.", "J. Smith is out."]),
    (
        "Open 9 a.m. to 6 p.m. Monday to Friday. Closed else.",
        ["Open 9 a.m. to 6 p.m. Monday to Friday.", "Closed else."],
    ),
    ("Visit https://x.com/a.b?c=1.2 now! Or v2.0.1.", ["Visit https://x.com/a.b?c=1.2 now!", "Or v2.0.1."]),
    (
        "- 满 99 元包邮。不满收 10 元。\n  * 港澳台除外\n> 引用",
        ["满 99 元包邮。", "不满收 10 元。", "港澳台除外", "引用"],
    ),
    ("1. Open the lid. Fill it.\n2. Close it.", ["1. Open the lid.", "Fill it.", "2. Close it."]),
    ("1.打开设置。\n2.关闭", ["1.打开设置。", "2.关闭"]),
    ("| a. B | 价格。元 |\n|---|:-:|\n| 1 | 2 |", ["| a. B | 价格。元 |", "| 1 | 2 |"]),
    ("# 标题。一\n正文\n\n---\n\n题\n==", ["标题。一", "正文", "题"]),
    ("```py\nx = 1. if y else 2\n```\n完", ["x = 1. if y else 2", "完"]),
    ("电话 400-820-1234\n营业时间 9:00-18:00", ["电话 400-820-1234", "营业时间 9:00-18:00"]),
    (
        "The kettle is covered by a two-year warranty from the date of\npurchase. Damage is not.",
        ["The kettle is covered by a two-year warranty from the date of\npurchase.", "Damage is not."],
    ),
    ("", []),
    (" \n\n ", []),
    ("😀", ["😀"]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


MARKDOWN = st.lists(
    st.sampled_from([*'ab 中文。！？.!?；:：\n\t|-*#>`"”）1290', "e.g.", "No.", "\n\n", "```", "| a |\n"])
).map("".join)


@given(st.one_of(MARKDOWN, st.text()))
def test_every_sentence_is_a_verbatim_part_in_order(text: str) -> None:
    position = 0
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        position = text.index(sentence, position) + len(sentence)


@given(st.one_of(MARKDOWN, st.text()))
def test_spans_leave_only_white_space_out(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    inside = "".join(text[start:end] for start, end in spans)
    assert "".join(inside.split()) == "".join(text.split())


def test_a_megabyte_without_a_stop_is_one_sentence() -> None:
    assert len(sentences("一" * 400_000)) == 1
    assert len(sentences("**a." * 20_000)) == 1
