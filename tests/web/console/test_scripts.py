"""Hundreds of texts that try to run a script, shown wherever Kefu shows text, in a real Chromium: none runs.

The texts stand in questions, answers, categories, document ids, titles and passages, messages of customers and
staff, names, notes, contacts, comments, and what was corrected; each page of the console and the widget shows them.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from bot.bot import Bot
from bot.types import Answer, Citation, Message
from knowledge_base.types import Document, Faq
from tests.web.console.conftest import Console
from tests.web.console.server import PASSWORD, open_bot
from tests.web.scripts import LEAKS, SHOWN, payloads
from web.auth import Visitor, visitor_tokens
from web.settings import Settings
from web.staff.access import open_access
from web.staff.roles import ROLES

pytestmark = pytest.mark.browser
PAYLOADS = payloads()
GROUPS = [PAYLOADS[at : at + 8] for at in range(0, len(PAYLOADS), 8)]
NOW = datetime.now(UTC)
LISTENS = "window.did_handshake"


def fill(folder: Path) -> str:
    """A data folder full of payloads; returns the id of the conversation that has them all."""
    bot = open_bot(folder)
    knowledge: Any = bot.knowledge
    shown = [[text.replace("\x00", "").replace("\x0b", "") for text in group] for group in GROUPS]
    ids = [f"x{n}{group[0]}"[:100].replace("\n", " ") for n, group in enumerate(shown)]
    knowledge.put_faqs(
        [
            Faq(id, group[1], "\n\n".join(group), "en", (group[2],), (), group[3][:60])
            for id, group in zip(ids, shown, strict=True)
        ]
    )
    knowledge.put(
        [
            Document(f"{group[0]}.md", group[1], "\n\n".join(f"## {text}\n\n{text}" for text in group), "en", group[2])
            for group in shown[:6]
        ]
    )
    id = _talk(bot, shown)
    knowledge.close()
    bot.log.close()
    access = open_access(Settings(data=folder))
    access.audit.note(PAYLOADS[0], PAYLOADS[1], PAYLOADS[2], {"a": PAYLOADS[24]}, {PAYLOADS[22]: PAYLOADS[25]})
    for name in [text for text in PAYLOADS if len(text) <= 64 and text.isprintable()][:5]:
        access.accounts.add(name, PASSWORD, "editor", "zh")
    for role in ROLES:
        access.accounts.add(role, PASSWORD, role, "zh")
    access.engine.dispose()
    return id


def _talk(bot: Bot, shown: list[list[str]]) -> str:
    id = bot.log.open().id
    for n, group in enumerate(shown):
        text = "\n".join(group)
        bot.log.ask(id, Message(f"q{n}", "customer", text, NOW))
        cited = Citation(1, "document", group[0], 1, group[1], (group[2],), text, 1, NOW)
        reason, options = group[3], (group[4], group[5])
        answer = Answer(
            f"a{n}", "grounded", text, "en", 0.5, citations=(cited,), options=options, reason=reason, query=group[6]
        )
        bot.log.answer(id, answer)
        bot.log.ask(id, Message(f"s{n}", "staff", text, NOW, author=group[7][:64]))
    bot.log.feedback(id, "a0", False, "wrong", PAYLOADS[22])
    bot.log.contact(id, PAYLOADS[1], PAYLOADS[22])
    bot.log.handoffs.note(id, PAYLOADS[2][:64], "\n".join(PAYLOADS[:40]))
    bot.log.handoffs.begin(id, "asked", "en")
    for text in PAYLOADS[:30]:  # what nobody could answer
        other = bot.log.open().id
        bot.log.ask(other, Message("q", "customer", text, NOW))
        bot.log.answer(other, Answer("a", "abstain", text, "en"))
    return id


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Console, str]]:
    folder = tmp_path_factory.mktemp("scripts") / "data"
    id = fill(folder)
    console = Console(folder, browser)
    yield console, id
    console.stop()
    for context in browser.contexts:
        context.close()


def watched(page: Page) -> Page:
    """A page on which a dialog, or a script that the policy had to stop, is noted."""
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => (window.stopped = window.stopped || [])"
        ".push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));"
    )
    page.on("dialog", lambda dialog: dialog.dismiss())
    return page


def assert_nothing_ran(page: Page, where: str) -> None:
    found = page.evaluate(LEAKS)
    assert found["shown"], f"{where}: nothing of them is on the page"
    assert found["hits"] == [], where
    assert found["handlers"] == [], where
    assert found["foreign"] == [], where
    stopped = [one for one in page.evaluate("window.stopped || []") if one.startswith("script")]
    assert stopped == [], f"{where}: only the policy stood in the way"


def test_the_payloads_run_where_nothing_stands_in_their_way(browser: Browser) -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 300
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body></body>", content_type="text/html"))
    page.goto("http://kefu.test/")
    page.evaluate(
        """(all) => { for (const text of all) { const place = document.createElement('div');
            place.innerHTML = text; document.body.append(place); } }""",
        [text for text in PAYLOADS if "http-equiv" not in text],
    )
    page.wait_for_function("(window.hits || []).length >= 60")
    page.close()


def test_no_script_runs_in_the_console(full: tuple[Console, str]) -> None:
    console, id = full
    with console.client("admin") as client:
        faq = client.get("/api/faqs", params={"q": "window.hits"}).json()["items"][0]["id"]
        document = client.get("/api/documents", params={"q": "window.hits"}).json()["items"][0]["id"]
    page = watched(console.page("admin", "en"))
    for path in (
        f"conversations/{id}",
        "conversations",
        f"faqs?q={quote('window.hits')}",
        f"faqs/{quote(faq, safe='')}",
        "documents",
        f"documents/view?id={quote(document, safe='')}",
        "unanswered",
        f"inbox?c={id}",
        f"conversations?text={quote('window.hits')}",
        "settings",
    ):
        page.goto(f"{console.url}/console/{path}")
        page.wait_for_function(LISTENS)
        try:
            page.wait_for_function(SHOWN)
        except Error as error:
            raise AssertionError(f"{path} shows none of them") from error
        assert_nothing_ran(page, path)
    page.goto(f"{console.url}/console/conversations/{id}")
    page.wait_for_function(LISTENS)
    page.get_by_text("Evidence and scores").first.click()
    assert_nothing_ran(page, "evidence")


def test_no_script_runs_in_the_console_by_what_is_typed_or_stands_in_the_address(full: tuple[Console, str]) -> None:
    console, _ = full
    page = watched(console.page("admin", "en"))
    for text in (PAYLOADS[0], PAYLOADS[22], PAYLOADS[29], PAYLOADS[84]):
        for path in (
            "conversations?text=",
            "faqs?q=",
            "faqs/",
            "documents?q=",
            "conversations?kind=",
            "documents/view?id=",
        ):
            response = page.goto(f"{console.url}/console/{path}{quote(text, safe='')}")
            assert response is not None and response.status in (200, 404)
            page.wait_for_function(LISTENS)
            found = page.evaluate(LEAKS)
            assert (found["hits"], found["handlers"], found["foreign"]) == ([], [], []), path
    page.goto(f"{console.url}/console/sign-in?next={quote(PAYLOADS[29], safe='')}")


def test_no_script_runs_in_the_widget(full: tuple[Console, str]) -> None:
    console, id = full
    token = visitor_tokens(Settings(data=console.data)).issue(Visitor(id))
    page = watched(console.page(None, "en"))
    page.goto(f"{console.url}/en.html")
    host = console.url.removeprefix("http://")
    kept = json.dumps({"token": token, "queue": [], "later": [], "unread": 0, "draft": ""})
    page.evaluate("([key, value]) => { localStorage[key] = value; }", [f"kefu:{host}", kept])
    page.reload()
    page.locator(".fab").click()
    expect(page.locator(".me .bubble")).to_have_count(len(GROUPS), timeout=30_000)
    assert_nothing_ran(page, "history")
    page.locator(".source").first.click()
    expect(page.locator(".sheet .quote")).to_contain_text("window.hits")
    assert_nothing_ran(page, "source")
    page.keyboard.press("Escape")

    fresh = watched(console.page(None, "en"))
    fresh.goto(f"{console.url}/en.html")
    fresh.locator(".fab").click()
    for number, group in enumerate(GROUPS[:6], 1):
        fresh.locator("textarea").first.fill(group[1].replace("\x00", ""))
        fresh.locator("textarea").first.press("Enter")
        expect(fresh.locator(".rate")).to_have_count(number, timeout=30_000)
    assert_nothing_ran(fresh, "answers")
