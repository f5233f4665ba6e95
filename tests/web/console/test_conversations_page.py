"""Conversations are searched, read, corrected and erased, in a real browser."""

import httpx
import pytest
from playwright.sync_api import expect

from bot.examples import Example, Examples
from knowledge_base.database import open_database
from tests.web.console.conftest import Console
from training.dataset import build

pytestmark = pytest.mark.browser
LISTENS = "window.did_handshake"  # from then on the server hears clicks
WORDS = {
    "zh": ("怎么申请退货？", "搜索会话内容", "依据与分数", "更正这个回答", "正确的回答应该是", "保存", "抹除客户数据"),
    "en": (
        "How do I return an item?",
        "Search what was said",
        "Evidence and scores",
        "Correct this answer",
        "What the answer should have been",
        "Save",
        "Erase the customer's data",
    ),
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_conversation_is_found_corrected_and_erased(console: Console, language: str) -> None:
    question, search, details, correct, should, save, erase = WORDS[language]
    for asked in (question, "zzz"):
        httpx.post(f"{console.url}/chat/stream", json={"text": asked, "token": ""}, timeout=30)
    page = console.page("admin", language)
    page.goto(f"{console.url}/console/conversations")
    page.wait_for_function(LISTENS)
    expect(page.get_by_test_id("total")).to_contain_text("2")
    page.get_by_label(search).fill(question)
    expect(page.get_by_test_id("total")).to_contain_text("1")
    assert "text=" in page.url
    page.reload()  # the filter stands in the address
    page.wait_for_function(LISTENS)
    expect(page.get_by_label(search)).to_have_value(question)
    page.get_by_role("link", name=question).click()
    page.get_by_test_id("line-bot").wait_for()
    page.wait_for_function(LISTENS)

    answer = page.get_by_test_id("line-bot")
    answer.get_by_text(details).click()
    expect(answer.get_by_role("cell", name=question).first).to_be_visible()
    answer.get_by_role("button", name=correct).click()
    page.get_by_label(should).fill("<b>14</b>")
    page.get_by_role("button", name=save).click()
    expect(answer.get_by_text("<b>14</b>")).to_be_visible()

    teach(console, page.url.rpartition("/")[2])
    page.get_by_role("button", name=erase).click()
    expect(page.get_by_role("dialog")).to_contain_text("june")
    page.get_by_role("dialog").get_by_role("button", name=erase).click()
    receipt = page.get_by_test_id("receipt")
    for told in (
        "kefu backup",
        "june",
        {"zh": "学习样本（包括待审核的）：1", "en": "also those to be reviewed: 1"}[language],
    ):
        expect(receipt).to_contain_text(told)
    page.goto(f"{console.url}/console/conversations")
    page.wait_for_function(LISTENS)
    expect(page.get_by_test_id("total")).to_contain_text("1")


def teach(console: Console, conversation_id: str) -> None:
    """Let a round of learning hold an example of the conversation."""
    engine = open_database(f"sqlite:///{console.data / 'kefu.sqlite'}")
    one = Example("0" * 64, conversation_id, "staff", "en", "question?", "answer.", status="approved")
    Examples(engine).add([one])
    engine.dispose()
    build([one], [], console.data / "rounds" / "june" / "dataset")


def test_who_may_not_erase_is_not_offered_it(console: Console) -> None:
    httpx.post(f"{console.url}/chat/stream", json={"text": "zzz", "token": ""}, timeout=30)
    page = console.page("agent", "en")
    page.goto(f"{console.url}/console/conversations")
    page.wait_for_function(LISTENS)
    page.get_by_role("link", name="zzz").click()
    expect(page.get_by_test_id("line-customer")).to_contain_text("zzz")
    assert page.get_by_role("button", name="Erase").count() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as text").click()
    assert "zzz" in page.request.get(download.value.url).text()
    page.get_by_role("link", name="Back to the list").click()
    expect(page).to_have_url(f"{console.url}/console/conversations")
