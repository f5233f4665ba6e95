"""Keyboard, screen reader, input method, touch, small screens, zoom, themes and colours."""

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.mock_server import MockServer, answer, pause, say

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Ask = Callable[[Page, str], None]
ACTIVE = "document.querySelector('kefu-widget').shadowRoot.activeElement"
SMALL_TARGETS = """() => [...document.querySelector("kefu-widget").shadowRoot.querySelectorAll("button,input,textarea")]
    .filter((node) => node.offsetParent && !node.matches(".cite"))
    .filter((node) => node.offsetHeight < 44 || node.offsetWidth < 44).map((node) => node.className)"""
UNNAMED = """() => [...document.querySelector("kefu-widget").shadowRoot.querySelectorAll("button,input,textarea")]
    .filter((node) => !(node.ariaLabel || node.innerText || node.labels?.length)).map((node) => node.className)"""
CONTRAST = """() => {
    const rgb = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((n) => n / 255)
        .map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
        .reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => {
        const color = rgb(getComputedStyle(node).backgroundColor);
        return color.length === 3 ? color : ground(node.parentElement);
    };
    const poor = [];
    for (const node of document.querySelector("kefu-widget").shadowRoot.querySelectorAll(".root *")) {
        const words = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        if (!words || !node.checkVisibility() || node.disabled || node.matches(".sr")) continue;
        let color = getComputedStyle(node).color;
        if (color.startsWith("color(")) color = rgb(color).slice(0, 3).map((n) => n * 255).join(" ");
        const [high, low] = [light(rgb(color)), light(ground(node))].sort((a, b) => b - a);
        if ((high + 0.05) / (low + 0.05) < 4.5) poor.push([node.className, node.textContent.slice(0, 20), color]);
    }
    return poor;
}"""
COMPOSE = """(shift) => {
    const input = document.querySelector("kefu-widget").shadowRoot.querySelector("textarea");
    const press = (props) => input.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, composed: true, ...props }));
    input.value = "ni hao"; input.dispatchEvent(new Event("input"));
    return [press({ isComposing: true }), press({ keyCode: 229 }), press({ shiftKey: true })];
}"""
FULL_ANSWER = answer(
    kind="faq",
    text="Within **7 days** [1], see https://a.example and `code`.",
    citations=[
        {
            "number": 1,
            "kind": "document",
            "title": "Handbook",
            "headings": ["A"],
            "quote": "Q",
            "updated": "2025-01-02T00:00:00Z",
        }
    ],
)


def test_roles_and_names(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["q"] = [FULL_ANSWER]
    page = visit("en")
    expect(page.get_by_role("dialog", name="Support")).to_be_visible()
    expect(page.get_by_role("textbox", name="Type your question")).to_be_focused()
    ask(page, "q")
    expect(page.locator(".rate")).to_be_visible()
    assert page.evaluate(UNNAMED) == []
    assert page.locator(".root").get_attribute("lang") == "en"
    assert page.locator(".bubble").last.get_attribute("lang") == "en"


def test_whole_answers_only_are_announced(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [say("Some words "), pause(gate), say("more."), answer()]
    page = visit("en")
    voice = page.locator(".panel > .sr[role=status]")
    ask(page, "q")
    expect(page.locator(".bubble").last).to_contain_text("Some words")
    expect(voice).to_have_text("")
    gate.set()
    expect(voice).to_have_text("Support: Some words more.")


def test_input_method_and_new_lines(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("zh-CN")
    expect(page.locator(".pick")).to_have_count(3)
    assert page.evaluate(COMPOSE) == [True, True, True]  # none was taken for "send"
    page.wait_for_timeout(100)
    assert server.of_type("message") == []
    field = page.locator("textarea").first
    field.fill("one")
    field.press("Shift+Enter")
    field.press_sequentially("two")
    field.press("Enter")
    expect(page.locator(".me .bubble")).to_have_text("one\ntwo", use_inner_text=True)


def test_length_limit(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    field, count = page.locator("textarea").first, page.locator(".count")
    field.fill("字" * 1799)
    expect(count).to_be_hidden()
    field.fill("😀" * 2000)
    expect(count).to_have_text("2000 / 2000")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    field.fill("字" * 2001)
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    field.press("Enter")
    expect(field).to_have_value("字" * 2001)  # kept for the customer to shorten
    field.fill("   ")
    field.press("Enter")
    page.wait_for_timeout(100)
    assert server.of_type("message") == []


def test_keyboard_alone(visit: Visit, server: MockServer) -> None:
    page = visit("en", opened=False)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".pick")).to_have_count(3)
    page.locator(".pick").first.focus()
    walked = []
    for key in ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"]:
        page.keyboard.press(key)
        walked.append(page.evaluate(f"{ACTIVE}.textContent"))
    assert walked == ["When will my order ship?", "Can I get an invoice?", "How do I return an item?", walked[1]]
    assert page.evaluate(f"getComputedStyle({ACTIVE}).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".me .bubble")).to_have_text("Can I get an invoice?")
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".fab")).to_be_focused()


def test_sheet_keeps_the_focus_from_what_it_covers(visit: Visit) -> None:
    page = visit("en")
    page.locator(".head").get_by_role("button", name="Talk to a person").click()
    expect(page.locator(".sheet")).to_be_visible()  # once the server has said whether a person is there
    seen = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(f"{ACTIVE}?.closest('.main') !== null && {ACTIVE} !== null"))
    assert seen == {False}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (320, 568), (640, 360), (844, 390)])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_fits_every_screen(visit: Visit, server: MockServer, ask: Ask, width: int, height: int, lang: str) -> None:
    server.scripts["q"] = [FULL_ANSWER]
    page = visit(lang, viewport={"width": width, "height": height}, has_touch=width < 500, is_mobile=width < 500)
    ask(page, "q")
    page.locator(".down").click()
    panel = page.locator(".panel").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0 and panel["y"] >= 0
    assert panel["x"] + panel["width"] <= width and panel["y"] + panel["height"] <= height
    if width <= 480:
        assert (panel["width"], panel["height"]) == (width, height)
    assert page.locator(".log").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    assert page.locator(".head").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    assert page.locator(".log").evaluate("node => node.clientHeight") > 120
    assert page.evaluate(SMALL_TARGETS) == []
    bubble, log = page.locator(".bubble").last.bounding_box(), page.locator(".log").bounding_box()
    assert bubble is not None and log is not None
    assert bubble["width"] <= 0.8 * log["width"]
    page.locator(".head").get_by_role("button", name="Talk to a person" if lang == "en" else "转人工").click()
    assert page.evaluate(SMALL_TARGETS) == []


def test_phone_keyboard_shrinks_the_panel(visit: Visit) -> None:
    page = visit("en", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.set_viewport_size({"width": 390, "height": 500})
    page.wait_for_timeout(200)
    box = page.locator(".compose").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(500, abs=1)


@pytest.mark.parametrize(
    ("attributes", "system", "dark"),
    [
        ("", "light", False),
        ("", "dark", True),
        ('data-theme="light"', "dark", False),
        ('data-theme="dark"', "light", True),
        ('data-theme="auto"', "dark", True),
    ],
)
def test_theme(visit: Visit, attributes: str, system: str, dark: bool) -> None:
    page = visit("en", attributes, color_scheme=system)
    ground = page.locator(".main").evaluate("node => getComputedStyle(node).backgroundColor")
    assert ground == ("rgb(23, 25, 31)" if dark else "rgb(255, 255, 255)")


def test_theme_follows_the_system(visit: Visit) -> None:
    page = visit("en", color_scheme="light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".root")).to_have_class("dark root open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["", "#ffd400", "#0b8043", "#111111", "#ff6f61"])
def test_contrast(visit: Visit, server: MockServer, ask: Ask, scheme: str, color: str) -> None:
    style = f"<style>:root{{--kefu-color:{color}}}</style>" if color else ""
    script = '<script src="/widget.js"></script>'
    server.pages["/shop"] = (f'<!doctype html><html lang="en">{style}<body>{script}</body></html>', {})
    server.scripts["q"] = [FULL_ANSWER]
    server.scripts["c"] = [answer(kind="abstain", text="No.", options=["A"])]
    page = visit("en", color_scheme=scheme)
    expect(page.locator(".pick")).to_have_count(3)
    assert page.evaluate(CONTRAST) == []
    ask(page, "q")
    page.locator(".down").click()
    page.locator(".chip").first.click()
    assert page.evaluate(CONTRAST) == []
    ask(page, "c")
    expect(page.locator(".choices")).to_be_visible()
    assert page.evaluate(CONTRAST) == []


def test_reduced_motion(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [pause(gate), answer(text="x")]
    page = visit("en", reduced_motion="reduce")
    ask(page, "q")
    dot = page.locator(".dots i").first
    assert dot.evaluate("node => getComputedStyle(node).animationName") == "none"
    gate.set()


def test_position_and_layer_may_be_moved(visit: Visit, server: MockServer) -> None:
    style = "<style>:root{--kefu-right:50px;--kefu-bottom:90px;--kefu-z:7}</style>"
    script = '<script src="/widget.js"></script>'
    server.pages["/shop"] = (f'<!doctype html><html lang="en">{style}<body>{script}</body></html>', {})
    page = visit("en", viewport={"width": 1280, "height": 800})
    box = page.locator(".fab").bounding_box()
    assert box is not None
    assert (box["x"] + box["width"], box["y"] + box["height"]) == (1230, 710)
    assert page.locator(".fab").evaluate("node => getComputedStyle(node).zIndex") == "7"
    panel = page.locator(".panel").bounding_box()
    assert panel is not None
    assert panel["y"] >= 0 and panel["y"] + panel["height"] < box["y"]
