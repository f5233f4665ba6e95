import pytest

from bot.facts import facts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,299 元", [("number", "1299", "money")]),
        ("一千二百九十九元", [("number", "1299", "money")]),
        ("¥1299.00", [("number", "1299", "money")]),
        ("百分之五", [("number", "5", "percent")]),
        ("3 个工作日", [("number", "3", "workday")]),
        ("within 3 working days", [("number", "3", "workday")]),
        ("2026年3月1日", [("date", "2026-3-1", "")]),
        ("March 1st, 2026", [("date", "2026-3-1", "")]),
        ("2026-03-01", [("date", "2026-3-1", "")]),
        ("3月1日", [("date", "-3-1", "")]),
        ("2026年3月", [("date", "2026-3-", "")]),
        ("下午6点半", [("time", "18:30", "")]),
        ("6:30 p.m.", [("time", "18:30", "")]),
        ("400-800-1234", [("number", "4008001234", "")]),
        ("(021) 5555 6666", [("number", "02155556666", "")]),
        ("100-200 200 15", [("number", "100", ""), ("number", "200", ""), ("number", "200", ""), ("number", "15", "")]),
        ("1000-2000元", [("number", "1000", ""), ("number", "2000", "money")]),
        ("www.shop.example/a/.", [("link", "shop.example/a", "")]),
        ("help@shop.example", [("link", "help@shop.example", "")]),
        ("型号XC-200", [("name", "xc-200", "")]),
        ("《隐私政策》", [("name", "隐私政策", "")]),
        ("用Apple Pay付", [("name", "apple", ""), ("name", "pay", "")]),
        ("We ship to Canada", [("name", "canada", "")]),
        ("Shipping is free.", []),
        ("15 March 2026", [("date", "2026-3-15", "")]),
        ("1st of May", [("date", "-5-1", "")]),
        ("9:00", [("time", "9:00", "")]),
        ("上午9点15分", [("time", "9:15", "")]),
        ("晚上8点", [("time", "20:00", "")]),
        ("下午12点", [("time", "12:00", "")]),
        ("12:30 PM", [("time", "12:30", "")]),
        ("12 am", [("time", "0:00", "")]),
        ("晚上12点", [("time", "0:00", "")]),
        ("800 - 1000", [("number", "800", ""), ("number", "1000", "")]),
        ("400 - 12345", [("number", "40012345", "")]),
        ("0.0000001", [("number", "0.0000001", "")]),
        ("007.50", [("number", "7.5", "")]),
        ("0.00", [("number", "0", "")]),
        ("shop.example/INDEX", [("link", "shop.example/index", "")]),
        ("「会员章程」和『隐私政策』", [("name", "会员章程", ""), ("name", "隐私政策", "")]),
        ("A《隐私》B", [("name", "隐私", "")]),
        ("ok，支持paypal", [("name", "paypal", "")]),
        ("加QQ", [("name", "qq", "")]),
        ("选A还是B，以RMB计", []),
        ("Yes, I'll do it, and I can", []),
        ("Call 400-800-1234 Paul", [("number", "4008001234", ""), ("name", "paul", "")]),
    ],
)
def test_each_fact_has_one_normal_form(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(fact.kind, fact.value, fact.unit) for fact in facts(text)] == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请看《隐私政策》", ["《隐私政策》"]),
        ("800 - 1000", ["800", "1000"]),
        ("7 天内，下午 6 点半前", ["下午 6 点半", "7 天"]),
        ("see https://shop.example/a.", ["https://shop.example/a"]),
        ("电话 (021) 5555 6666，型号 XC-200", ["XC-200", "(021) 5555 6666"]),
    ],
)
def test_a_fact_is_shown_as_it_stands(text: str, shown: list[str]) -> None:
    assert [fact.shown for fact in facts(text)] == shown


def test_a_long_word_is_read_at_once() -> None:
    assert facts("abcdefghijklmnop" * 40) == []
    assert [fact.value for fact in facts("型号ab-cd.ef1/g2")] == ["ab-cd.ef1/g2"]
