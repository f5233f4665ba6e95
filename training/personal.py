"""What personal data looks like: shapes with a group "value", checksums, names. Knows not what is done with it.

Sources of the checksums: ISO/IEC 7812 (Luhn) for cards, GB 11643-1999 (ISO 7064 MOD 11-2) for Chinese IDs, ISO 13616
for international account numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "phone", "account", "id", "card", "order", "address", "name", "number", "custom"]

_GAP = r"[ \t\-.–—·_/]{0,2}"
_IS = r"(?:号码|号|编号)?\s{0,3}(?:就?是|为|[:：=#])?\s{0,3}"
_EN_IS = r"(?:\s{0,2}(?:number|num|no\.?|id|code))?\s{0,2}(?:is|was|[:：=])?\s{0,2}[#:]?\s{0,2}"
_SPOKEN = "零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范"
    "方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦"
    "申尤毕聂丛焦向柳邢骆岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单"
    "包司柏宁柯阮桂闵解强柴华车冉房边净阴闫佘穆应农尚司简宗"
    "劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許蔣盧賈葉閻餘鐘譚鄒陸錢湯賀龔龐蘭顏倪嚴溫蘆韋聶叢駱齊莊塗時關費紀靳項陽衛單寧閔車邊陰閆應農簡"
)
_COMPOUND = "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|司空|夏侯"
_NOT_NAMES = "了的是在有我你他她它们吗呢吧啊什么怎买退换货单号住家想要说问"


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which personal data is written. `test`: what a match must pass besides."""

    kind: Kind
    pattern: re.Pattern[str]
    test: Callable[[str], bool] = lambda _found: True


def is_card(text: str) -> bool:
    """Whether the digits have a valid Luhn checksum, as bank cards do."""
    digits = [int(digit) for digit in re.sub(r"\D", "", text)]
    if len(set(digits)) < 2:
        return False
    doubled = [2 * digit - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_id(text: str) -> bool:
    """Whether the last character is the checksum of the 17 digits before it, as in a Chinese ID number."""
    digits = re.sub(r"[^\dXx]", "", text)
    if len(digits) != 18 or not digits[:17].isdigit():
        return False
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17].upper()


def is_iban(text: str) -> bool:
    """Whether an international account number has its checksum (ISO 7064 MOD 97-10)."""
    plain = re.sub(r"\s", "", text)
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def names_in(text: str) -> set[str]:
    """The names that people say are theirs: after 我叫, 收件人, "my name is" and their like."""
    found = {match.group("value") for match in _ZH_NAME.finditer(text)}
    return found | {match.group("value") for match in _EN_NAME.finditer(text)}


def _digits(least: int, most: int) -> str:
    """A run of digits, in groups or not, that no further digit or letter touches."""
    return rf"(?<![\dA-Za-z])\d(?:{_GAP}\d){{{least - 1},{most - 1}}}(?![\dA-Za-z])"


def _shape(kind: Kind, pattern: str, test: Callable[[str], bool] | None = None, flags: int = re.IGNORECASE) -> Shape:
    compiled = re.compile(pattern, flags | re.ASCII)
    return Shape(kind, compiled, test) if test else Shape(kind, compiled)


_ZH_PART = r"(?![到在是至给往住于址])[一-鿿]"  # what may stand in a place's name
_ZH_NUMBER = r"[0-9A-Za-z一二三四五六七八九十百\-]{1,8}"
_ZH_UNIT = rf"{_ZH_NUMBER}\s?(?:号楼|号院|号|弄|栋|幢|座|单元|楼|层|室|房|户)"
_ZH_REGION = (
    rf"(?:(?:{_ZH_PART}){{2,8}}?(?:特别行政区|自治区|自治州|省|市|区|县|旗|镇|乡|街道|開發區|开发区|區|縣|鎮|鄉))"
)
_ZH_ROAD = (
    rf"(?:(?:{_ZH_PART}){{1,12}}?"
    r"(?:大道|路|街|道|巷|弄|胡同|村|小区|花园|公寓|大厦|广场|社区|新村|苑|里|段|小區|花園|大廈))"
)
_EN_ROAD = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Close|"
    r"Crescent|Highway|Hwy|Parkway|Pkwy|Gardens|Grove|Row|Hill|Circle|Cir)"
)
_EN_AFTER = (
    r"(?:\.?,?\s+(?:Apt|Apartment|Flat|Unit|Suite|Ste|Room|Floor|#)\.?\s?[\w-]{1,6})?"
    r"(?:,\s?[A-Z][A-Za-z.'-]{1,20}(?:\s[A-Z][A-Za-z.'-]{1,20}){0,2}){0,3}(?:,?\s+(?:[A-Z]{2}\s+)?\d{5}(?:-\d{4})?)?"
)

SHAPES: tuple[Shape, ...] = (
    _shape(
        "email",
        r"(?<![\w.+-])(?P<value>[A-Z0-9][\w.+%-]{0,63}\s?(?:@|\(at\)|\[at\])\s?[A-Z0-9][\w-]{0,62}"
        r"(?:\s?\.\s?[A-Z][\w-]{0,62}){1,4})",
    ),
    _shape(
        "account",
        r"(?:微信|weixin|wechat|\bvx|威信|\bQQ|扣扣|whatsapp|telegram|line\s?id|支付宝账?|支付寶帳?|skype)"
        rf"{_IS}(?:\s{{0,2}}(?:id|account|number))?\s{{0,2}}(?:\bis\b|[:：])?\s{{0,2}}"
        r"(?P<value>(?=[\w.-]*\d|[\w.-]*_)[A-Z][\w.-]{3,28}\w|\+?\d[\d -]{3,18}\d)",
    ),
    _shape("id", rf"(?:身份证|身份證|证件|證件|社保卡?|驾照|驾驶证){_IS}(?P<value>\d[\d \-]{{12,22}}[\dX])"),
    _shape("id", rf"(?:护照|護照|通行证|passport){_IS}{_EN_IS}(?P<value>[A-Z]{{1,2}}\s?\d{{6,9}})"),
    _shape(
        "id",
        rf"\b(?:SSN|social security|national insurance|NI|ID(?:\s?card)?){_EN_IS}"
        r"(?P<value>(?=[A-Z0-9 -]*\d)[A-Z0-9][A-Z0-9-]{5,20})",
    ),
    _shape("id", r"(?<![\w-])(?P<value>\d{3}-\d{2}-\d{4})(?![\w-])"),  # US social security
    _shape("id", r"(?<![A-Z])(?P<value>[A-CEGHJ-PR-TW-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D])(?![A-Z0-9])"),  # UK
    _shape("id", r"(?<![A-Z])(?P<value>[A-Z]{1,2}\d{6}\([\dA]\)|[A-Z][12]\d{8})(?![A-Z0-9])"),  # Hong Kong, Taiwan
    _shape("id", rf"(?P<value>(?<![\dA-Z])\d(?:{_GAP}\d){{16}}{_GAP}[\dX])(?![\dA-Z])", is_id),
    _shape(
        "card",
        r"(?<![A-Z0-9])(?P<value>[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?)(?![A-Z0-9])",
        is_iban,
    ),
    _shape(
        "card",
        rf"(?:卡号|银行卡|銀行卡|信用卡|储蓄卡|账号|帳號|card|account|iban)(?:号|號)?{_IS}{_EN_IS}"
        rf"(?P<value>(?:[A-Z]{{2}}\d{{2}}\s?)?\d(?:{_GAP}[\dA-Z]){{9,29}})(?![\dA-Z])",
    ),
    _shape("card", rf"(?P<value>{_digits(13, 19)})", is_card),
    _shape(
        "order",
        r"(?:订单|訂單|运单|快递|快遞|物流|退款|退货|发票|發票|保单|[单單][号號]|编号|order|tracking|invoice|booking|reference|ref|case|ticket)"
        rf"(?:单号|單號|编号|編號)?{_IS}{_EN_IS}(?P<value>(?=[A-Z-]*\d[A-Z-]*\d[\dA-Z-]*\d)[A-Z0-9][A-Z0-9-]{{4,34}})(?![A-Z0-9])",
    ),
    _shape(
        "phone",
        r"(?:电话|電話|手机|手機|联系方式|聯繫方式|致电|拨打|打给我|phone|mobile|cell|tel|call me|text me|reach me|fax)"
        rf"{_IS}{_EN_IS}(?:\b(?:at|on)\s)?(?P<value>\(?\+?\d[\d \-().]{{5,20}}\d)(?![\dA-Z])",
    ),
    _shape("phone", rf"(?P<value>(?<![\dA-Z+])(?:\+|00){_GAP}\d{{1,3}}(?:{_GAP}[()]?\d){{6,13}})(?!\d)"),
    _shape("phone", rf"(?P<value>(?<![\dA-Z])(?:86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}})(?![\dA-Z])"),
    _shape("phone", r"(?P<value>(?<![\dA-Z])\(?0\d{2,3}\)?[ -]?\d{7,8}(?:\s?[-转轉]\s?\d{1,6})?)(?![\dA-Z])"),
    _shape("phone", r"(?P<value>(?<![\dA-Z])[48]00[ -]?\d{3,4}[ -]?\d{3,4})(?![\dA-Z])"),
    _shape("phone", r"(?P<value>(?<![\dA-Z])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\dA-Z])"),
    _shape("phone", r"(?P<value>(?<![\dA-Z])0\d{3,4}\s?\d{3}\s?\d{3,4})(?![\dA-Z])"),
    _shape("phone", rf"(?P<value>[{_SPOKEN}](?:[ 、,，-]?[{_SPOKEN}]){{6,14}})"),
    _shape("address", rf"(?P<value>{_ZH_REGION}{{0,4}}{_ZH_ROAD}\s?(?:{_ZH_UNIT}\s?){{1,5}})", flags=0),
    _shape("address", rf"(?P<value>{_ZH_REGION}{{1,4}}{_ZH_ROAD}{{0,2}}\s?(?:{_ZH_UNIT}\s?){{1,5}})", flags=0),
    _shape(
        "address",
        r"(?:地址|住址|住在|家住|寄到|送到|寄往)(?:是|为|[:：])?\s{0,2}(?P<value>"
        rf"{_ZH_REGION}{{1,4}}[^，,。；;！!？?\n]{{0,40}})",
        flags=0,
    ),
    _shape("address", rf"(?P<value>\b\d{{1,5}}[A-Za-z]?\s(?:[A-Z][\w'.-]*\s){{1,4}}{_EN_ROAD}\b{_EN_AFTER})", flags=0),
    _shape("address", r"(?P<value>\b(?:PO|P\.O\.)\s?Box\s\d{1,6}\b)"),
    _shape("address", r"(?P<value>\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b)", flags=0),
    _shape("address", r"(?P<value>\b[A-Z]{2}\s\d{5}(?:-\d{4})?\b)", flags=0),
    _shape("number", rf"(?P<value>{_digits(9, 40)})"),
)
"""In this order: what one shape has found is not looked at by the next."""

_ZH_NAME = re.compile(
    r"(?:我叫|我的名字[是叫]|名字[是叫]|姓名\s?(?:是|[:：])?|收[件货]人\s?(?:是|[:：])?|联系人\s?(?:是|[:：])?|叫我|本人)\s?"
    rf"(?P<value>[^\W\d_A-Za-z]{{1,8}}·[^\W\d_A-Za-z]{{1,12}}|[小老阿][{_SURNAMES}]"
    rf"|(?:(?:{_COMPOUND})|[{_SURNAMES}])[^\W\d_A-Za-z{_NOT_NAMES}]{{1,2}})"
)
_EN_PART = r"(?:[A-Z]['’])?[A-Z][a-z]+(?:[-'’][A-Z]?[a-z]+)?"
_EN_NAME = re.compile(
    r"(?:[Mm]y (?:full )?name(?: is|'s)|[Nn]ame\s?[:：]|[Tt]his is|[Cc]all me|[Rr]ecipient\s?[:：]?|我叫|姓名[:：]?)\s+"
    rf"(?P<value>(?!I\b|The\b|My\b|A\b|An\b|Not\b){_EN_PART}(?:\s(?:[A-Z]\.\s)?{_EN_PART}){{0,2}})"
)
