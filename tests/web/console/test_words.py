"""The console's sentences: both languages side by side, with the same things filled in."""

import re
import string
from pathlib import Path
from typing import get_args

import pytest

from bot.control import Control
from bot.erase import _OF_CONVERSATION, _OF_MESSAGES
from bot.handoff import Reason
from web.console.evidence import reason, times
from web.console.words import WORDING, words
from web.staff.roles import Permission

ROOT = Path(__file__).parents[3]
ACTS = re.compile(
    r'"((?:staff|session|document|faq|desk|unanswered|golden|example|round|release|key|conversation)\.\w+)"'
)
PAGES = sorted(path.stem for path in WORDING.glob("*.toml"))
HAN = re.compile(r"[\u3400-\u9fff]")


def filled(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("page", PAGES)
def test_each_sentence_is_there_in_both_languages(page: str) -> None:
    for name, text in words(page).items():
        assert set(text) == {"zh", "en"} and text["zh"].strip() and text["en"].strip(), name
        assert filled(text["zh"]) == filled(text["en"]), name
        assert not HAN.search(text["en"]), name


def test_every_act_of_the_audit_log_has_its_words() -> None:
    sources = [*(ROOT / "web" / "api").glob("*.py"), *(ROOT / "web" / "commands").glob("*.py")]
    acts = {act for path in sources for act in ACTS.findall(path.read_text("utf-8"))} - set(get_args(Permission))
    assert {"faq.change", "desk.claim", "release.promote"} < acts
    for act in acts - {"unanswered.ignored"}:  # where a setting is kept
        assert act.replace(".", "_") in words("audit"), act


def test_everything_that_a_receipt_of_erasure_counts_has_its_words() -> None:
    for table in ("conversation", *(table.name for table in (*_OF_MESSAGES, *_OF_CONVERSATION))):
        assert f"table_{table}" in words("conversations"), table
        assert f"field_{table}" in words("audit"), table


@pytest.mark.parametrize(
    ("logged", "zh", "en"),
    [
        ("nothing found", "没有找到内容", "nothing was found"),
        ("exact phrasing", "与常见问题的一种问法完全相同", "word for word a phrasing of an FAQ"),
        ("confidence 0.42, threshold 0.5", "置信度 0.42，回答阈值 0.5", "confidence 0.42, answered from 0.5 on"),
        (
            "confidence 0.62, threshold 0.5; not supported: 12 元",
            "置信度 0.62，回答阈值 0.5；没有依据的内容：12 元",
            "confidence 0.62, answered from 0.5 on; not supported: 12 元",
        ),
        ("failed: RuntimeError", "出错（RuntimeError）", "it failed (RuntimeError)"),
        ("something new", "something new", "something new"),
        ("", "", ""),
    ],
)
def test_a_logged_reason_is_told_in_words(logged: str, zh: str, en: str) -> None:
    assert (reason(logged, "zh"), reason(logged, "en")) == (zh, en)


def test_every_control_and_every_reason_to_pass_on_has_its_words() -> None:
    for logged in [f"control: {one}" for one in get_args(Control)] + [f"handoff: {one}" for one in get_args(Reason)]:
        assert reason(logged, "zh") != logged != reason(logged, "en")
        assert HAN.search(reason(logged, "zh"))


def test_times_are_told_in_the_order_of_the_steps() -> None:
    took = {"total": 12.4, "search": 3.21}
    assert times(took, "zh") == "检索 3.2 毫秒 · 合计 12 毫秒"
    assert times(took, "en") == "search 3.2 ms · in all 12 ms"
