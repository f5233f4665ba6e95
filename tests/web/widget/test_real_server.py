"""The widget against the real server with a scripted bot: what the mock assumes of the protocol is so."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.mock_server import MockServer

pytestmark = pytest.mark.browser
HTML = '<!doctype html><html lang="en"><body><script src="{server}/widget.js" defer></script></body></html>'


@pytest.fixture
def shop(visit: Callable[..., Page], server: MockServer, running: Callable[..., Any]) -> Page:
    """A page of another origin, allowed to use the real server, with the panel open."""
    server.pages["/shop"] = (HTML.format(server=running(origins=(server.url,)).http), {})
    return visit("en")


def ask(page: Page, text: str) -> None:
    page.locator("textarea").first.fill(text)
    page.locator("textarea").first.press("Enter")


def test_conversation_feedback_contact_and_history(shop: Page, bot: Any) -> None:
    expect(shop.locator(".pick")).to_have_text(["How do I return an item?"])
    ask(shop, "rewrite")
    expect(shop.locator(".bubble").last).to_have_text("authoritative")
    shop.get_by_role("group", name="Sources").get_by_role("button").click()
    expect(shop.locator(".quote")).to_have_text("30 days")
    shop.keyboard.press("Escape")
    shop.get_by_role("button", name="Not helpful").click()
    shop.locator(".chip").first.click()
    expect(shop.get_by_text("Thank you, noted.")).to_be_visible()
    shop.locator(".head").get_by_role("button", name="Talk to a person").click()
    shop.get_by_label("Phone or email").fill("a@b.example")
    shop.get_by_label("Phone or email").press("Enter")
    expect(shop.locator(".bubble").last).to_contain_text("a@b.example")
    assert [judged[2:4] for judged in bot.log.judgements] == [(False, ""), (False, "wrong")]
    assert [said[1] for said in bot.log.contacts] == ["a@b.example"]
    shop.reload()
    shop.locator(".fab").click()
    expect(shop.locator(".log .bubble")).to_have_text(["Hello", "rewrite", "authoritative"])
    expect(shop.locator(".source")).to_have_count(1)


def test_reload_in_the_middle_stop_and_retry(shop: Page, bot: Any) -> None:
    ask(shop, "hold the line")
    expect(shop.locator(".bubble").last).to_contain_text("You")
    shop.reload()
    shop.locator(".fab").click()
    expect(shop.locator(".bubble").last).to_contain_text("You")
    bot.gate.set()
    expect(shop.locator(".log .bubble")).to_have_text(["Hello", "hold the line", "You asked: hold the line"])
    ask(shop, "fail now")
    expect(shop.locator(".me .state")).to_contain_text("Something went wrong")
    expect(shop.locator(".bubble").last).to_have_text("fail now")  # of the half answer nothing is left
    shop.get_by_role("button", name="Try again").click()
    expect(shop.locator(".dots")).to_have_count(0)
    expect(shop.locator(".me .state")).to_have_count(1)
    assert [said.messages[-1].text for said in bot.seen[2:]] == ["You "]  # it was asked a second time


def test_stop_reaches_the_bot(shop: Page, bot: Any) -> None:
    ask(shop, "hold on")
    expect(shop.locator(".bubble").last).to_contain_text("You")
    shop.get_by_role("button", name="Stop answering").click()
    expect(shop.locator(".bubble").last).to_contain_text("Stopped")
    expect(shop.get_by_role("button", name="Stop answering")).to_be_hidden()
