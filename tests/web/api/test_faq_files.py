"""Importing and exporting FAQs over HTTP: dry run first, then all or nothing."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from bot.bot import Bot
from knowledge_base.knowledge_base import KnowledgeBase
from web.api import faq_import

SignIn = Callable[..., TestClient]
GOOD = "id,question,answer\na.zh,怎么退货？,十五天内。\nb.en,Are you open?,Daily.\n"


@pytest.fixture
def editor(sign_in: SignIn) -> TestClient:
    return sign_in("editor")


def check(editor: TestClient, text: str | bytes, name: str = "faqs.csv") -> Any:
    data = text.encode() if isinstance(text, str) else text
    return editor.post("/api/faqs/import/check", files={"file": (name, data)}).json()


def confirm(editor: TestClient, text: str, token: str, name: str = "faqs.csv") -> Any:
    return editor.post("/api/faqs/import", files={"file": (name, text.encode())}, data={"token": token})


def test_a_dry_run_writes_nothing_and_its_token_imports_all(editor: TestClient, bot: Bot) -> None:
    dry = check(editor, GOOD)
    assert (dry["rows"], dry["added"], dry["changed"], dry["problem_count"]) == (2, 2, 0, 0)
    assert editor.get("/api/faqs").json()["total"] == 0
    assert confirm(editor, GOOD, dry["token"]).json() == {"added": 2, "changed": 0, "unchanged": 0}
    assert bot.knowledge.search("怎么退货", "zh")[0].exact
    assert check(editor, GOOD)["unchanged"] == 2
    assert check(editor, GOOD.encode("gbk"))["unchanged"] == 2


def test_problems_are_counted_and_told_in_both_languages(editor: TestClient) -> None:
    rows = [
        "c,怎么换货？,可以。,",
        "d,,x,",
        "a.zh,重复,x,",
        "e,怎么换货,x,",
        "f,q,a,live",
        *[f"n{n},,x," for n in range(150)],
    ]
    text = "id,question,answer,status\na.zh,怎么退货？,十五天内。,\n" + "\n".join(rows)
    dry = check(editor, text)
    assert dry["token"] == "" and dry["problem_count"] == 154 and len(dry["problems"]) == 100
    told = {one["row"]: (one["code"], one["message"]["zh"], one["message"]["en"]) for one in dry["problems"]}
    assert told[4] == ("empty", "不能为空", "must not be empty")
    assert told[5][0] == "repeated" and told[6][0] == "same_question" and "3" in told[6][1]
    assert told[7] == (
        "choice",
        "“live”不可用，应为：draft, review, published",
        "“live” must be one of draft, review, published",
    )
    refused = confirm(editor, text, dry["token"])
    assert refused.status_code in (400, 409) and editor.get("/api/faqs").json()["total"] == 0


def test_what_would_change_is_shown_and_a_change_meanwhile_stops_the_import(editor: TestClient) -> None:
    confirm(editor, GOOD, check(editor, GOOD)["token"])
    new = GOOD.replace("十五天内", "三十天内")
    dry = check(editor, new)
    assert (dry["changed"], dry["unchanged"]) == (1, 1)
    assert dry["changes"][0]["before"] == {"answer": "十五天内。"} and dry["changes"][0]["after"] == {
        "answer": "三十天内。"
    }
    assert confirm(editor, new + "c,q,a\n", dry["token"]).status_code == 409
    body = {"question": "怎么退货？", "answer": "十天。", "language": "zh", "status": "published", "version": 1}
    assert editor.put("/api/faqs/item/a.zh", json=body).status_code == 200
    late = confirm(editor, new, dry["token"])
    assert late.status_code == 409 and late.json()["error"]["code"] == "import_changed"
    assert editor.get("/api/faqs/item/a.zh").json()["answer"] == "十天。"


def test_a_cancelled_import_writes_nothing(editor: TestClient, bot: Bot) -> None:
    knowledge = bot.knowledge
    assert isinstance(knowledge, KnowledgeBase)

    def failing(*_: object) -> object:
        raise RuntimeError("the encoder broke")

    dry = check(editor, GOOD)
    knowledge.editing._encoder.encode_passages = failing  # type: ignore[method-assign]
    assert confirm(editor, GOOD, dry["token"]).status_code == 500
    assert editor.get("/api/faqs").json()["total"] == 0


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
def test_an_export_can_be_imported_again(editor: TestClient, format: str) -> None:
    risky = GOOD.replace("Daily.", "=1+1").replace("Are you open?", "@SUM?")
    confirm(editor, risky, check(editor, risky)["token"])
    exported = editor.get(f"/api/faqs/export?format={format}")
    assert "attachment" in exported.headers["content-disposition"]
    dry = check(editor, exported.content, f"again.{format}")
    assert (dry["unchanged"], dry["problem_count"]) == (2, 0)
    assert editor.get(f"/api/faqs/export?format={format}&language=en&q=SUM").status_code == 200


def test_the_template_is_a_file_that_can_be_imported(editor: TestClient) -> None:
    for format in ("csv", "xlsx"):
        template = editor.get(f"/api/faqs/template?format={format}").content
        assert check(editor, template, f"t.{format}")["added"] == 2
    assert load_workbook(io.BytesIO(template)).worksheets[0].cell(1, 2).value == "question"


def test_too_large_files_and_strangers_are_refused(
    editor: TestClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faq_import, "MOST_BYTES", 100)
    assert check(editor, b"x" * 101)["error"]["code"] == "import_too_large"
    monkeypatch.setattr(faq_import, "MOST_ROWS", 1)
    assert check(editor, "question,answer\na,b\nc,d\n")["problems"][0]["code"] == "too_many_rows"
    assert sign_in("agent").post("/api/faqs/import/check", files={"file": ("a.csv", b"")}).status_code == 403
    assert editor.post("/api/faqs/import/check").status_code == 400


def test_fifty_thousand_rows_are_read_to_the_last(editor: TestClient) -> None:
    rows = [f"f{number},{number} 号商品能退吗？,可以。" for number in range(faq_import.MOST_ROWS)]
    assert faq_import.MOST_ROWS == 50_000
    dry = check(editor, "id,question,answer\n" + "\n".join(rows))
    assert (dry["rows"], dry["added"], dry["problem_count"]) == (50_000, 50_000, 0) and dry["token"]
    rows[-1] = "last,,可以。"
    dry = check(editor, "id,question,answer\n" + "\n".join(rows))
    assert [(one["row"], one["field"]) for one in dry["problems"]] == [(50_001, "question")] and not dry["token"]
    dry = check(editor, "id,question,answer\n" + "\n".join([*rows, "one,more,row"]))
    assert dry["problems"][0]["code"] == "too_many_rows" and not dry["token"]
    assert editor.get("/api/faqs").json()["total"] == 0
