import time

import pytest

from bot.control import control

PERSON = [
    "转人工",
    "我要转人工客服",
    "人工",
    "人工客服",
    "客服",
    "有人吗？",
    "你好，转人工",
    "麻烦帮我转接一下人工客服，谢谢",
    "我想找真人客服",
    "能不能跟真人说话",
    "联系客服",
    "怎么转人工？",
    "我的订单坏了，转人工！",
    "轉人工客服",
    "找你们经理",
    "不要机器人",
    "转 人 工",
    "我想找人工客服咨询退货",
    "叫个客服来",
    "human",
    "I want to talk to a person",
    "Can I speak to a human?",
    "agent please",
    "hi, can I talk to someone about my refund",
    "Please connect me with a representative.",
    "transfer me to a live agent",
    "I need a real person now",
    "Is anyone there?",
    "how do I talk to a human",
    "Is there someone I can talk to?",
    "This is useless. Get me a human!",
    "customer service",
    "No, I’d like to speak with a supervisor",
]
QUESTION = [
    "谢谢，怎么退货？",
    "人工费多少钱",
    "hi, where is my order",
    "Is there a person who can install it?",
    "你好，请问几点开门",
    "不要转人工",
    "我不想找人工客服",
    "I don't want to talk to a person",
    "怎么联系客服？",
    "客服电话是多少",
    "人工客服几点上班",
    "有人工安装服务吗",
    "How do I contact customer service?",
    "Thanks. How do I return it?",
    "退货需要工作人员上门吗",
    "再见面礼盒多少钱",
    "你好牌牙膏有货吗",
    "早餐有吗",
    "Do I need a person to sign for it?",
    "What is a human hair wig?",
    "goodbye kitty phone case price",
    "ok so how long does shipping take",
    "Hi-Res耳机支持吗",
    "多谢绝寄送的地区有哪些",
    "能不能换货",
    "要发票",
    "I need support with my invoice",
    "你能开发票吗",
    "are you open on Sunday",
    "who are your suppliers",
    "真人秀门票",
    "人工智能音箱怎么连网",
    "88元包邮吗",
    "yes",
    "是",
    "换人工皮革的怎么换",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "小王，在吗啡是什么",
]
OTHERS = {
    "greeting": [
        "你好",
        "您好！",
        "Hi",
        "hello there",
        "在吗",
        "早上好",
        "嗨，你好呀",
        "Good morning",
        "hey 👋",
        "👋",
        "客服你好",
        "哈囉",
    ],
    "thanks": [
        "谢谢",
        "非常感谢您的帮助",
        "多谢啦",
        "thanks a lot!",
        "Thank you very much for your help.",
        "好的谢谢",
        "ok, thanks",
        "no thanks",
        "謝謝",
        "太感谢了",
        "不用了，谢谢",
        "🙏",
    ],
    "goodbye": ["再见", "拜拜", "谢谢，再见", "bye", "Thanks, bye!", "Have a nice day", "88"],
    "identity": [
        "你是谁",
        "你是谁？",
        "你是机器人吗",
        "你好，你叫什么名字",
        "你能做什么",
        "你是誰",
        "Who are you?",
        "are you a bot?",
        "Are you a real person",
        "what can you do",
        "Hi, what’s your name?",
    ],
    "acknowledge": ["好的", "嗯嗯", "知道了", "ok", "Got it.", "that's all", "👍", "没问题"],
    "none": ["以上都不是", "都不是", "None of these", "none of the above"],
    "unclear": ["？？？", "...", "🤖", "   ", "", "\x00\x01", "!!!"],
}


@pytest.mark.parametrize("text", PERSON)
def test_asking_for_a_person(text: str) -> None:
    assert control(text) == "person"


@pytest.mark.parametrize("text", QUESTION)
def test_a_question_is_no_control_phrase(text: str) -> None:
    assert control(text) is None


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in OTHERS.items() for text in texts])
def test_smalltalk(kind: str, text: str) -> None:
    assert control(text) == kind


@pytest.mark.parametrize(
    "text", ["想要" * 1000, "可以能不能" * 400, "i want to " * 200, "谢" * 2000 + "x", "好的" * 900 + "?a"]
)
def test_a_hostile_message_is_judged_quickly(text: str) -> None:
    started = time.perf_counter()
    control(text)
    assert time.perf_counter() - started < 0.5
