"""The whole loop in a real browser: abstains, a person answers, the example is approved, trains, compares, promotes
while an answer streams, answers a rephrased question, rolls back, abstains again. Only the model is small.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from knowledge_base.types import Language
from tests.journeys.learning_shop import ASKED, LONG, SAID, THINGS, long
from tests.web.console.conftest import Console

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
_PATIENCE = 240_000  # milliseconds for what processes of their own do, on a busy machine
_ROLLBACK = 5.0  # seconds
WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "unknown": "没有找到答案",
        "person": "转人工",
        "waiting": "已为您转接",
        "claim": "接待",
        "return": "交还机器人",
        "collect": "从会话记录中查找",
        "approve": "批准",
        "start": "开始训练",
        "passed": "通过",
        "see": "查看比较结果",
        "no worse": "通过：没有发现变差。",
        "promote": "上线",
        "serving": "当前使用",
        "back": "回滚",
        "promoted": "上线（之前：cautious）",
    },
    "en": {
        "unknown": "I can't find this",
        "person": "Talk to a person",
        "waiting": "You're next in the queue.",
        "claim": "Take it",
        "return": "Return to the bot",
        "collect": "Look through conversations",
        "approve": "Approve",
        "start": "Start a round",
        "passed": "Passed",
        "see": "See the comparison",
        "no worse": "Passed: nothing was found to be worse.",
        "promote": "Promote",
        "serving": "Serving",
        "back": "Roll back",
        "promoted": "promoted (before: cautious)",
    },
}


class LearningShop(Console):
    """The shop that learns."""

    program = "tests.journeys.learning_shop"

    def serving(self) -> str:
        return str(httpx.get(f"{self.url}/ready", timeout=30).json()["release"])


@pytest.fixture
def shop(tmp_path: Path, browser: Browser) -> Iterator[LearningShop]:
    made = LearningShop(tmp_path / "data", browser)
    yield made
    made.stop()
    for context in browser.contexts:
        context.close()


def customer(shop: LearningShop, language: Language) -> Page:
    page = shop.page(None, language)
    page.goto(shop.url + ("/" if language == "zh" else "/en.html"))
    page.locator(".fab").click()
    expect(page.locator(".log .bubble")).to_have_count(1)  # the greeting
    return page


def ask(page: Page, question: str, expected: str) -> None:
    before = page.locator(".log .bubble").count()
    page.locator("textarea").first.fill(question)
    page.locator("textarea").first.press("Enter")
    expect(page.locator(".log .bubble")).to_have_count(before + 2, timeout=30_000)
    expect(page.locator(".bubble").last).to_contain_text(expected, timeout=30_000)


def answered_by_a_person(shop: LearningShop, page: Page, language: Language) -> None:
    """The customer asks for a person, who inserts what the FAQ says."""
    words = WORDS[language]
    page.locator(".head .person").click()
    expect(page.locator(".desk")).to_contain_text(words["waiting"])
    staff = shop.page("agent", language)
    staff.goto(f"{shop.url}/console/inbox")
    staff.get_by_test_id("row").click()
    staff.get_by_role("button", name=words["claim"]).click()
    staff.get_by_test_id("suggestion").first.click()
    staff.get_by_test_id("reply").press("Enter")
    expect(page.locator(".bubble").last).to_contain_text(SAID[language].format(THINGS[language][0]))
    staff.get_by_role("button", name=words["return"]).click()


def approved(shop: LearningShop, trainer: Page, language: Language) -> None:
    """The trainer has the log looked through and approves what was found."""
    trainer.goto(f"{shop.url}/console/learning")
    trainer.get_by_role("button", name=WORDS[language]["collect"]).click()
    example = trainer.get_by_test_id("example")
    expect(example).to_have_count(1, timeout=_PATIENCE)
    expect(example).to_contain_text(ASKED[language][4].format(THINGS[language][0]))
    example.get_by_role("button", name=WORDS[language]["approve"]).click()
    expect(example).to_have_count(0)


def trained(shop: LearningShop, trainer: Page, language: Language, killing: bool) -> None:
    """A round is begun and passes; a server that is killed meanwhile and started again knows of it."""
    trainer.goto(f"{shop.url}/console/learning?tab=rounds")
    trainer.get_by_role("button", name=WORDS[language]["start"]).click()
    expect(trainer.get_by_test_id("running")).to_be_visible(timeout=60_000)
    if killing:
        shop.stop(signal.SIGKILL)
        shop.start()
        trainer.goto(f"{shop.url}/console/learning?tab=rounds")
    expect(trainer.get_by_test_id("round")).to_contain_text(WORDS[language]["passed"], timeout=_PATIENCE)


def promoted_while_it_streams(shop: LearningShop, page: Page, trainer: Page, language: Language) -> None:
    words = WORDS[language]
    trainer.get_by_test_id("round").get_by_role("link", name=words["see"]).click()
    expect(trainer.get_by_test_id("verdict")).to_contain_text(words["no worse"])
    expect(trainer.get_by_test_id("got_better").locator(".q-card").first).to_be_visible()
    before = page.locator(".log .bubble").count()
    page.locator("textarea").first.fill(LONG[language])
    page.locator("textarea").first.press("Enter")
    expect(page.locator(".log .bubble")).to_have_count(before + 2, timeout=30_000)
    trainer.get_by_role("button", name=words["promote"], exact=True).click()
    trainer.get_by_role("dialog").get_by_role("button", name=words["promote"], exact=True).click()
    first = trainer.get_by_test_id("release").first
    expect(first.get_by_text(words["serving"])).to_be_visible(timeout=_PATIENCE)
    expect(first).to_contain_text(words["promoted"], timeout=_PATIENCE)
    until = time.monotonic() + 60
    while shop.serving() == "cautious":
        assert time.monotonic() < until
        time.sleep(0.1)
    expect(page.locator(".bubble").last).not_to_contain_text(long(language)[-20:].strip())
    (shop.data / "go-on").touch()
    expect(page.locator(".bubble").last).to_contain_text(long(language)[-20:].strip(), timeout=30_000)


def rolled_back(shop: LearningShop, trainer: Page, language: Language) -> None:
    back = trainer.get_by_test_id("release").first.get_by_role("button", name=WORDS[language]["back"])
    expect(back).to_be_enabled(timeout=60_000)
    began = time.monotonic()
    back.click()
    while shop.serving() != "cautious":
        assert time.monotonic() - began < 60
    assert time.monotonic() - began < _ROLLBACK


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_person_answered_once_the_bot_answers_until_it_is_rolled_back(
    shop: LearningShop, language: Language
) -> None:
    thing = THINGS[language][0]
    answer, unknown = SAID[language].format(thing), WORDS[language]["unknown"]
    page, trainer = customer(shop, language), shop.page("trainer", language)
    ask(page, ASKED[language][4].format(thing), unknown)
    answered_by_a_person(shop, page, language)
    approved(shop, trainer, language)
    trained(shop, trainer, language, killing=language == "zh")
    page = customer(shop, language)
    ask(page, ASKED[language][3].format(thing), unknown)
    promoted_while_it_streams(shop, page, trainer, language)
    ask(page, ASKED[language][3].format(thing), answer)
    rolled_back(shop, trainer, language)
    ask(customer(shop, language), ASKED[language][3].format(thing), unknown)
    with shop.client("admin") as api:
        known = api.get("/api/learning/releases").json()
        found = api.get("/api/conversations", params={"text": LONG[language]}).json()["items"]
        said = api.get(f"/api/conversations/{found[0]['id']}").json()
    releases = [one["answer"]["release"] for one in said["lines"] if one["answer"]]
    learnt = next(one["name"] for one in known["items"] if one["name"] not in ("cautious", "default"))
    assert releases == ["cautious", "cautious", learnt], "a reply ends with the release that began it"
    acts = [(one["act"], one["release"]) for one in known["items"][0]["story"]]
    assert acts == [("promote", "cautious"), ("promote", learnt), ("rollback", "cautious")]
