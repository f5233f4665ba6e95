"""A customer and a person: waiting, talking, back to the bot, in a real browser against the scripted server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.mock_server import MockServer

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Ask = Callable[[Page, str], None]
WAITING = ("已为您转接，前面还有 2 位，预计等待 3 分钟。", "You're in the queue: 2 ahead of you, about 3 minutes.")
WORDS = {
    "zh": ("取消等待", "正在与 An 对话", "已读", "An 正在输入", "解决了", "谢谢，已记录。", "下载对话记录", "转人工"),
    "en": (
        "Leave the queue",
        "You are talking to An",
        "Read",
        "An is typing",
        "Yes",
        "Thank you, noted.",
        "Download the conversation",
        "Talk to a person",
    ),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_waiting_talking_and_back(visit: Visit, server: MockServer, ask: Ask, lang: str, tmp_path: Path) -> None:
    cancel, talking, read, typing, yes, thanks, download, person = WORDS[lang]
    server.desk = {"state": "bot", "open": True}
    page = visit(lang, locale="zh-CN" if lang == "zh" else "en-GB")
    assert server.scripts_sent == ["/widget.js"]  # the rest is fetched only when it is needed
    page.locator(".head").get_by_role("button", name=person).click()
    expect(page.locator(".me .bubble")).to_have_text(person)  # asked of the bot, no form
    expect(page.locator(".bubble").last).to_contain_text("OK")
    server.turn("waiting", *WAITING)
    expect(page.locator(".desk")).to_contain_text(WAITING[lang == "en"])
    expect(page.locator(".head").get_by_role("button", name=person)).to_be_hidden()
    ask(page, "hello?")
    expect(page.locator(".dots")).to_have_count(0)
    expect(page.locator(".stop")).to_be_hidden()  # it has arrived, and no answer is awaited
    assert page.evaluate("JSON.parse(Object.values(localStorage)[0]).queue") == []
    server.turn("staff", "An 正在为您服务。", "You are talking to An.", name="An")
    expect(page.locator(".desk")).to_have_text("A" + talking)
    server.pass_on(type="read", message_id=list(server.conversations.values())[0].history[-1]["id"])
    expect(page.locator(".me").last).to_contain_text(read)
    server.pass_on(type="staff_typing", name="An")
    expect(page.locator(".row").last).to_contain_text(typing)
    said = server.staff_says("<b>Hi</b> **there**")
    expect(page.locator(".bubble").last).to_have_text("<b>Hi</b> there")
    expect(page.locator(".dots")).to_have_count(0)
    assert server.of_type("read", 1) == [{"type": "read", "message_id": said}]
    page.locator("textarea").first.press_sequentially("ok")
    page.wait_for_timeout(200)
    assert len(server.of_type("typing", 1)) == 1
    server.turn("closed", "人工服务已结束。还有问题可以继续提问。", "This talk with our team has ended.")
    expect(page.locator(".desk")).to_be_hidden()
    page.get_by_role("button", name=yes, exact=True).click()
    expect(page.get_by_text(thanks)).to_be_visible()
    assert server.of_type("solved", 1) == [{"type": "solved", "solved": True}]
    with page.expect_download() as saved:
        page.get_by_role("button", name=download).click()
    saved.value.save_as(tmp_path / "talk.txt")
    text = (tmp_path / "talk.txt").read_text(encoding="utf-8-sig")
    assert "An: <b>Hi</b> **there**" in text and text.index("hello?") < text.index("An:")


def test_the_queue_moves_and_may_be_left(visit: Visit, server: MockServer) -> None:
    page = visit("en")
    server.turn("waiting", *WAITING)
    expect(page.locator(".desk")).to_contain_text("2 ahead of you")  # it is connected: what passes by reaches it
    server.pass_on(type="desk", state="waiting", open=True, text={"zh": "…", "en": "You're next in the queue."})
    expect(page.locator(".desk")).to_contain_text("You're next in the queue.")
    page.get_by_role("button", name="Leave the queue").click()
    assert server.of_type("cancel_handoff", 1) == [{"type": "cancel_handoff"}]
    server.turn("bot", "已取消转接。", "You have left the queue.")
    expect(page.locator(".turn")).to_have_text("You have left the queue.")
    expect(page.locator(".solve")).to_have_count(0)


@pytest.mark.parametrize("state", ["waiting", "staff"])
def test_a_reload_shows_everything_once(visit: Visit, server: MockServer, ask: Ask, state: str) -> None:
    page = visit("en")
    server.turn(state, "…", "You are talking to An.", name="An")
    ask(page, "first")
    assert server.of_type("message", 1)  # before it there may be no conversation
    expect(page.locator(".stop")).to_be_hidden()
    server.staff_says("heard")
    for _ in range(2):
        page.reload()
        page.locator(".fab").click()
        expect(page.locator(".desk")).to_be_visible()
        expect(page.locator(".log .bubble")).to_have_text(["Hello, how can we help you today?", "first", "heard"])
        expect(page.get_by_text("An", exact=True)).to_have_count(1)
        expect(page.locator(".turn")).to_have_count(0)


def test_what_is_typed_offline_reaches_the_person_later_once(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    server.turn("staff", "…", "You are talking to An.", name="An")
    expect(page.locator(".desk")).to_be_visible()
    server.refusing = True
    server.cut()
    ask(page, "are you there")
    expect(page.locator(".strip")).to_be_visible()
    server.staff_says("said while you were away")
    server.refusing = False
    expect(page.locator(".strip")).to_be_hidden(timeout=15_000)
    expect(page.locator(".me .state")).to_have_count(0)
    expect(page.get_by_text("said while you were away")).to_have_count(1)
    ask(page, "good")
    assert [frame["text"] for frame in server.of_type("message", 2)] == ["are you there", "good"]


def test_a_closed_panel_counts_what_a_person_says(visit: Visit, server: MockServer) -> None:
    page = visit("en")
    server.turn("staff", "…", "You are talking to An.", name="An")
    page.keyboard.press("Escape")
    server.staff_says("one")
    server.staff_says("two")
    expect(page.locator(".badge")).to_have_text("2")
    assert server.of_type("read") == []
    page.locator(".fab").click()
    assert len(server.of_type("read", 1)) == 1


def test_outside_the_hours_the_form_says_when_people_are_there(visit: Visit, server: MockServer) -> None:
    hours = {"zh": "人工客服 9:00–18:00 在线。", "en": "Our team is here 9:00–18:00."}
    server.desk = {"state": "bot", "open": False, "hours": hours}
    page = visit("en")
    page.locator(".head").get_by_role("button", name="Talk to a person").click()
    expect(page.get_by_role("dialog", name="Talk to a person")).to_contain_text("Our team is here 9:00–18:00.")
