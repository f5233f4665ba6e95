"""A question is tried out in a real browser, made a golden one, and taken to the FAQ editor."""

import pytest
from playwright.sync_api import expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
WORDS = {
    "zh": ("客户的问题", "试一试", "设为评测问题", "保存", "评测问题", "建成常见问题", "问题", "回答"),
    "en": (
        "A customer's question",
        "Try it",
        "Make this a golden question",
        "Save",
        "Golden questions",
        "Make this an FAQ",
        "Question",
        "Answer",
    ),
}
ASKED = {"zh": ("退货怎么申请", "怎么申请退货？"), "en": ("how do I return an item now", "How do I return an item?")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_question_is_tried_made_golden_and_made_an_faq(console: Console, language: str) -> None:
    label, ask, make_golden, save, golden, make_faq, question_label, answer_label = WORDS[language]
    question, faq = ASKED[language]
    page = console.page("editor", language)
    page.goto(f"{console.url}/console/try-it")
    page.get_by_label(label, exact=True).fill(question)
    page.get_by_role("button", name=ask, exact=True).click()
    answer = page.get_by_test_id("answer")
    expect(answer.get_by_role("link", name=faq)).to_be_visible()
    expect(page.get_by_test_id("step_query")).to_have_text(question)
    expect(page.get_by_test_id("step_why")).to_contain_text("0.60")
    first = page.get_by_test_id("hits").locator("tbody tr").first
    expect(first).to_contain_text(faq)
    scores = [
        float(text) for text in first.locator("td").all_inner_texts() if text.count(".") == 1 and text[0].isdigit()
    ]
    assert len(scores) == 3 and all(0 < score <= 1 for score in scores)

    page.get_by_role("button", name=make_golden).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox", name=faq)).to_be_checked()
    dialog.get_by_role("button", name=save).click()
    expect(dialog).to_be_hidden()
    page.goto(f"{console.url}/console/try-it?tab=golden")
    expect(page.get_by_test_id("golden").get_by_text(question)).to_be_visible()
    assert page.get_by_role("link", name=golden).get_attribute("aria-current") == "page"

    page.go_back()
    expect(page.get_by_test_id("step_query")).to_have_text(question)  # the URL keeps it
    page.get_by_role("button", name=make_faq).click()
    form = page.get_by_test_id(f"form-{language}")
    expect(form.get_by_label(question_label, exact=True)).to_have_value(question)
    expect(form.get_by_label(answer_label, exact=True)).not_to_have_value("")


def test_what_was_asked_before_counts_and_nothing_asked_is_told(console: Console) -> None:
    page = console.page("agent", "en")
    page.goto(f"{console.url}/console/try-it")
    page.get_by_role("button", name="Try it", exact=True).click()
    expect(page.get_by_text("Enter a question first.")).to_be_visible()
    page.get_by_label("What the customer asked before", exact=False).fill("How do I get an invoice?")
    page.get_by_label("A customer's question", exact=True).fill("And for a company?")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("step_query")).to_contain_text("invoice")
    assert page.get_by_role("button", name="Make this an FAQ").count() == 0
