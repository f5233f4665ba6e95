"""A customer asks and the widget shows what the server says: streaming, sources, choices, ratings, a person."""

import re
import threading
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.mock_server import MockServer, answer, pause, say

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Ask = Callable[[Page, str], None]
DOTS_SHOWN = """() => new Promise((done) => {
    const shade = document.querySelector("kefu-widget").shadowRoot, input = shade.querySelector("textarea");
    input.value = "hold"; input.dispatchEvent(new Event("input"));
    const from = performance.now();
    const look = () => shade.querySelector(".dots") ? done(performance.now() - from) : requestAnimationFrame(look);
    input.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
    look();
})"""
CITATION = {
    "number": 1,
    "kind": "document",
    "source_id": "d",
    "title": "Returns handbook",
    "headings": ["After-sales", "Returns"],
    "quote": "Items come back within **7 days**.",
    "version": 2,
    "updated": "2025-06-18T08:00:00Z",
}


def bot_bubbles(page: Page) -> list[str]:
    return page.locator(".log .row:not(.me) .bubble").all_inner_texts()[1:]  # without the greeting


def test_first_open_greets_suggests_and_speaks_of_privacy(visit: Visit, server: MockServer) -> None:
    page = visit("en")
    expect(page.get_by_text("Hello, how can we help you today?")).to_be_visible()
    expect(page.get_by_role("group", name="FAQ").get_by_role("button")).to_have_count(3)
    assert page.get_by_role("link", name="Privacy").get_attribute("href") == server.url + "/privacy"
    expect(page.locator(".head").get_by_role("button", name="Talk to a person")).to_be_visible()


@pytest.mark.parametrize(
    ("attributes", "page_language", "locale", "title"),
    [
        ('data-language="en"', "zh-CN", "zh-CN", "Support"),
        ('data-language="zh"', "en", "en-GB", "在线客服"),
        ('data-language="auto"', "zh-Hant", "en-GB", "在线客服"),
        ("", "en-US", "zh-CN", "Support"),
        ("", "fr", "zh-CN", "在线客服"),
        ("", "", "fr-FR", "Support"),
    ],
)
def test_language(visit: Visit, attributes: str, page_language: str, locale: str, title: str) -> None:
    page = visit(page_language, attributes, locale=locale)
    expect(page.locator(".head h2")).to_have_text(title)


def test_message_and_dots_show_at_once(visit: Visit, server: MockServer) -> None:
    gate = threading.Event()
    server.scripts["hold"] = [pause(gate), say("done"), answer()]
    page = visit("en")
    expect(page.locator(".pick")).to_have_count(3)
    assert page.evaluate(DOTS_SHOWN) < 100
    expect(page.locator(".me .bubble")).to_have_text("hold")
    gate.set()
    expect(page.locator(".dots")).to_have_count(0)
    assert bot_bubbles(page) == ["done"]


def test_answer_streams_and_the_last_frame_is_authoritative(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [say("It takes **9 da"), pause(gate), say("ys**"), answer(text="It takes **7 days**.")]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".bubble").last).to_contain_text("It takes **9 da")
    gate.set()
    expect(page.locator(".bubble b").last).to_have_text("7 days")
    assert bot_bubbles(page) == ["It takes 7 days."]


def test_stop(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["q"] = [say("words " * 500, delay=0.01), answer()]
    page = visit("en")
    ask(page, "q")
    page.get_by_role("button", name="Stop answering").click()
    expect(page.locator(".bubble").last).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Stop answering")).to_be_hidden()
    assert server.of_type("stop", 1)


def test_reader_further_up_is_not_moved(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["long"] = [say("line\n\n" * 60, 40), pause(gate), say("line\n\n" * 60, 40), answer()]
    page = visit("en")
    ask(page, "long")
    log = page.locator(".log")
    page.wait_for_function(
        "() => document.querySelector('kefu-widget').shadowRoot.querySelector('.log').scrollTop > 500"
    )
    log.evaluate("node => { node.scrollTop = 200; }")
    page.wait_for_timeout(100)
    gate.set()
    expect(page.locator(".rate")).to_be_visible()
    assert log.evaluate("node => node.scrollTop") == 200
    page.get_by_role("button", name="New message").click()
    assert log.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 2


def test_sources_open_to_the_quote(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["q"] = [answer(text="Within 7 days [1], not [4].", citations=[CITATION])]
    page = visit("en")
    ask(page, "q")
    source = page.get_by_role("group", name="Sources").get_by_role("button")
    expect(source).to_have_text("1Returns handbookDocument")
    source.click()
    sheet = page.get_by_role("dialog", name="Returns handbook")
    expect(sheet.locator(".quote")).to_have_text("Items come back within 7 days.")
    expect(sheet).to_contain_text("After-sales › Returns")
    expect(sheet).to_contain_text("June 18, 2025")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(source).to_be_focused()
    page.locator(".bubble .cite").click()  # the mark in the text; [4] has no source and stays text
    expect(sheet).to_be_visible()


def test_clarify_button_asks_its_question(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["refund"] = [answer(kind="clarify", text="Did you mean:", options=["When?", "How?"])]
    page = visit("en")
    ask(page, "refund")
    page.get_by_role("button", name="How?").click()
    expect(page.locator(".bubble").last).to_contain_text("OK: How?")
    assert [frame["text"] for frame in server.of_type("message", 2)] == ["refund", "How?"]
    expect(page.locator(".choices")).to_have_count(0)


def test_none_of_these_is_said_to_the_bot_and_a_person_is_near(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["退款"] = [answer(kind="clarify", text="您想问的是：", options=["多久到账？", "怎么退？"])]
    server.scripts["都不是"] = [answer(kind="abstain", text="好的，请换一种说法。")]
    page = visit("zh-CN")
    ask(page, "退款")
    page.get_by_role("button", name="都不是").click()
    expect(page.get_by_text("好的，请换一种说法。").first).to_be_visible()
    page.locator(".log").get_by_role("button", name="转人工").click()
    expect(page.get_by_role("dialog", name="转人工")).to_be_visible()
    assert [frame["text"] for frame in server.of_type("message", 2)] == ["退款", "都不是"]


def test_abstain_offers_near_questions_and_a_person(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["rocket"] = [answer(kind="abstain", text="I can't find this.", options=["A?", "B?"])]
    page = visit("en")
    ask(page, "rocket")
    buttons = page.get_by_role("group", name="What comes nearest").get_by_role("button")
    expect(buttons).to_have_text(["A?", "B?", "Talk to a person"])
    expect(page.locator(".rate")).to_have_count(0)


def test_thumbs(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    ask(page, "q")
    page.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.get_by_text("Thank you, noted.")).to_be_visible()
    down = page.get_by_role("button", name="Not helpful")
    down.click()
    assert down.get_attribute("aria-pressed") == "true"
    reasons = page.get_by_role("group", name="What was wrong?").locator(".chip")
    expect(reasons).to_have_text(["Wrong", "Incomplete", "Unclear", "Other"])
    reasons.nth(1).click()
    page.get_by_label("Tell us more").fill("no price")
    page.get_by_label("Tell us more").press("Enter")
    expect(page.locator(".why")).to_have_count(0)
    sent = [(frame["helpful"], frame.get("reason"), frame.get("comment")) for frame in server.of_type("feedback", 4)]
    assert sent == [
        (True, None, None),
        (False, None, None),
        (False, "incomplete", None),
        (False, "incomplete", "no price"),
    ]


def test_contact_form(visit: Visit, server: MockServer) -> None:
    page = visit("en")
    page.locator(".head").get_by_role("button", name="Talk to a person").click()
    form = page.get_by_role("dialog", name="Talk to a person")
    expect(form.get_by_label("Phone or email")).to_be_focused()
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_have_text("Leave a contact and a person will get back to you.")
    form.get_by_label("Your question").fill("Broken lid")
    page.keyboard.press("Escape")
    page.locator(".head").get_by_role("button", name="Talk to a person").click()
    expect(form.get_by_label("Your question")).to_have_value("Broken lid")  # nothing typed is lost
    form.get_by_label("Phone or email").fill("ann@example.com")
    form.get_by_role("button", name="Send").click()
    expect(page.locator(".bubble").last).to_have_text("Received. We will reach you at: ann@example.com")
    assert server.of_type("contact") == [{"type": "contact", "contact": "ann@example.com", "text": "Broken lid"}]


def test_questions_asked_while_one_is_answered_wait_their_turn(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["first"] = [pause(gate), answer(text="one")]
    page = visit("en")
    ask(page, "first")
    ask(page, "second")
    page.wait_for_timeout(150)
    assert len(server.of_type("message", 1)) == 1
    gate.set()
    expect(page.locator(".bubble").last).to_have_text("OK: second")
    texts = [re.sub(r"^.*: ?\n?", "", text, count=1) for text in page.locator(".log .bubble").all_inner_texts()]
    assert [text.removeprefix("OK: ") for text in texts[1:]] == ["first", "one", "second", "second"]


def test_unread_badge(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [pause(gate), answer(text="late")]
    page = visit("en")
    ask(page, "q")
    page.keyboard.press("Escape")
    gate.set()
    expect(page.locator(".badge")).to_have_text("1")
    launcher = page.get_by_role("button", name="Open support chat (1)")
    launcher.click()
    expect(page.locator(".badge")).to_be_hidden()


def test_first_party_api(visit: Visit) -> None:
    page = visit("en", opened=False)
    page.evaluate("Kefu.open()")
    expect(page.get_by_role("dialog", name="Support")).to_be_visible()
    page.evaluate("Kefu.close(); Kefu.close()")
    expect(page.get_by_role("dialog", name="Support")).to_be_hidden()


def test_long_answer_draws_in_time(visit: Visit, server: MockServer, ask: Ask) -> None:
    text = "**[[`*_ |a|b|\n- x **y** [1]\n" * 400
    server.scripts["q"] = [say(text, 200), answer(text=text)]
    page = visit("en")
    began = time.monotonic()
    ask(page, "q")
    expect(page.locator(".rate")).to_be_visible()
    assert time.monotonic() - began < 4
