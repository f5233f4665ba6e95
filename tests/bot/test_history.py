from collections.abc import Callable
from datetime import datetime

from bot import history
from bot.cite import cite_faq
from bot.types import Answer, Conversation, Message
from knowledge_base.types import Hit, Passage

NOW = datetime(2026, 1, 1)


def dialogue(*messages: tuple[str, str], answer: Answer | None = None) -> Conversation:
    return Conversation(
        "c",
        tuple(
            Message(str(n), role, text, NOW, answer if role == "bot" else None)
            for n, (role, text) in enumerate(messages)
        ),  # type: ignore[arg-type]
    )


def test_only_questions_are_remembered() -> None:
    talk = dialogue(
        ("customer", "你好"),
        ("customer", "怎么退货"),
        ("bot", "七天内"),
        ("customer", "thanks"),
        ("customer", "转人工"),
    )
    assert history.questions(talk) == ["怎么退货"]


def test_the_language_is_that_of_the_question_else_of_the_customer() -> None:
    talk = dialogue(("customer", "怎么退货"), ("customer", "how"), ("bot", "七天内"))
    assert history.language(talk, "多久") == "zh"
    assert history.language(talk, "12345") == "en"
    assert history.language(dialogue(), "12345") == "zh"


def test_the_topic_is_the_source_cited_last(passage: Callable[..., Passage]) -> None:
    answer = Answer("b", "faq", "a", "zh", citations=cite_faq(Hit(passage("a", title="手册"), 1.0)))
    assert history.topic(dialogue(("customer", "q"), ("bot", "a"), answer=answer)) == "手册"
    assert history.topic(dialogue(("customer", "q"), ("bot", "a"))) == ""
