"""The line drops, the page reloads, the server refuses: nothing typed is lost and nothing is shown twice."""

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.conftest import HOST_PAGE
from tests.web.widget.mock_server import MockServer, answer, cut, fail, pause, say, transmit

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Ask = Callable[[Page, str], None]
WRONG = fail("internal", "回答时出现问题。", "Something went wrong while answering.")
BLOCKED = '<iframe sandbox="allow-scripts" src="/inner" width="600" height="700"></iframe>'


def dialogue(page: Page) -> list[str]:
    """What is shown, without the greeting and the screen readers' names."""
    return page.locator(".log .bubble").all_inner_texts()[1:]


def test_offline_messages_are_kept_and_sent_when_back(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    ask(page, "before")
    expect(page.locator(".bubble").last).to_have_text("OK: before")
    server.refusing = True
    server.cut()
    expect(page.locator(".strip")).to_contain_text("Reconnecting")
    ask(page, "one")
    ask(page, "two")
    expect(page.get_by_text("Waiting to send")).to_have_count(2)
    server.refusing = False
    expect(page.locator(".bubble").last).to_have_text("OK: two")
    expect(page.locator(".strip")).to_be_hidden()
    expect(page.get_by_text("Waiting to send")).to_have_count(0)
    assert dialogue(page) == ["before", "OK: before", "one", "OK: one", "two", "OK: two"]
    assert server.queries[-1]["token"] == ["token-1"]


def test_what_was_written_before_the_first_connection_stands_once_after_a_cut(
    visit: Visit, server: MockServer, ask: Ask
) -> None:
    server.refusing = True
    page = visit("en")
    ask(page, "before")
    server.refusing = False
    expect(page.locator(".bubble").last).to_have_text("OK: before")
    server.cut()
    ask(page, "after")
    expect(page.locator(".bubble").last).to_have_text("OK: after")
    assert dialogue(page) == ["before", "OK: before", "after", "OK: after"]


def test_retry_on_an_unsent_message_connects_at_once(visit: Visit, server: MockServer, ask: Ask) -> None:
    slow = "<script>Math.random = () => 1</script>"  # tries by itself are 0.5, 1, 2, 4 s apart
    host = HOST_PAGE.format(lang="en", script=slow + '<script src="/widget.js" defer></script>')
    server.pages["/shop"] = (host, {})
    server.refusing = True
    page = visit("en")
    ask(page, "hello")
    page.wait_for_timeout(4000)  # by now the next try by itself is some seconds away
    server.refusing = False
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".bubble").last).to_have_text("OK: hello", timeout=1000)


def test_waits_grow_between_attempts(visit: Visit, server: MockServer) -> None:
    server.refusing = True
    page = visit("en")
    page.wait_for_timeout(3500)
    assert 2 <= server.refused <= 5


def test_reply_goes_on_after_a_cut(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [say("The first half, "), cut, say("and the "), pause(gate), say("second."), answer()]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".bubble").last).to_contain_text("The first half, and the")
    gate.set()
    expect(page.locator(".rate")).to_have_count(1)
    assert dialogue(page) == ["q", "The first half, and the second."]
    assert len(server.queries) == 2
    assert int(server.queries[1]["last_seq"][0]) >= 1


def test_reply_that_ended_while_away_comes_from_the_history(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["q"] = [say("partial"), cut, answer(text="The whole answer.")]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".rate")).to_have_count(1)
    assert dialogue(page) == ["q", "The whole answer."]
    ask(page, "next")
    expect(page.locator(".bubble").last).to_have_text("OK: next")


def test_cut_before_the_first_frame(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [pause(gate), answer(text="late")]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".dots")).to_have_count(1)
    assert server.of_type("message", 1)  # before it there may be no connection to cut
    server.refusing = True
    server.cut()
    expect(page.locator(".strip")).to_be_visible()
    expect(page.locator(".dots")).to_have_count(0)
    gate.set()
    server.refusing = False
    expect(page.locator(".bubble").last).to_have_text("late")
    assert dialogue(page) == ["q", "late"]
    expect(page.get_by_text("Waiting to send")).to_have_count(0)


def test_frames_seen_before_are_dropped(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".rate")).to_have_count(1)
    conversation = server.conversations["token-1"]
    for frame in conversation.frames:
        transmit(conversation.socket, frame)
    ask(page, "again")
    expect(page.locator(".rate")).to_have_count(2)
    assert dialogue(page) == ["q", "OK: q", "again", "OK: again"]


def test_history_after_a_reload(visit: Visit, server: MockServer, ask: Ask) -> None:
    citation = {
        "number": 1,
        "kind": "faq",
        "title": "Returns",
        "headings": [],
        "quote": "Yes.",
        "updated": "2025-01-01",
    }
    server.scripts["q"] = [answer(kind="faq", text="Yes **we do** [1].", citations=[citation])]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".source")).to_have_count(1)
    page.locator("textarea").fill("half a thought")
    page.reload()
    page.locator(".fab").click()
    expect(page.locator(".bubble b")).to_have_text("we do")
    expect(page.locator(".source")).to_have_count(1)
    expect(page.locator(".rate")).to_have_count(1)
    expect(page.locator("textarea")).to_have_value("half a thought")
    expect(page.get_by_role("group", name="FAQ")).to_have_count(0)
    assert dialogue(page) == ["q", "Yes we do [1]."]


def test_reload_in_the_middle_of_a_reply(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["q"] = [say("The beginning "), pause(gate), say("and the end."), answer()]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".bubble").last).to_contain_text("The beginning")
    page.reload()
    page.locator(".fab").click()
    expect(page.locator(".bubble").last).to_contain_text("The beginning")
    gate.set()
    expect(page.locator(".rate")).to_have_count(1)
    assert dialogue(page) == ["q", "The beginning and the end."]


def test_unsent_message_survives_a_reload(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.refusing = True
    page = visit("en")
    ask(page, "keep me")
    page.reload()
    page.locator(".fab").click()
    expect(page.locator(".me .bubble")).to_have_text("keep me")
    server.refusing = False
    expect(page.locator(".bubble").last).to_have_text("OK: keep me")


def test_expired_token_begins_anew_and_says_so(visit: Visit, server: MockServer, ask: Ask) -> None:
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".rate")).to_have_count(1)
    server.expire("token-1")
    expect(page.locator(".bubble").last).to_have_text("Your earlier conversation has expired.")
    ask(page, "q")
    expect(page.locator(".rate")).to_have_count(2)
    assert dialogue(page) == ["q", "OK: q", "Your earlier conversation has expired.", "q", "OK: q"]


def test_error_is_shown_on_the_message_with_retry(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.scripts["q"] = [WRONG]
    page = visit("en")
    ask(page, "q")
    expect(page.locator(".me .state")).to_contain_text("Something went wrong while answering.")
    expect(page.locator(".dots")).to_have_count(0)
    page.reload()
    page.locator(".fab").click()
    del server.scripts["q"]
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".bubble").last).to_have_text("OK: q")
    expect(page.locator(".state")).to_have_count(0)


def test_a_failed_message_does_not_hold_up_the_next(visit: Visit, server: MockServer, ask: Ask) -> None:
    gate = threading.Event()
    server.scripts["bad"] = [pause(gate), WRONG]
    page = visit("en")
    ask(page, "bad")
    ask(page, "good")
    gate.set()
    expect(page.locator(".bubble").last).to_have_text("OK: good")
    expect(page.get_by_role("button", name="Try again")).to_have_count(1)


def test_contact_left_offline_is_sent_later(visit: Visit, server: MockServer) -> None:
    page = visit("zh-CN")
    expect(page.locator(".pick")).to_have_count(3)
    server.refusing = True
    server.cut()
    expect(page.locator(".strip")).to_contain_text("正在重连")
    page.locator(".head").get_by_role("button", name="转人工").click()
    page.get_by_label("电话、微信或邮箱").fill("13800001234")
    page.get_by_label("电话、微信或邮箱").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("恢复后发出")
    server.refusing = False
    expect(page.get_by_role("dialog", name="转人工")).to_be_hidden()
    expect(page.locator(".bubble").last).to_contain_text("13800001234")
    assert [frame["contact"] for frame in server.of_type("contact")] == ["13800001234"]


def test_blocked_storage(visit: Visit, server: MockServer, ask: Ask) -> None:
    server.pages["/inner"] = ('<!doctype html><html lang="en"><script src="/widget.js"></script>', {})
    server.pages["/shop"] = (BLOCKED, {})
    page = visit("en", opened=False)
    inside = page.frame_locator("iframe")
    inside.locator(".fab").click()
    inside.locator("textarea").first.fill("hi")
    inside.locator("textarea").first.press("Enter")
    expect(inside.locator(".bubble").last).to_have_text("OK: hi")


def test_no_connection_before_the_panel_is_opened(visit: Visit, server: MockServer) -> None:
    page = visit("en", opened=False)
    page.wait_for_timeout(300)
    assert server.queries == []
