"""Recognises messages that are no question: asking for a person, greeting, thanks, goodbye, "who are you".

Pure function of the text. A message counts only when nothing else stands in it: "谢谢，怎么退货？" is a
question. Knows nothing of search, wording or conversations.
"""

import re
import unicodedata
from typing import Literal

from knowledge_base.language import to_simplified

Control = Literal["person", "identity", "none", "goodbye", "thanks", "greeting", "acknowledge", "unclear"]

_STRENGTH: tuple[Control, ...] = (
    "person",
    "identity",
    "none",
    "goodbye",
    "thanks",
    "greeting",
    "acknowledge",
)

# --- asking for a person: a clause of its own, beside which anything else may be said -----------------------
_ZH_PERSON = r"(?:人工|真人|活人)(?:在线)?(?:客服|服务|坐席|座席|人员)?"
_ZH_STAFF = r"(?:在线)?(?:客服(?:人员|专员|经理)?|坐席|座席|工作人员|专员|负责人|经理|主管|店长)"
_ZH_SOME = r"(?:一下|(?:一)?[个位名]|你们(?:的|家)?|您们)?"
_ZH_LEAD = (
    r"(?!.*(?:不要|不想|不用|不需|不必|无需|别))"
    r"[我就还是那请你您们麻烦帮忙给想要求需能不可以否直接快点赶紧马上立刻现在]*"
)
_ZH_VERB = r"(?:转接?到?给?|接通?入?|找|联系|叫|换成?|要|需要|呼叫|切换?到?|连接)"
_ZH_TAIL = r"(?:吧|吗|么|啊|呀|啦|了|一下|好吗|可以吗|行吗|行不行|好不好|谢谢|来|帮我|帮忙)*"
_ZH_MATTER = r"(?:(?:来)?(?:咨询|询问|处理|解决|沟通|反馈|投诉).*)?"
_ZH_TALK = r"(?:说话|说|聊天|聊聊|聊|谈谈|谈|讲话|讲|沟通|对话|通话|交流)"

_EN_SOMEONE = (
    r"(?:(?:a|an|the|some|your|any|one\s+of\s+your)\s+)?"
    r"(?:(?:real|live|human|actual|customer|service|support|sales)\s+)*"
    r"(?:person|human(?:\s+being)?|people|agents?|rep|reps|representatives?|operator|someone|somebody|anyone|anybody|"
    r"staff(?:\s+member)?|member\s+of\s+staff|service|support|care|team|advis[oe]r|manager|supervisor)"
)
_EN_HUMAN = (
    r"(?:(?:a|an|the|some|your|any)\s+)?(?:(?:real|live|human|actual|customer|service|support)\s+)*"
    r"(?:person|human(?:\s+being)?|agent|rep|representative|operator)"
)
_EN_LEAD = (
    r"(?:(?:no|but|please|pls|can|could|may|might|would|will|i|we|you|i'd|i'll|like|want|wanna|need|rather|prefer|"
    r"to|just|let|me|how|do|does|is|it|possible|there|a\s+way|now|then|so|actually|really|hi|hello|hey)\s+)*"
)
_EN_TAIL = r"(?:\s+(?:please|pls|now|instead|here|right\s+now|asap|directly|today|thanks|thank\s+you))*"
_EN_MATTER = r"(?:\s+(?:about|regarding|concerning)\s+.+)?"

_PERSON_CLAUSE = re.compile(
    "|".join(
        [
            rf"{_ZH_LEAD}{_ZH_VERB}{_ZH_SOME}{_ZH_PERSON}{_ZH_MATTER}{_ZH_TAIL}",
            rf"{_ZH_LEAD}{_ZH_VERB}{_ZH_SOME}{_ZH_STAFF}{_ZH_TAIL}",
            rf"{_ZH_LEAD}(?:怎么|如何|怎样)(?:才能|可以|能)?{_ZH_VERB}{_ZH_SOME}{_ZH_PERSON}{_ZH_TAIL}",
            rf"{_ZH_LEAD}[跟和与同]{_ZH_SOME}(?:{_ZH_PERSON}|{_ZH_STAFF}){_ZH_TALK}{_ZH_TAIL}",
            rf"(?:我)?(?:不要|不想要?)(?:[跟和与同]|用)?机器人(?:客服)?{_ZH_TALK}?{_ZH_TAIL}",
            rf"{_ZH_LEAD}换个?人{_ZH_TAIL}",
            rf"{_EN_LEAD}(?:talk|speak|chat)(?:ing)?\s+(?:to|with)\s+{_EN_SOMEONE}{_EN_MATTER}{_EN_TAIL}",
            rf"{_EN_LEAD}(?:connect|transfer|pass|put|switch|redirect|escalate|hand)(?:\s+(?:me|this|us))?"
            rf"(?:\s+(?:over|through))?\s+(?:to|with)\s+{_EN_SOMEONE}{_EN_TAIL}",
            rf"{_EN_LEAD}(?:get|give|find|want|need|have|reach|contact)\s+(?:me\s+)?{_EN_HUMAN}{_EN_TAIL}",
            rf"is\s+there\s+{_EN_SOMEONE}\s+(?:that\s+)?i\s+can\s+(?:talk|speak|chat)\s+(?:to|with){_EN_TAIL}",
        ]
    )
)

# --- phrases of which a message may wholly consist ----------------------------------------------------------
_PHRASES: dict[Control, str] = {
    "person": (
        r"(?:有没有|有)?(?:人工|真人)(?:在线)?(?:客服|服务|坐席)?(?:在)?(?:吗|么)?|有人(?:在)?(?:吗|么)|有没有人(?:在)?|"
        r"有客服(?:在)?(?:吗|么)|(?:is\s+)?(?:anyone|anybody|someone)\s+(?:there|here)|"
        r"(?:(?:a|an)\s+)?(?:real|live|human|actual)\s+(?:person|human|agent|operator|chat|support|being)|"
        r"(?:a\s+)?human|live\s+chat|representative|operator|agent|customer\s+(?:service|support)"
    ),
    "identity": (
        r"你们?(?:是|叫)(?:谁|什么(?:名字)?|啥)|您(?:是哪位|是谁|贵姓)|你叫什么|"
        r"你(?:是不是|是)(?:一?个)?(?:机器人|真人|人工(?:客服|智能)?|ai|活人|人类|人|客服)(?:吗|么)?(?:还是(?:机器人|真人|人工|人|ai))?|"
        r"你(?:能|会|可以)(?:帮我)?(?:做|干)?(?:些)?(?:什么|啥)|你有(?:什么|哪些)功能|(?:请)?(?:自我介绍|介绍一下你自己)|"
        r"(?:who|what)\s+are\s+you|what(?:'s|\s+is)\s+your\s+name|what\s+can\s+you\s+(?:do|help(?:\s+me)?\s+with)|"
        r"are\s+you\s+(?:an?\s+)?(?:real\s+|actual\s+|chat\s*)?(?:human(?:\s+being)?|person|bot|robot|ai|machine|real)|"
        r"am\s+i\s+(?:talking|speaking|chatting)\s+(?:to|with)\s+(?:an?\s+)?(?:real\s+)?(?:human|person|bot|robot|machine)|"
        r"introduce\s+yourself"
    ),
    "none": (
        r"(?:以上|这些|上面)?都不(?:是|对)|以上(?:都没有|皆非)|没有我(?:想|要)问的|"
        r"none(?:\s+of\s+(?:these|those|them|the\s+above))?|neither(?:\s+of\s+(?:these|them))?"
    ),
    "goodbye": (
        r"再见|再会|拜拜|拜|回见|下次见|回头见|晚安|88+|good\s*bye|bye(?:\s*bye)?|see\s+(?:you|ya)(?:\s+(?:later|soon))?|"
        r"farewell|have\s+a\s+(?:nice|good|great)\s+(?:day|evening|weekend|one)|good\s*night"
    ),
    "thanks": (
        r"(?:非常|十分|太|多|好的)?(?:谢谢|感谢)(?:你们?|您|大家)?(?:的?(?:帮助|帮忙|解答|回复|耐心))?|多谢(?:你|您)?|谢了|谢|"
        r"辛苦(?:你|您)?了?|3q|thank\s*you|thanks|thanx|thx|ty|cheers|much\s+appreciated|(?:i\s+)?appreciate\s+(?:it|that)|"
        r"(?:that\s+)?(?:was\s+)?(?:very\s+)?helpful|that\s+helps"
    ),
    "greeting": (
        r"(?:你|您|你们|大家|客服)好(?:吗)?|哈[喽啰罗]|嗨|嘿|(?:早上|上午|中午|下午|晚上)好|早安|早|午安|在(?:吗|么|不在|不)|"
        r"hi+|hello+|hey+|hiya|howdy|greetings|good\s+(?:morning|afternoon|evening|day)|how\s+are\s+you(?:\s+doing)?|"
        r"what's\s+up|yo"
    ),
    "acknowledge": (
        r"好的?|行|可以了|嗯+|哦+|噢+|明白了?|知道了?|懂了?|了解了?|收到|没(?:事|有)?(?:其他)?(?:问题)?了|不用了?|不需要了|没问题|"
        r"ok(?:ay)?|k|alright|all\s+right|great|cool|perfect|good|nice|fine|got\s+it|i\s+see|understood|sure|awesome|"
        r"no\s+problem|never\s*mind|that(?:'s|\s+is)\s+(?:all|it|fine|great|good|perfect)|no(?=\s+(?:thanks|thank|thx))|"
        r"(?:that\s+)?works|nothing\s+else"
    ),
}
_FILLER = (
    r"啊|呀|哈|呢|吧|哦|噢|喔|哟|额|呃|亲+|了|啦|的|哈+|请问|请|麻烦|一下|先|那|"
    r"there|so|very|much|a\s+lot|lots|for\s+(?:your|the|all\s+your)\s+(?:help|time|reply|answer|information)|"
    r"for\s+(?:that|this|helping(?:\s+me)?|everything)|again|then|now|all|everyone|team|please|and|you|many|dear|sir|madam"
)
_ADDRESS = r"客服(?:小姐姐|小哥哥)?"

_EDGE = r"(?:(?<![a-z0-9])|(?![a-z0-9']))"  # a Latin phrase ends where its word ends
_STEP = re.compile(
    "|".join(f"(?P<{kind}>(?:{phrase}){_EDGE})" for kind, phrase in _PHRASES.items())
    + f"|(?P<address>{_ADDRESS})|(?P<filler>(?:{_FILLER}){_EDGE})"
)
_EMOJI: dict[Control, str] = {"greeting": "👋🙋", "thanks": "🙏❤💐🌹🥰😘", "acknowledge": "👍👌😊🙂😄😀😁✅"}
_HAN = r"[\u3400-\u9fff]"
_SPACED_OUT = re.compile(rf"(?<=\b{_HAN})\s+(?={_HAN}\b)")  # "转 人 工"
_CUT = re.compile(rf"[^\w'\s]+|_+|\n+|(?<={_HAN})\s+|\s+(?={_HAN})")
_LONGEST_CLAUSE = 120  # a longer one tells a story; control phrases are short


def control(text: str) -> Control | None:
    """What the message asks for when it is no question; None when it is one.

    "person" wins over everything said beside it; among the others the strongest counts ("thanks, bye" is a
    goodbye). "unclear" is a message without a letter, digit or known emoji. Raises nothing.
    """
    folded = to_simplified(unicodedata.normalize("NFKC", text)).lower().replace("’", "'")
    clauses = [clause.strip() for clause in _CUT.split(_SPACED_OUT.sub("", folded)) if clause.strip()]
    if not clauses:
        return _of_symbols(text)
    if any(len(clause) <= _LONGEST_CLAUSE and _PERSON_CLAUSE.fullmatch(clause) for clause in clauses):
        return "person"
    return _of_phrases(" ".join(clauses))


def _of_phrases(text: str) -> Control | None:
    found: set[str] = set()
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        step = _STEP.match(text, at)
        if step is None or step.end() == at:
            return None
        found.add(str(step.lastgroup))
        at = step.end()
    for kind in _STRENGTH:
        if kind in found:
            return kind
    return "person" if "address" in found else None


def _of_symbols(text: str) -> Control:
    for kind, emoji in _EMOJI.items():
        if any(character in emoji for character in text):
            return kind
    return "unclear"
