from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompt import ABSTAIN, prompt
from bot.types import Message, Role
from knowledge_base.types import Hit, Language, Passage

NOW = datetime(2026, 1, 1)


@pytest.mark.parametrize(("language", "label"), [("zh", "资料 1"), ("en", "Passage 1")])
def test_passages_stand_under_their_headings_before_the_question(
    passage: Callable[..., Passage], language: Language, label: str
) -> None:
    hit = Hit(passage("正文。", title="手册", headings=("手册", "保养")), 0.9)
    messages = prompt("怎么洗？", language, [hit])
    assert [m["role"] for m in messages] == ["system", "user"]
    assert ABSTAIN in messages[0]["content"]
    asked = messages[1]["content"]
    assert asked.startswith(f"[{label}] 手册 > 保养\n正文。") and asked.endswith("怎么洗？")


def test_the_dialogue_so_far_stands_between() -> None:
    history = [Message("1", "customer", "q1", NOW), Message("2", "bot", "a1", NOW), Message("3", "staff", "a2", NOW)]
    assert prompt("q2", "en", [], history)[1:-1] == [
        {"role": "user", "content": "q1"},
        {"role": "assistant", "content": "a1\na2"},
    ]


@given(st.lists(st.sampled_from(["customer", "bot", "staff"]), max_size=9))
def test_roles_always_alternate(roles: list[Role]) -> None:
    messages = prompt("q", "zh", [], [Message(str(n), role, "x", NOW) for n, role in enumerate(roles)])
    said = [message["role"] for message in messages[1:]]
    assert said == ["user", "assistant"] * (len(said) // 2) + ["user"]
