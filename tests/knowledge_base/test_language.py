import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.language import language_of, normalise, to_simplified


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("怎么申请退货？", "zh"),
        ("How do I return an item?", "en"),
        ("ESP32 怎么 reset 设备？", "zh"),
        ("能用 Apple Pay 吗", "zh"),
        ("What does 保修 mean here and who pays for it?", "en"),
        ("怎麼申請退貨", "zh"),
    ],
)
def test_language_is_that_of_the_sentence(text: str, language: str) -> None:
    assert language_of(text) == language


def test_text_without_words_takes_the_default() -> None:
    assert language_of("😀 123 ?!", "en") == "en"
    assert language_of("😀 123 ?!", "zh") == "zh"


@pytest.mark.parametrize(
    "variant", ["怎麼申請退貨？", "怎么申请退货", " 怎么 申请 退货!? ", "「怎么申请退货」。", "怎么，申请退货～"]
)
def test_variants_of_one_question_are_the_same(variant: str) -> None:
    assert normalise(variant) == normalise("怎么申请退货？")


def test_width_and_case_are_folded() -> None:
    assert normalise("Ｈｏｗ　Do I RETURN it？") == normalise("how do i return it")


def test_symbols_that_change_the_meaning_stay() -> None:
    assert len({normalise(t) for t in ("C", "C++", "C#", "5", "5%", "$5")}) == 6


def test_symbols_alone_are_not_lost() -> None:
    assert normalise("？？") != ""


def test_simplified_text_is_unchanged() -> None:
    for text in ("软件 software", "杯子坏了", "坏"):
        assert to_simplified(text) == text
    assert to_simplified("壞了") == "坏了"


@given(st.text())
def test_normalise_twice_is_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
