"""A customer on the demo shop's page, in Chinese and in English, on a desk and on a phone, with everything real.

KEFU_SHOTS=FOLDER keeps a picture of every step.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.models]
_PATIENCE = 30_000  # milliseconds: two cores may be busy with other tests


@dataclass(frozen=True, slots=True)
class Script:
    """What the customer asks, and what must stand in the answers."""

    path: str
    faq: tuple[str, str]
    document: tuple[str, str, str]  # question, fact, part of the source's title
    unknown: tuple[str, str]
    person: str
    contact: str


SCRIPTS = {
    "zh": Script(
        path="/",
        faq=("怎么申请退货？", "申请售后"),
        document=("空气净化器的滤芯一般用多久要换？", "8 至 12 个月", "空气净化器"),
        unknown=("你们卖自行车吗？", "没有找到答案"),
        person="转人工",
        contact="电话、微信或邮箱",
    ),
    "en": Script(
        path="/en.html",
        faq=("How do I return an item?", "My orders"),
        document=("What does error E02 on the CF-300 coffee machine mean?", "E02", "CF-300"),
        unknown=("Do you sell bicycles?", "I can't find this"),
        person="Talk to a person",
        contact="Phone or email",
    ),
}


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, shop, language: str) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(shop.url + SCRIPTS[language].path)
    page.locator(".fab").click()
    yield page
    context.close()
    assert problems == []


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("KEFU_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"{page.viewport_size['width']}-{name}.png")


def ask(page: Page, question: str, expected: str) -> None:
    page.locator("textarea").first.fill(question)
    page.locator("textarea").first.press("Enter")
    expect(page.locator(".bubble").last).to_contain_text(expected, timeout=_PATIENCE)


def test_the_four_questions_of_a_customer(page: Page, language: str) -> None:
    script = SCRIPTS[language]
    expect(page.locator(".pick")).to_have_count(3)
    shoot(page, f"{language}-1-first")
    ask(page, *script.faq)
    shoot(page, f"{language}-2-faq")
    question, fact, title = script.document
    ask(page, question, fact)
    source = page.locator(".source").last
    expect(source).to_contain_text(title)
    shoot(page, f"{language}-3-document")
    source.click()
    expect(page.locator(".quote")).to_contain_text(fact)
    shoot(page, f"{language}-4-source")
    page.keyboard.press("Escape")
    ask(page, *script.unknown)
    shoot(page, f"{language}-5-unknown")
    page.locator(".head").get_by_role("button", name=script.person).click()
    expect(page.get_by_label(script.contact)).to_be_visible()
    shoot(page, f"{language}-6-person")


def test_the_conversation_is_there_after_a_reload(page: Page, language: str) -> None:
    question, expected = SCRIPTS[language].faq
    ask(page, question, expected)
    page.reload()
    page.locator(".fab").click()
    expect(page.locator(".log .bubble").last).to_contain_text(expected, timeout=_PATIENCE)
    expect(page.locator(".source")).not_to_have_count(0)
