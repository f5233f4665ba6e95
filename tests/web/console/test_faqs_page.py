"""FAQs in a real browser: written, previewed, published, answered, edited, restored; imported; two editors at once."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Locator, Page, expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
WORDS = {
    "zh": {
        "question": "问题",
        "answer": "回答",
        "similar": "相似问法",
        "save": "保存",
        "publish": "发布",
        "impact": "预览影响",
        "history": "历史版本",
        "restore": "恢复此版本",
        "new": "新建问题",
        "mine": "保存我的",
        "theirs": "采用已保存的",
        "live": "机器人已在使用",
        "belongs": "已是另一条的问法",
        "translate": "添加译文",
        "delete": "删除",
    },
    "en": {
        "question": "Question",
        "answer": "Answer",
        "similar": "Similar questions",
        "save": "Save",
        "publish": "Publish",
        "impact": "Preview the impact",
        "history": "History",
        "restore": "Restore",
        "new": "New FAQ",
        "mine": "Save mine",
        "theirs": "Take the stored one",
        "live": "The bot answers with it now",
        "belongs": "belongs to another FAQ",
        "translate": "Add the translation",
        "delete": "Delete",
    },
}
ASKED = {
    "zh": ("可以刻字吗？", "能刻名字吗", "可以，每件三十元。", "可以，每件五十元。", "怎么注销账号"),
    "en": (
        "Do you engrave names?",
        "engraving names",
        "Yes, for thirty yuan.",
        "Yes, for fifty yuan.",
        "How do I delete my account",
    ),
}


def said(console: Console, page: Page, question: str) -> str:
    """What a customer is told."""
    response = page.request.post(f"{console.url}/chat/stream", data={"text": question})
    assert response.ok, response.text()
    frames = [json.loads(line[5:]) for line in response.text().splitlines() if line.startswith("data:")]
    return str(next(frame for frame in frames if frame["type"] == "answer")["text"])


def form(page: Page, language: str) -> Locator:
    return page.get_by_test_id(f"form-{language}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_faq_is_written_previewed_published_answered_edited_and_restored(console: Console, language: str) -> None:
    words, (question, reworded, first, second, _) = WORDS[language], ASKED[language]
    page, customer = console.page("editor", language), console.page(None, language)
    said(console, customer, question)
    page.goto(f"{console.url}/console/faqs")
    page.get_by_role("link", name=words["new"]).click()
    side = form(page, language)
    side.get_by_label(words["question"], exact=True).fill(question)
    side.get_by_label(words["answer"], exact=True).fill(first)
    side.get_by_label(words["similar"]).fill(reworded)
    expect(side.get_by_test_id("preview")).to_have_text(first)

    side.get_by_role("button", name=words["impact"]).click()
    impact = page.get_by_test_id("impact")
    expect(impact.get_by_text(question).first).to_be_visible()
    expect(impact.get_by_text(first)).to_be_visible()
    page.keyboard.press("Escape")
    assert said(console, customer, question) != first

    side.get_by_role("button", name=words["publish"], exact=True).click()
    expect(page.get_by_text(words["live"])).to_be_visible()
    assert said(console, customer, question) == first and said(console, customer, reworded) == first
    assert "/faqs/faq-" in page.url

    page.reload()
    form(page, language).get_by_label(words["answer"], exact=True).fill(second)
    form(page, language).get_by_test_id("preview").get_by_text(second).wait_for()
    form(page, language).get_by_role("button", name=words["save"], exact=True).click()
    expect(page.get_by_text(words["live"])).to_be_visible()
    assert said(console, customer, question) == second

    form(page, language).get_by_role("button", name=words["history"]).click()
    history = page.get_by_test_id("history")
    expect(history.locator("[data-version='2'] [data-part=removed]").first).to_be_visible()
    history.locator("[data-version='1']").get_by_role("button", name=words["restore"]).click()
    expect(form(page, language).get_by_label(words["answer"], exact=True)).to_have_value(first)
    assert said(console, customer, question) == first


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_workbook_with_errors_is_shown_by_row_mended_and_imported(
    console: Console, tmp_path: Path, language: str
) -> None:
    page, customer = console.page("editor", language), console.page(None, language)
    question, _, answer, _, known = ASKED[language]

    def workbook(*rows: tuple[str, ...]) -> str:
        book = Workbook()
        sheet = book.worksheets[0]
        for row in (("id", "question", "answer", "status"), *rows):
            sheet.append(row)
        book.save(tmp_path / "faqs.xlsx")
        return str(tmp_path / "faqs.xlsx")

    page.goto(f"{console.url}/console/faqs/import")
    wrong = workbook(("engrave", question, answer, "published"), ("x", "", "…", ""), ("y", "?", "…", "live"))
    page.locator("input[type=file]").set_input_files(wrong)
    problems = page.get_by_test_id("problems")
    expect(problems.get_by_role("row", name="3 question")).to_be_visible()
    expect(problems.get_by_role("row", name="4 status")).to_be_visible()
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    assert said(console, customer, question) != answer

    changed = (f"account-delete.{language}", known, answer, "published")
    page.locator("input[type=file]").set_input_files(workbook(("engrave", question, answer, "published"), changed))
    dry_run = page.get_by_test_id("dry-run")
    expect(dry_run.locator("[data-part=added]").first).to_be_visible()
    assert said(console, customer, question) != answer
    page.get_by_test_id("confirm").click()
    expect(dry_run.locator("a")).to_be_visible()
    assert said(console, customer, question) == answer and said(console, customer, known) == answer


def test_the_second_of_two_editors_sees_both_texts_and_chooses(console: Console) -> None:
    words = WORDS["en"]
    address = f"{console.url}/console/faqs/account-delete.en"
    first, second = console.page("editor", "en"), console.page("admin", "en")
    for page, text in ((first, "From the first."), (second, "From the second.")):
        page.goto(address)
        form(page, "en").get_by_label("Answer", exact=True).fill(text)
        form(page, "en").get_by_test_id("preview").get_by_text(text).wait_for()
    form(first, "en").get_by_role("button", name="Save", exact=True).click()
    expect(first.get_by_text(words["live"])).to_be_visible()
    form(second, "en").get_by_role("button", name="Save", exact=True).click()
    conflict = second.get_by_test_id("conflict")
    expect(conflict.get_by_text("From the first.")).to_be_visible()
    expect(conflict.get_by_text("From the second.")).to_be_visible()
    second.get_by_role("button", name=words["theirs"]).click()
    expect(form(second, "en").get_by_label("Answer", exact=True)).to_have_value("From the first.")
    form(second, "en").get_by_label("Answer", exact=True).fill("From both.")
    form(second, "en").get_by_test_id("preview").get_by_text("From both.").wait_for()
    form(second, "en").get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text(words["live"])).to_be_visible()
    form(first, "en").get_by_label("Answer", exact=True).fill("Mine.")
    form(first, "en").get_by_test_id("preview").get_by_text("Mine.").wait_for()
    form(first, "en").get_by_role("button", name="Save", exact=True).click()
    first.get_by_role("button", name=words["mine"]).click()
    expect(form(first, "en").get_by_text("Version 4")).to_be_visible()
    assert said(console, console.page(None, "en"), ASKED["en"][4]) == "Mine."


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_list_is_searched_and_many_are_changed(console: Console, language: str) -> None:
    words, known = WORDS[language], ASKED[language][4]
    page = console.page("editor", language)
    page.goto(f"{console.url}/console/faqs")
    page.locator("input[type=search]").fill(known)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.reload()  # the search stands in the URL
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody .q-checkbox").click()
    page.get_by_test_id("bulk").get_by_role("button", name=words["delete"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.locator("tbody tr")).to_have_count(0)

    page.goto(f"{console.url}/console/faqs/new?question=x&similar={ASKED[language][1]}&language={language}")
    similar = form(page, language).get_by_label(words["similar"])
    expect(similar).to_have_value(ASKED[language][1])
    other = "怎么联系你们？" if language == "zh" else "How can I contact you?"
    form(page, language).get_by_label(words["question"], exact=True).fill(other)
    expect(form(page, language).get_by_test_id("warnings").get_by_text(words["belongs"]).first).to_be_visible()


def test_an_agent_reads_and_is_offered_no_change(console: Console) -> None:
    page = console.page("agent", "en")
    page.goto(f"{console.url}/console/faqs/account-delete.en")
    expect(form(page, "en").get_by_label("Answer", exact=True)).to_be_visible()
    assert form(page, "en").get_by_role("button", name="Save").count() == 0
    page.goto(f"{console.url}/console/faqs/import")
    expect(page.get_by_text("Your role may not do this")).to_be_visible()
