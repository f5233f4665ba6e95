"""Fixtures of the widget's tests: the scripted server and a page with the widget on it, in a real browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web.widget.mock_server import MockServer

VIEWPORT = '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">'
HOST_PAGE = '<!doctype html><html lang="{lang}">' + VIEWPORT + "<body><h1>Shop</h1>{script}</body></html>"


@pytest.fixture
def server() -> Iterator[MockServer]:
    """A scripted server of its own for each test."""
    with MockServer().running() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, server: MockServer) -> Iterator[Callable[..., Page]]:
    """Opens a host page; `attributes` go on the script tag, `options` to the browser's context.

    Any error that the page does not catch fails the test.
    """
    contexts, errors = [], []

    def go(lang: str = "en", attributes: str = "", opened: bool = True, **options: Any) -> Page:
        script = f'<script src="/widget.js" {attributes} defer></script>'
        server.pages.setdefault("/shop", (HOST_PAGE.format(lang=lang, script=script), {}))
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(server.url + "/shop")
        if opened:
            page.locator(".fab").click()
        return page

    yield go
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def ask() -> Callable[[Page, str], None]:
    """Types a question and sends it with Enter."""

    def send(page: Page, text: str) -> None:
        page.locator("textarea").first.fill(text)
        page.locator("textarea").first.press("Enter")

    return send
