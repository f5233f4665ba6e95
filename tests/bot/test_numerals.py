import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.numerals import with_digits

_SMALL = "零一二三四五六七八九"


def spelled(number: int) -> str:
    """1..9999 in Chinese numerals, as people write them."""
    text, zero = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            text += ("零" if zero else "") + _SMALL[digit] + name
            zero = False
        elif text:
            zero = True
    return text[1:] if 10 <= number < 20 else text


@given(st.integers(min_value=1, max_value=9999))
def test_every_chinese_numeral_reads_back(number: int) -> None:
    assert with_digits(f"共{spelled(number)}元") == f"共{number}元"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("七天", "7天"),
        ("两年", "2年"),
        ("两个", "2个"),
        ("二〇二六年", "2026年"),
        ("三万元", "30000元"),
        ("1.5万", "15000"),
        ("一亿", "100000000"),
        ("1,234,567", "1234567"),
        ("１２８元", "128元"),
        ("百分之十五", "15%"),
        ("seven days", "7 days"),
        ("one year", "1 year"),
        ("this one", "this one"),
        ("十分满意", "十分满意"),
        ("万一坏了", "万一坏了"),
        ("千万不要", "千万不要"),
        ("便宜一点", "便宜一点"),
        ("一般一起", "一般一起"),
    ],
)
def test_only_numerals_that_count_become_digits(text: str, expected: str) -> None:
    assert with_digits(text) == expected
