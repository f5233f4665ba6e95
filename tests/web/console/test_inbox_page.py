"""A customer and a colleague in two browsers: asked for, taken, talked, given back; faults in between."""

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
WORDS = {
    "zh": {
        "person": "转人工",
        "waiting": "已为您转接，您排在第一位。",
        "claim": "接待",
        "with": "正在与 agent 对话",
        "send": "发送",
        "return": "交还机器人",
        "returned": "接下来由自动客服回答",
        "question": "怎么申请退货？",
        "answer": "我的订单",
        "typing": "客户正在输入",
        "read": "已读",
        "notes": "内部备注",
        "note": "添加备注",
        "hint": "写一条备注",
        "left": "已为您重新排队",
    },
    "en": {
        "person": "Talk to a person",
        "waiting": "You're next in the queue.",
        "claim": "Take it",
        "with": "You are talking to agent",
        "send": "Send",
        "return": "Return to the bot",
        "returned": "back with the automated assistant",
        "question": "How do I return an item?",
        "answer": "My orders",
        "typing": "The customer is typing",
        "read": "Read",
        "notes": "Notes among staff",
        "note": "Add the note",
        "hint": "Write a note",
        "left": "You are back in the queue",
    },
}


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KEFU_AGENT_GRACE_SECONDS", "2")
    yield


def customer(console: Console, language: str, told: str = "") -> Page:
    """A customer on the shop's page who has asked for a person, and is told so; as the first who waits, if not said."""
    page = console.page(None, language)
    page.goto(console.url + ("/" if language == "zh" else "/en.html"))
    page.locator(".fab").click()
    page.locator(".head .person").click()
    expect(page.locator(".desk")).to_contain_text(told or WORDS[language]["waiting"])
    return page


def say(page: Page, text: str) -> None:
    page.locator("textarea").first.fill(text)
    page.locator("textarea").first.press("Enter")


def bubbles(page: Page) -> list[str]:
    return page.locator(".log .bubble").all_inner_texts()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_customer_talks_to_a_person_and_goes_back_to_the_bot(console: Console, language: str) -> None:
    words = WORDS[language]
    staff = console.page("agent", language)
    staff.goto(f"{console.url}/console/inbox")
    shop = customer(console, language)
    expect(staff).to_have_title(re.compile(r"^\(1\) "))
    expect(staff.get_by_test_id("inbox-badge")).to_have_text("1")
    say(shop, words["question"])  # the bot knows it, and is silent
    expect(staff.get_by_test_id("row")).to_contain_text(words["question"])
    staff.get_by_test_id("row").click()
    staff.get_by_role("button", name=words["claim"]).click()
    expect(shop.locator(".desk")).to_contain_text(words["with"])
    expect(shop.locator(".me").last).to_contain_text(words["read"])
    staff.get_by_test_id("suggestion").first.click()
    staff.get_by_test_id("reply").press("Enter")
    expect(shop.locator(".bubble").last).to_contain_text(words["answer"])
    expect(staff.get_by_test_id("said-staff").last).to_contain_text(words["read"])
    shop.locator("textarea").first.press_sequentially("<i>ok</i>")
    expect(staff.get_by_text(words["typing"])).to_be_visible()
    shop.locator("textarea").first.press("Enter")
    expect(staff.get_by_test_id("said-customer").last).to_contain_text("<i>ok</i>")
    staff.get_by_test_id("reply").fill("bye")
    staff.get_by_role("button", name=words["send"], exact=True).click()
    expect(shop.locator(".bubble").last).to_have_text("bye")
    staff.get_by_text(words["notes"]).click()
    staff.get_by_label(words["hint"]).fill("regular")
    staff.get_by_role("button", name=words["note"]).click()
    expect(staff.locator(".k-note")).to_have_text("regular")
    shop.reload()
    shop.locator(".fab").click()
    expect(shop.locator(".desk")).to_contain_text(words["with"])
    expect(shop.locator(".log .bubble").last).to_have_text("bye")
    assert len(bubbles(shop)) == len(set(bubbles(shop))) == 7
    staff.get_by_role("button", name=words["return"]).click()
    expect(shop.locator(".turn").last).to_contain_text(words["returned"])
    say(shop, words["question"])
    expect(shop.locator(".source")).to_have_count(1)
    with console.client("agent") as api:
        id = api.get("/api/inbox?view=all").json()["items"][0]["conversation_id"]
        seen = api.get(f"/api/inbox/{id}").json()
    roles = [said["role"] for said in seen["messages"]]
    assert roles == ["customer", "bot", "customer", "staff", "customer", "staff", "customer", "bot"]
    assert seen["handoff"]["outcome"] == "returned" and "regular" not in " ".join(bubbles(shop))


def test_nothing_is_lost_when_the_server_is_killed(console: Console) -> None:
    staff = console.page("agent", "en")
    staff.goto(f"{console.url}/console/inbox")
    shop = customer(console, "en")
    say(shop, "before the crash")
    expect(staff.get_by_test_id("row")).to_contain_text("before the crash")
    console.stop(signal.SIGKILL)
    say(shop, "while it was down")
    console.start()
    expect(shop.locator(".strip")).to_be_hidden(timeout=40_000)
    expect(shop.locator(".desk")).to_contain_text("You're next in the queue.")
    expect(shop.locator(".me .state")).to_have_count(0)
    staff.goto(f"{console.url}/console/inbox")
    staff.get_by_test_id("row").click()
    expect(staff.get_by_test_id("said-customer")).to_have_count(3)
    expect(staff.get_by_test_id("said-customer").last).to_contain_text("while it was down")


def test_who_closes_the_page_loses_the_conversation_and_two_cannot_have_it(console: Console) -> None:
    words = WORDS["zh"]
    staff, boss = console.page("agent", "zh"), console.page("admin", "zh")
    shop = customer(console, "zh")
    for page in (staff, boss):
        page.goto(f"{console.url}/console/inbox")
        page.get_by_test_id("row").click()
    staff.get_by_role("button", name=words["claim"]).click()
    expect(shop.locator(".desk")).to_contain_text(words["with"])
    expect(boss.get_by_text("agent 接待中").first).to_be_visible()
    expect(boss.get_by_role("button", name=words["claim"])).to_have_count(0)
    staff.reload()  # a reload is no leaving
    staff.wait_for_timeout(3_000)
    expect(shop.locator(".desk")).to_contain_text(words["with"])
    staff.close()
    expect(shop.locator(".turn").last).to_contain_text(words["left"])
    expect(shop.locator(".desk")).to_contain_text(words["waiting"])
    boss.get_by_role("button", name=words["claim"]).click()
    expect(shop.locator(".desk")).to_contain_text("正在与 admin 对话")


def test_admins_set_the_hours_and_customers_are_told(console: Console) -> None:
    boss = console.page("admin", "en")
    boss.goto(f"{console.url}/console/inbox")
    boss.get_by_role("button", name="Hours").click()
    boss.get_by_role("switch", name="Always open").click()
    boss.get_by_label("Time zone").fill("Mars/Olympus")
    boss.get_by_role("button", name="Save").click()
    expect(boss.get_by_text("There is no such time zone")).to_be_visible()
    boss.get_by_label("Time zone").fill("UTC")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        boss.get_by_role("checkbox", name=day).click()
    boss.get_by_role("button", name="Save").click()
    expect(boss.get_by_text("Saved.")).to_be_visible()
    shop = console.page(None, "en")
    shop.goto(f"{console.url}/en.html")
    shop.locator(".fab").click()
    say(shop, "I want to talk to a person")
    expect(shop.locator(".bubble").last).to_contain_text("Our team is away at the moment")
    expect(shop.get_by_role("button", name="Talk to a person").last).to_be_visible()
    assert console.page("editor", "en").goto(f"{console.url}/console/inbox").status == 200  # type: ignore[union-attr]


def test_roles_without_the_desk_are_refused(console: Console) -> None:
    page = console.page("editor", "en")
    page.goto(f"{console.url}/console/inbox")
    expect(page.get_by_text("Your role may not do this")).to_be_visible()
    assert page.get_by_role("link", name="Inbox").count() == 0


LISTENED = """
window.heard = [];
window.Audio = class { constructor(address) { this.address = address; } async play() { heard.push(this.address); } };
window.Notification = class {
    static permission = "granted";
    constructor(title, { body }) { heard.push(body); }
};
Object.defineProperty(document, "hidden", { get: () => true });
"""


@pytest.mark.parametrize(("language", "told"), [("zh", "有客户在等待人工客服"), ("en", "A customer is waiting")])
def test_staff_on_another_page_hear_and_see_that_somebody_waits(console: Console, language: str, told: str) -> None:
    staff = console.page("agent", language)
    staff.add_init_script(LISTENED)
    staff.goto(f"{console.url}/console/conversations")
    expect(staff.get_by_test_id("inbox-badge")).to_be_hidden()
    customer(console, language)
    expect(staff.get_by_test_id("inbox-badge")).to_have_text("1")
    assert staff.evaluate("heard")[0] == "/console/static/ding.wav"
    assert told in staff.evaluate("heard")[1]
    staff.evaluate("localStorage.kefuSound = 'off'; heard.length = 0")
    customer(console, language, told="1")  # who waits before
    expect(staff.get_by_test_id("inbox-badge")).to_have_text("2")
    assert len(staff.evaluate("heard")) == 1  # the notification alone
