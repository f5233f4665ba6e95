import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.verify import chinese_names, plain, supported_part, unsupported

ZH = (
    "云净三号（型号 AP-300）售价 1,299 元，保修两年。签收后七天内可以无理由退货，退款 3 个工作日到账。"
    "客服电话 400-800-1234，周一至周五 9:00–18:00，邮箱 help@yunjing.example。"
    "活动截止 2026 年 3 月 15 日，支持支付宝和 Apple Pay。"
)
EN = (
    "The AirPure 3 (model AP-300) costs $199.00 and has a two-year warranty. Return it within 30 days. "
    "Call +1 (555) 010-2030 from 9 am to 6 pm, or see https://shop.example.com/returns. "
    "The offer ends on March 15, 2026."
)

SUPPORTED = [
    (ZH, "售价1299元，保修2年。"),
    (ZH, "售价 ¥1,299.00。"),
    (ZH, "签收后 7 天内可以无理由退货。"),
    (ZH, "客服電話 400 800 1234，上午9点到下午6点。"),
    (ZH, "邮箱是 HELP@yunjing.example。"),
    (ZH, "活动3月15日截止。"),
    (ZH, "支持 apple pay。"),
    (EN, "It costs 199 dollars and has a 2 year warranty."),
    (EN, "Return it within thirty days."),
    (EN, "Call +1 555 010 2030 from 9:00 to 18:00."),
    (EN, "See shop.example.com/returns."),
    (EN, "The offer ends on 15 March 2026."),
    (EN, "The offer ends on 2026-03-15."),
    (EN, "It is the offer of 2026."),
    (EN, "See shop.example.com."),
    (ZH, "售价是1299。"),
    ("Price: 199", "It costs 199 dollars."),
    ("套装可用2次。", "套装可用2份。"),
    ("Canada is served too.", "We ship to Canada."),
    ("容量500ml", "单位是ml"),
    ("型号AirPure3", "型号AirPure"),
]
INVENTED = [
    (ZH, "售价 1,399 元。", "1399"),
    (ZH, "保修三年。", "3年"),
    (ZH, "签收后 3 天内可以退货。", "3 天"),
    (ZH, "客服电话 400-800-1235。", "400-800-1235"),
    (ZH, "客服电话 010-6552-1234。", "010-6552-1234"),
    (ZH, "活动截止 2026 年 4 月 15 日。", "4 月 15 日"),
    (ZH, "邮箱 service@yunjing.example。", "service@yunjing.example"),
    (ZH, "支持 PayPal 付款。", "PayPal"),
    (ZH, "型号 AP-3000 也支持退货。", "AP-3000"),
    (ZH, "型号 AP-30 也支持退货。", "AP-30"),
    (ZH, "下午8点前退货。", "下午8点"),
    (ZH, "退货请寄到上海。", "上海"),
    (ZH, "可以打八折。", "8折"),
    (EN, "It costs $299.", "299"),
    (EN, "It has a five-year warranty.", "5-year"),
    (EN, "See https://evil.example.com/returns.", "https://evil.example.com/returns"),
    (EN, "The offer ends on March 16.", "March 16"),
    (EN, "You can collect it in London.", "London"),
    (EN, "Call between 9 am and 8 pm.", "8 pm"),
    (EN, "Give it back within 30 hours.", "30 hours"),
    (EN, "It is the offer of 2027.", "2027"),
    (EN, "See https://shop.example.com/ret.", "https://shop.example.com/ret"),
    (ZH, "型号 AP-3 也支持退货。", "AP-3"),
    ("型号 AP-300b", "型号 AP-300", "AP-300"),
    ("支持 payment", "支持 Pay", "Pay"),
    ("有 smartphone", "有 phone", "phone"),
    ("请看《123条例》。", "请看《23条例》。", "《23条例》"),
    ("请看《a23条例》。", "请看《23条例》。", "《23条例》"),
    ("It closes at 12 pm.", "It closes at 12 am.", "12 am"),
    ("中午12点关门。", "晚上12点关门。", "晚上12点"),
]


@pytest.mark.parametrize(("passage", "answer"), SUPPORTED)
def test_what_the_passage_says_in_another_spelling_is_supported(passage: str, answer: str) -> None:
    assert unsupported(answer, [passage], 0.0) == ()


@pytest.mark.parametrize(("passage", "answer", "named"), INVENTED)
def test_what_no_passage_says_is_named(passage: str, answer: str, named: str) -> None:
    assert any(named in found for found in unsupported(answer, [passage], 0.0))


def test_a_sentence_that_shares_no_words_is_not_supported() -> None:
    said = "您可以把机器人带到海边去散步看日落。"
    assert unsupported(said, [ZH], 0.5) == (said,)
    assert unsupported("签收后七天内可以退货。", [ZH], 0.5) == ()


def test_a_sentence_of_four_words_is_judged_by_their_share_and_a_shorter_one_needs_them_all() -> None:
    passage = "Green parcels travel."
    assert unsupported("Green parcels travel abroad.", [passage], 0.75) == ()
    assert unsupported("Green parcels travel abroad.", [passage], 0.8) != ()
    assert unsupported("Green parcels abroad.", [passage], 0.5) == ("Green parcels abroad.",)
    assert unsupported("Green parcels abroad.", [passage], 0.0) == ()
    assert unsupported("Three green parcels.", [f"{passage} 3"], 0.5) == ()  # a number is a fact, whatever its spelling


@given(st.sampled_from([ZH, EN]), st.integers(min_value=0, max_value=10**9))
def test_no_number_gets_through_unless_it_stands(passage: str, number: int) -> None:
    stands = {int(n) for n in ("300 1299 2 7 3 400 2026 15 199 30 9 18 5 1".split())}
    found = unsupported(f"售价是{number}元。", [passage], 0.0)
    assert bool(found) or number in stands


@given(st.text(max_size=120))
def test_a_text_always_supports_itself(text: str) -> None:
    assert unsupported(text, [text], 0.5) == ()


@given(st.lists(st.sampled_from([s + "。" for s in ZH.split("。") if s]), min_size=1, max_size=4))
def test_every_sentence_of_a_passage_is_supported_by_it(said: list[str]) -> None:
    assert unsupported("".join(said), [ZH], 1.0) == ()


def test_of_a_broken_off_answer_only_the_supported_beginning_stays() -> None:
    assert supported_part("签收后七天内可以退货。运费 50 元。售价 1299 元。", [ZH], 0.0) == "签收后七天内可以退货。"
    assert supported_part("运费 50 元。", [ZH], 0.0) == ""
    again = "签收后七天内可以退货。"
    assert supported_part(f"{again}{again}运费 50 元。", [ZH], 0.0) == again * 2
    assert supported_part(f"{again}运费 50 元。{again}", [ZH], 0.0) == again


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("退货<script>alert(1)</script>很简单", "退货很简单"),
        ("<b>免费</b>送货<br/>", "免费送货"),
        ("<scr<script>x</script>ipt>好", "好"),
        ("a < b and b > a, 3<5", "a < b and b > a, 3<5"),
        ("![x](http://e.example/a.png)图", "x图"),
        ("[点这里](javascript:alert(1))", "点这里)"),
        ("[退货](https://shop.example/r)", "[退货](https://shop.example/r)"),
        ("好\x00\x1b[31m的<|im_end|>", "好[31m的"),
        ("好\ue000的\ud800，\t表\n行", "好的，\t表\n行"),
    ],
)
def test_markup_and_control_characters_are_stripped(text: str, kept: str) -> None:
    assert plain(text) == kept


@given(st.text(alphabet="<>/script a=\"'b!-[]()x", max_size=60))
def test_no_element_survives(text: str) -> None:
    assert "<script>" not in plain(text).lower() and "<script " not in plain(text + ">").lower()


def test_names_that_the_dictionary_knows() -> None:
    assert {"上海", "中国银行"} <= set(chinese_names("上海的中国銀行"))
    assert chinese_names("no Chinese here") == []
