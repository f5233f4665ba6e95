"""Hostile text and hostile pages: nothing that a server or a customer writes runs, and host pages break nothing."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from tests.web.widget.mock_server import MockServer, answer, say

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Ask = Callable[[Page, str], None]
NASTY = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "[click](javascript:window.hit=1)",
    "[click](JaVaScRiPt:window.hit=1)",
    "[click](data:text/html,<script>window.hit=1</script>)",
    "[click](vbscript:x)",
    "[click](//evil.example)",
    "**[a](javascript:1)**",
    "`<b>` | <svg onload=window.hit=1>",
    "| <iframe src=javascript:window.hit=1> | b |",
    "# <style>*{display:none}</style>",
    "{{constructor.constructor('window.hit=1')()}}",
    "\u202egnirts desrever\u202d \u2067right\u2069 שלום مرحبا",
    "a\u0300" * 400,
    "W" * 5000,
    "http://" + "x" * 3000,
    "\x00\x07\ufffe\u2028\u2029",
    "[" * 400 + "*" * 400 + "`" * 401 + "|" * 400,
    "[1] [99] [1](https://ok.example/a_b_c) https://ok.example/x_y,",
]
STRICT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self' ws:; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}
UGLY = """<!doctype html><html lang="en" dir="rtl"><style>
* { font: 40px serif !important; color: lime !important; position: static !important; margin: 30px !important;
    display: block !important; opacity: .3; box-sizing: content-box }
body * { transform: scale(2) !important; filter: blur(9px) !important }
kefu-widget { display: none !important; visibility: hidden !important; opacity: 0 !important }
button, textarea, [hidden] { display: none !important }
:root { font-size: 3px }</style>
<body><script>document.addEventListener("keydown", (e) => { window.keys = (window.keys || 0) + 1; e.preventDefault(); })
</script><script src="/widget.js"></script></body></html>"""
HARMLESS = """() => {
    const log = document.querySelector("kefu-widget").shadowRoot.querySelector(".log");
    return {
        tags: [...new Set([...log.querySelectorAll(".bubble *")].map((node) => node.localName))],
        hrefs: [...log.querySelectorAll(".bubble a")].map((node) => node.getAttribute("href")),
        rels: [...log.querySelectorAll("a")].map((node) => node.rel),
        handlers: [...log.querySelectorAll(".bubble *")].flatMap((node) => [...node.attributes])
            .filter((attribute) => attribute.name.startsWith("on")).length,
        wide: log.scrollWidth - log.clientWidth,
        hit: window.hit || 0,
    };
}"""
PLAIN_TAGS = {"p", "b", "em", "code", "a", "ul", "ol", "li", "table", "tr", "th", "td", "br", "span"}


def assert_harmless(page: Page) -> None:
    found = page.evaluate(HARMLESS)
    assert set(found["tags"]) <= PLAIN_TAGS
    assert all(href.lower().startswith(("http://", "https://", "mailto:", "tel:")) for href in found["hrefs"])
    assert all("noopener" in rel for rel in found["rels"])
    assert found["handlers"] == 0
    assert found["wide"] <= 0
    assert found["hit"] == 0


@pytest.mark.parametrize("width", [1280, 320])
def test_hostile_text_does_nothing(visit: Visit, server: MockServer, ask: Ask, width: int) -> None:
    text = "\n\n".join(NASTY)
    source = {"number": 1, "kind": "document", "title": NASTY[1], "headings": [NASTY[0]], "quote": text}
    source |= {"updated": "not a date", "source_id": "x", "version": 1}
    server.scripts["q"] = [say(text, 300), answer(text=text, citations=[source])]
    server.scripts["pick"] = [answer(kind="clarify", text=NASTY[0], options=NASTY[:3])]
    page = visit("en", viewport={"width": width, "height": 700})
    ask(page, "q")
    expect(page.locator(".source")).to_have_count(1)
    assert_harmless(page)
    page.locator(".source").click()
    expect(page.locator(".sheet .quote")).to_contain_text("<script>")
    assert page.locator(".sheet .body").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    page.keyboard.press("Escape")
    ask(page, "pick")
    expect(page.locator(".choices .pick")).to_have_count(4)
    for nasty in NASTY[:3]:
        ask(page, nasty)
    expect(page.locator(".rate")).to_have_count(4)
    assert_harmless(page)


def test_any_text_is_shown_whole_and_harmless(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    expect(page.locator(".pick")).to_have_count(3)
    parts = st.sampled_from(
        [*"*_`[]()|#-1. \n<>&\"'", "**", "https://", "javascript:", "](", "|a|", "- ", "3. ", "退货"]
    )
    shown = 0

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(parts | st.text(max_size=8), max_size=40).map("".join))
    def check(text: str) -> None:
        nonlocal shown
        server.scripts["q"] = [say(text, 3), answer(text=text)]
        shown += 1
        ask(page, "q")
        expect(page.locator(".rate")).to_have_count(shown)
        letters = [char for char in text if char.isalpha()]
        drawn = page.locator(".bubble").last.text_content() or ""
        if "](" not in text:  # a link's address is not shown
            assert [char for char in drawn if char.isalpha()] == letters
        assert_harmless(page)

    check()


def test_customers_own_text_is_shown_as_typed(visit: Visit, ask: Ask) -> None:
    page = visit("en")
    ask(page, "**not bold** <b>x</b> [a](https://b.example)")
    mine = page.locator(".me .bubble")
    expect(mine).to_have_text("**not bold** <b>x</b> [a](https://b.example)")
    assert mine.evaluate("node => node.children.length") == 0


def test_formatting_and_links(visit: Visit, server: MockServer, ask: Ask) -> None:
    text = (
        "# Sizes\n**10*20*30 cm**, *soft*, `A_1`, file_name_x\n- one\n- two\n\n3. three\n4. four\n1.5 kg\n\n"
        "| Region | Fee |\n|---|---|\n| East | 8 |\n\n[mail](mailto:a@b.example) [call](tel:400) "
        "see https://a.example/p_q_r?x=1。谢谢"
    )
    server.scripts["q"] = [answer(text=text)]
    page = visit("en")
    ask(page, "q")
    bubble = page.locator(".bubble").last
    expect(bubble.locator("b")).to_have_text(["Sizes", "10*20*30 cm"])
    expect(bubble.locator("em")).to_have_text("soft")
    expect(bubble.locator("li")).to_have_text(["one", "two", "three", "four"])
    assert bubble.locator("ol li").first.evaluate("node => node.value") == 3
    expect(bubble.locator("th")).to_have_text(["Region", "Fee"])
    expect(bubble.locator("td")).to_have_text(["East", "8"])
    expect(bubble).to_contain_text("file_name_x")
    expect(bubble).to_contain_text("1.5 kg")
    hrefs = [link.get_attribute("href") for link in bubble.locator("a").all()]
    assert hrefs == ["mailto:a@b.example", "tel:400", "https://a.example/p_q_r?x=1"]


def test_strict_content_security_policy(visit: Visit, server: MockServer, ask: Ask) -> None:
    page_text = '<!doctype html><html lang="en"><body><script src="/widget.js" defer></script></body></html>'
    server.pages["/shop"] = (page_text, STRICT)
    page = visit("en", opened=False)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.reload()
    page.locator(".fab").click()
    ask(page, "hi")
    expect(page.locator(".bubble").last).to_have_text("OK: hi")
    assert page.locator(".panel").evaluate("node => getComputedStyle(node).position") == "fixed"
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []


def test_host_page_cannot_break_it(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.pages["/shop"] = (UGLY, {})
    page = visit("en")
    ask(page, "hi")
    expect(page.locator(".bubble").last).to_have_text("OK: hi")
    style = page.locator(".bubble").last.evaluate(
        "node => { const s = getComputedStyle(node); return [s.fontSize, s.direction, s.opacity, s.position]; }"
    )
    assert style == ["15px", "ltr", "1", "static"]
    box = page.locator(".fab").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (56, 56)
    assert page.evaluate("window.keys || 0") == 0  # what is typed is not the page's


def test_it_changes_nothing_on_the_host_page(visit: Visit, server: MockServer) -> None:
    look = """() => [document.styleSheets.length, document.adoptedStyleSheets.length, document.body.className,
        getComputedStyle(document.querySelector("h1")).font, Object.keys(window).length]"""
    page = visit("en", opened=False)
    with_widget = page.evaluate(look)
    page.route("**/widget.js", lambda route: route.abort())
    page.reload()
    without = page.evaluate(look)
    assert with_widget[:4] == without[:4]
    assert with_widget[4] - without[4] == 1  # window.Kefu


@pytest.mark.parametrize(
    "script",
    [
        '<script src="/widget.js"></script><script src="/widget.js"></script>',
        '<script>setTimeout(() => { for (let n = 0; n < 2; n++) { const s = document.createElement("script"); '
        's.src = "/widget.js?" + n; document.body.append(s); } }, 200)</script>',
        '<script src="/widget.js" async></script>',
    ],
)
def test_loaded_twice_late_or_in_the_head(visit: Visit, server: MockServer, ask: Ask, script: str) -> None:
    server.pages["/shop"] = (f'<!doctype html><html lang="en"><head>{script}</head><body><p>x</p></body>', {})
    page = visit("en")
    page.wait_for_timeout(300)
    expect(page.locator("kefu-widget")).to_have_count(1)
    ask(page, "hi")
    expect(page.locator(".bubble").last).to_have_text("OK: hi")


def test_server_address_may_be_given(visit: Visit, server: MockServer, ask: Ask) -> None:
    with MockServer().running() as other:
        page = visit("en", f'data-server="{other.url}"')
        ask(page, "hi")
        expect(page.locator(".bubble").last).to_have_text("OK: hi")
        assert len(other.of_type("message")) == 1
    assert server.queries == []
