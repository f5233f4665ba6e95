import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.words import words


@pytest.mark.parametrize("query", ["你是谁", "的", "what is it", "是不是", "a", "???", "😀"])
def test_no_query_loses_all_its_words(query: str) -> None:
    assert words(query)


def test_blank_text_has_no_words() -> None:
    assert words(" \n\t　") == []


def test_chinese_gives_words_and_the_bigrams_between_them() -> None:
    found = words("申请退货")
    assert {"申请", "退货", "请退"} <= set(found)


def test_traditional_script_and_full_width_give_the_same_words() -> None:
    assert words("申請退貨ＡＢＣ") == words("申请退货abc")


def test_english_words_are_stemmed_alike() -> None:
    assert words("Returning items") == words("return item")


def test_model_numbers_are_found_whole_and_in_parts() -> None:
    assert {"xc-200", "xc", "200"} <= set(words("XC-200多少钱"))


def test_latin_and_chinese_that_touch_are_parted() -> None:
    assert "c++" in words("C++语言")


@given(st.text())
def test_words_have_no_space_and_cover_any_text(text: str) -> None:
    found = words(text)
    assert all(word and not any(c.isspace() for c in word) for word in found)
