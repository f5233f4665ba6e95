"""A question that the bot could not answer is an FAQ three clicks later, in a real browser."""

import json

import httpx
import pytest
from playwright.sync_api import expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
LISTENS = "window.did_handshake"  # from then on the server hears clicks
ASKED = {
    "zh": ("火星基地什么时候招商？", "请问火星基地什么时候招商", "火星基地明年春天招商。"),
    "en": ("When does the Zorblax quokka arrive?", "so when does the Zorblax quokka arrive", "It arrives in spring."),
}
WORDS = {
    "zh": ("起草常见问题", "2 次", "回答", "发布", "机器人已在使用", "没有未解答的问题"),
    "en": ("Draft an FAQ", "2×", "Answer", "Publish", "The bot answers with it now", "Nothing was left unanswered"),
}


def ask(console: Console, question: str) -> dict[str, object]:
    """The answer frame of a customer's question."""
    response = httpx.post(f"{console.url}/chat/stream", json={"text": question, "token": ""}, timeout=30)
    frames = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    return next(frame for frame in frames if frame["type"] == "answer")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unanswered_question_is_an_faq_three_clicks_later(console: Console, language: str) -> None:
    question, similar, answer = ASKED[language]
    draft, twice, answer_label, publish, done, nothing = WORDS[language]
    assert ask(console, question)["kind"] == ask(console, similar)["kind"] == "abstain"
    page = console.page("editor", language)
    page.goto(f"{console.url}/console/unanswered")
    page.wait_for_function(LISTENS)
    gap = page.get_by_test_id("gap").filter(has_text=question.rstrip("？?"))
    expect(gap).to_have_count(1)
    expect(gap).to_contain_text(twice)
    gap.get_by_role("button", name=draft).click()  # one

    form = page.get_by_test_id(f"form-{language}")
    expect(form.get_by_role("textbox").nth(3)).to_be_visible()
    page.wait_for_function(LISTENS)
    filled = [box.input_value() for box in form.get_by_role("textbox").all()[:4]]
    assert sorted([filled[0], filled[2]]) == sorted([question, similar])
    form.get_by_label(answer_label, exact=True).fill(answer)
    form.get_by_role("button", name=publish, exact=True).last.click()  # two
    page.get_by_text(done).first.wait_for()
    assert ask(console, similar)["text"] == answer

    page.goto(f"{console.url}/console/unanswered")
    page.wait_for_function(LISTENS)
    expect(page.get_by_text(nothing)).to_be_visible()


def test_a_group_is_ignored_and_shown_again(console: Console) -> None:
    ask(console, ASKED["en"][0])
    page = console.page("editor", "en")
    page.goto(f"{console.url}/console/unanswered?days=7&language=en")
    page.wait_for_function(LISTENS)
    page.get_by_test_id("gap").get_by_role("button", name="Ignore").click()
    expect(page.get_by_text("Nothing was left unanswered")).to_be_visible()
    page.get_by_role("button", name="Show ignored questions again").click()
    expect(page.get_by_test_id("gap")).to_have_count(1)
    page.get_by_text("Phrasings: 1").click()
    page.get_by_role("link", name="conversation 1").click()
    expect(page.get_by_test_id("line-customer")).to_contain_text(ASKED["en"][0])
