"""Personal data in both languages: found in however it is written, and nothing else masked."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.faq_file import read_faqs
from training.personal import Kind, _digits, _shape, is_card, is_iban, is_id
from training.redact import LABELS, redact

DEMO = Path(__file__).parents[2] / "web" / "demo"
Make = Callable[[random.Random], str]


def digits(chance: random.Random, count: int, first: str = "") -> str:
    return first + "".join(chance.choice("0123456789") for _ in range(count - len(first)))


def luhn(number: str) -> str:
    """The number with its check digit."""
    return next(number + last for last in "0123456789" if is_card(number + last))


def changed(number: str) -> list[str]:
    """The number with each digit changed to the next, one at a time."""
    places = [place for place, one in enumerate(number) if one.isdigit()]
    return [f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}" for at in places]


def mainland_id(chance: random.Random) -> str:
    body = (
        f"{chance.choice(('110101', '310115', '440304', '510107'))}{chance.randint(1950, 2010)}"
        f"{chance.randint(1, 12):02}{chance.randint(1, 28):02}{digits(chance, 3)}"
    )
    return next(body + last for last in "0123456789X" if is_id(body + last))


def grouped(chance: random.Random, number: str, *sizes: int) -> str:
    """The number in groups of these sizes, parted or not."""
    gap, parts, start = chance.choice(("", "", " ", "-")), [], 0
    for size in sizes:
        parts.append(number[start : start + size])
        start += size
    return gap.join([*parts, number[start:]] if number[start:] else parts)


def wide(chance: random.Random, text: str) -> str:
    """Sometimes in full-width digits."""
    return text.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)}) if chance.random() < 0.15 else text


def mobile(chance: random.Random) -> str:
    number = digits(chance, 11, "1" + chance.choice("3456789"))
    return wide(chance, chance.choice(("", "", "+86 ", "86-", "0086 ")) + grouped(chance, number, 3, 4, 4))


def landline(chance: random.Random) -> str:
    area = chance.choice(("010", "021", "0755", "0571"))
    return f"{area}-{digits(chance, 8, chance.choice('2345678'))}"


def abroad(chance: random.Random) -> str:
    return chance.choice(
        (
            f"+1 {digits(chance, 3, '4')}-{digits(chance, 3, '5')}-{digits(chance, 4)}",
            f"({digits(chance, 3, '4')}) {digits(chance, 3, '5')}-{digits(chance, 4)}",
            f"+44 7{digits(chance, 3)} {digits(chance, 6)}",
            f"07{digits(chance, 3)} {digits(chance, 6)}",
            f"+49 {digits(chance, 3, '1')} {digits(chance, 7)}",
            f"{digits(chance, 3, '4')}.{digits(chance, 3, '5')}.{digits(chance, 4)}",
            f"+852 {digits(chance, 4, '9')} {digits(chance, 4)}",
        )
    )


def email(chance: random.Random) -> str:
    name = chance.choice(("li.min", "zhang_wei88", "j.smith", "anna+shop", "13800001111"))
    return f"{name}{chance.choice('@@@＠')}{chance.choice(('qq.com', 'example.co.uk', '163.com', 'mail.example.org'))}"


def card(chance: random.Random) -> str:
    number = luhn(digits(chance, chance.choice((15, 18)), chance.choice(("4", "52", "62"))))
    return wide(chance, grouped(chance, number, 4, 4, 4, 4))


def order(chance: random.Random) -> str:
    return chance.choice((digits(chance, 12, "2026"), f"SF{digits(chance, 13)}", f"KM-{digits(chance, 8)}"))


def address_zh(chance: random.Random) -> str:
    place = chance.choice(("上海市浦东新区", "广东省深圳市南山区", "北京市朝阳区", "杭州市西湖区", ""))
    road = chance.choice(("世纪大道", "科技园路", "建国路", "文三路", "中山北路"))
    return f"{place}{road}{chance.randint(1, 999)}号{chance.choice(('', '3栋2单元501室', '12楼1203室'))}"


def address_en(chance: random.Random) -> str:
    road = chance.choice(("Maple Street", "Baker St", "Old Kent Road", "Sunset Blvd", "Fifth Avenue"))
    end = chance.choice(("", ", Apt 4B", ", Springfield, IL 62704", ", London"))
    return f"{chance.randint(1, 9999)} {road}{end}"


SAID: dict[Kind, tuple[tuple[Make, tuple[str, ...]], ...]] = {
    "phone": (
        (mobile, ("我的手机号是{}，麻烦回电", "打{}找我", "{}", "电话：{}谢谢", "请联系{}，王女士不在")),
        (landline, ("座机{}，工作日都在", "办公室电话是{}。")),
        (abroad, ("Call me on {} after 5pm.", "my number is {}", "You can reach me at {}, thanks", "{} is my mobile")),
    ),
    "email": ((email, ("邮箱是{}，发票发这里", "发到{}", "Please write to {} instead.", "my email: {}")),),
    "id": ((mainland_id, ("身份证号{}", "实名用的是{}，为什么不行", "My Chinese ID is {}.", "证件号：{}")),),
    "card": ((card, ("银行卡号{}", "我刷的{}被扣了两次", "I paid with card {} twice", "card number: {}", "退到{}吧")),),
    "order": (
        (order, ("订单号{}到哪了", "我的单号是 {}", "Where is order {}?", "order number: {}", "运单号：{}还没动")),
    ),
    "address": (
        (address_zh, ("请寄到{}", "地址：{}，谢谢", "我住在{}，能送吗", "送到{}可以吗")),
        (address_en, ("Please ship it to {}", "I live at {}.", "Deliver to {} please")),
    ),
}
NAMES = (
    ("我叫王小明，想退货", "王小明"),
    ("收件人：欧阳娜娜，电话待定", "欧阳娜娜"),
    ("姓名：李雷。李雷的订单没到", "李雷"),
    ("My name is Anna Smith and I want a refund. Anna Smith paid.", "Anna Smith"),
    ("Hi, this is Peter O'Brien from Leeds", "Peter O'Brien"),
    ("我的名字叫陳大文", "陳大文"),
)


@pytest.mark.parametrize("kind", SAID)
def test_what_has_a_pattern_is_found_however_it_is_written(kind: Kind) -> None:
    chance = random.Random(7)
    missed: list[str] = []
    tried = 0
    for make, sentences in SAID[kind]:
        for _ in range(400):
            value = make(chance)
            said = chance.choice(sentences).format(value)
            masked = redact(said).text
            tried += 1
            rest = re.sub(r"\[[^\]]*\]", "", masked)
            if any(part in rest for part in re.findall(r"[\w@＠]{4,}", value) if any(c.isdigit() for c in part)):
                missed.append(f"{said} → {masked}")
            elif masked == said:
                missed.append(said)
    assert len(missed) <= 0.01 * tried, missed[:20]


@pytest.mark.parametrize(("said", "name"), NAMES)
def test_names_that_people_give_are_masked_wherever_they_stand(said: str, name: str) -> None:
    assert name not in redact(said).text and redact(said).masked["name"] == said.count(name)


def test_what_is_no_personal_data_stays() -> None:
    said = [
        "订单满199元包邮，7天无理由退货，2026年11月23日前有效。",
        "我叫了外卖，怎么还没到",
        "KM-2000咖啡机的水箱多大？1.8升，重3.5公斤，15 bar",
        "Is the X200 Pro available in 2026 for $1,299.00?",
        "The warranty lasts 24 months and 30 days; open 9:00-18:00.",
        "This is Great, thank you" * 1,
        "一二三楼都有店吗？第二十一条写了什么",
    ]
    said[5] = "This is a great shop"
    assert [redact(one).text for one in said] == said


def test_the_demo_shop_keeps_its_words() -> None:
    texts = [text for faq in read_faqs(DEMO / "faq.jsonl") for text in (faq.question, *faq.similar)]
    assert [text for text in texts if redact(text).text != text] == []


def test_what_the_company_has_published_stays_and_what_it_adds_goes() -> None:
    said = "请拨打400-820-8820，会员号M8812找小周"
    kept = redact(said, [re.compile(r"M\d{4}")], public=["4008208820"])
    assert kept.text == "请拨打400-820-8820，会员号[已隐去]找小周" and kept.masked == {"custom": 1}


def test_labels_are_in_the_language_of_the_text_and_counted() -> None:
    assert redact("打13800001111").text == "打[电话]"
    both = redact("mail a@b.com or c@d.org")
    assert both.text == "mail [email] or [email]" and both.masked == {"email": 2}


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "5555555555554444", "378282246310005", "6011-1111-1111-1117", "4012888888881881"],
)
def test_a_card_has_luhn_s_checksum_and_more_than_one_digit(number: str) -> None:
    """Numbers that the card companies publish for tests."""
    assert is_card(number)
    assert not any(is_card(one) for one in changed(number))
    assert not is_card("0" * len(number))


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "440524 18800101 0014"])
def test_a_chinese_id_has_its_checksum(number: str) -> None:
    """The examples of GB 11643-1999."""
    assert is_id(number) and is_id(number.lower())
    assert not any(is_id(one) for one in changed(number))
    assert not is_id(number[:-1]) and not is_id(f"{number}0") and not is_id(f"X{number[1:]}")


@pytest.mark.parametrize("number", ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"])
def test_an_international_account_number_has_its_checksum(number: str) -> None:
    """The examples of ISO 13616."""
    assert is_iban(number) and is_iban(number.lower())
    assert not any(is_iban(one) for one in changed(number))


def test_a_run_of_digits_has_a_length_and_no_letter_or_digit_beside_it() -> None:
    run = re.compile(_digits(3, 5))
    assert [one for one in ("12", "123", "1 2-3", "12345", "123456", "x123", "123x") if run.search(one)] == [
        "123",
        "1 2-3",
        "12345",
    ]


def test_a_shape_is_read_in_either_case_and_in_plain_digits_and_may_have_a_test() -> None:
    shape, tested = _shape("order", r"(?P<value>no\d)"), _shape("card", r"(?P<value>\d+)", is_card, 0)
    assert (shape.kind, tested.kind, tested.test) == ("order", "card", is_card) and tested.pattern.search("7")
    assert shape.pattern.search("NO1") and not shape.pattern.search("no١") and shape.test("no1")
    assert not _shape("order", "no", flags=0).pattern.search("NO")


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("打13800001111会员甲", "打[电话][已隐去]"),
        ("打会员甲13800001111", "打[已隐去][电话]"),
        ("㍿的電話13800001111在", "㍿的電話[电话]在"),
        ("我叫李雷，收件人：李雷雷", "我叫[姓名]，收件人：[姓名]"),
        ("My name is Smith. Recipient: Anna Smith", "My name is [name]. Recipient: [name]"),
        ("My name is Ann. The annual fee of Annual", "My name is [name]. The annual fee of Annual"),
        ("我叫李雷，VIP李雷2号", "我叫[姓名]，VIP[姓名]2号"),
    ],
)
def test_what_is_masked_is_masked_whole_and_nothing_beside_it(said: str, masked: str) -> None:
    assert redact(said, [re.compile("会员甲")]).text == masked


@given(st.text(alphabet="0123456789-+() @.打电话号ABc身份证我叫王路市区，\n", max_size=80))
def test_masking_again_changes_nothing(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    masked = redact(text)
    assert (masked.text == text) is (not masked.masked)
    assert set(masked.masked) <= set(LABELS)
