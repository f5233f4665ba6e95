"""An entry of the audit log in words."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from knowledge_base.types import Language
from web.console.audit_list import _row
from web.staff.audit import Change

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(language: Language, action: str, subject: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    return _row(SimpleNamespace(language=language), Change(1, AT, "Lin", action, subject, before, after))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "what", "details"),
    [
        ("zh", "修改员工", "角色：编辑 → 管理员；启用：✓ → ✗；密码：已更换"),
        ("en", "changed a colleague", "role: Editor → Admin; active: ✓ → ✗; password: changed"),
    ],
)
def test_a_changed_account(language: Language, what: str, details: str) -> None:
    before = {"name": "Bo", "role": "editor", "active": True}
    after = {"name": "Bo", "role": "admin", "active": False, "password": "changed"}
    made = row(language, "staff.change", "0" * 32, before, after)
    assert (made["what"], made["subject"], made["url"], made["details"]) == (what, "Bo", "", details)


def test_where_long_texts_differ_is_seen() -> None:
    before, after = {"answer": "一" * 200 + "旧的结尾"}, {"answer": "一" * 200 + "新的结尾"}
    made = row("zh", "faq.change", "a/b.zh", before, after)
    assert made["details"] == f"回答：…{'一' * 12}旧的结尾 → …{'一' * 12}新的结尾"
    assert made["url"] == "/console/faqs/a%2Fb.zh"


def test_many_faqs_a_conversation_and_what_is_gone() -> None:
    states = {"a.zh": {"status": "draft"}}, {"a.zh": {"status": "published"}}
    many = row("zh", "faq.bulk_change", "1 FAQs", *states)
    assert (many["subject"], many["details"]) == ("1 条问题", "a.zh：状态：草稿 → 状态：已发布")
    taken = row("en", "desk.close", "abcd" * 8, None, {"outcome": "solved"})
    assert (taken["subject"], taken["details"]) == ("Customer ABCD", "outcome: solved")
    assert taken["url"] == "/console/conversations/" + "abcd" * 8
    assert row("en", "document.erase", "a.pdf")["url"] == row("en", "conversation.erase", "abcd")["url"] == ""


def test_what_is_not_known_stays_as_it_was_noted() -> None:
    made = row("zh", "something.new", "x", None, {"shade": ["red", 3], "empty": None})
    assert (made["what"], made["subject"], made["details"]) == ("something.new", "x", "shade：red，3")
