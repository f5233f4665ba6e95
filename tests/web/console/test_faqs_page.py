"""FAQs in a real browser: imported, changed by many at once and by two at once, with a session that ends meanwhile."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Locator, Page, expect

from tests.web.console.conftest import Console
from tests.web.console.server import PASSWORD

pytestmark = pytest.mark.browser
WORDS = {
    "zh": {
        "question": "问题",
        "answer": "回答",
        "similar": "相似问法",
        "save": "保存",
        "mine": "保存我的",
        "theirs": "采用已保存的",
        "live": "机器人已在使用",
        "belongs": "已是另一条的问法",
        "translate": "添加译文",
        "delete": "删除",
        "fourth": "第 4 版",
        "ended": "登录已过期",
        "again": "在新标签页登录",
        "go_on": "已登录，继续",
        "not_yet": "还没有登录",
        "name": "姓名",
        "password": "密码",
        "sign_in": "登录",
    },
    "en": {
        "question": "Question",
        "answer": "Answer",
        "similar": "Similar questions",
        "save": "Save",
        "mine": "Save mine",
        "theirs": "Take the stored one",
        "live": "The bot answers with it now",
        "belongs": "belongs to another FAQ",
        "translate": "Add the translation",
        "delete": "Delete",
        "fourth": "Version 4",
        "ended": "Your session has ended",
        "again": "Sign in in a new tab",
        "go_on": "I have signed in, go on",
        "not_yet": "You are not signed in yet",
        "name": "Name",
        "password": "Password",
        "sign_in": "Sign in",
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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_second_of_two_editors_sees_both_texts_and_chooses(console: Console, language: str) -> None:
    words = WORDS[language]
    address = f"{console.url}/console/faqs/account-delete.{language}"
    first, second = console.page("editor", language), console.page("admin", language)
    for page, text in ((first, "From the first."), (second, "From the second.")):
        page.goto(address)
        form(page, language).get_by_label(words["answer"], exact=True).fill(text)
        form(page, language).get_by_test_id("preview").get_by_text(text).wait_for()
    form(first, language).get_by_role("button", name=words["save"], exact=True).click()
    expect(first.get_by_text(words["live"])).to_be_visible()
    form(second, language).get_by_role("button", name=words["save"], exact=True).click()
    conflict = second.get_by_test_id("conflict")
    expect(conflict.get_by_text("From the first.")).to_be_visible()
    expect(conflict.get_by_text("From the second.")).to_be_visible()
    second.get_by_role("button", name=words["theirs"]).click()
    expect(form(second, language).get_by_label(words["answer"], exact=True)).to_have_value("From the first.")
    form(second, language).get_by_label(words["answer"], exact=True).fill("From both.")
    form(second, language).get_by_test_id("preview").get_by_text("From both.").wait_for()
    form(second, language).get_by_role("button", name=words["save"], exact=True).click()
    expect(second.get_by_text(words["live"])).to_be_visible()
    form(first, language).get_by_label(words["answer"], exact=True).fill("Mine.")
    form(first, language).get_by_test_id("preview").get_by_text("Mine.").wait_for()
    form(first, language).get_by_role("button", name=words["save"], exact=True).click()
    first.get_by_role("button", name=words["mine"]).click()
    expect(form(first, language).get_by_text(words["fourth"])).to_be_visible()
    assert said(console, console.page(None, language), ASKED[language][4]) == "Mine."


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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_typed_outlives_the_session(console: Console, language: str) -> None:
    words, text = WORDS[language], ASKED[language][2]
    page = console.page("editor", language)
    page.goto(f"{console.url}/console/faqs/account-delete.{language}")
    form(page, language).get_by_label(words["answer"], exact=True).fill(text)
    form(page, language).get_by_test_id("preview").get_by_text(text).wait_for()
    csrf = page.request.get(f"{console.url}/api/session").json()["csrf"]
    assert page.request.delete(f"{console.url}/api/session", headers={"X-CSRF-Token": csrf}).status == 204
    save = form(page, language).get_by_role("button", name=words["save"], exact=True)
    save.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(words["ended"])
    dialog.get_by_role("button", name=words["go_on"]).click()
    expect(page.get_by_text(words["not_yet"])).to_be_visible()

    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name=words["again"]).click()
    opened.value.get_by_label(words["name"]).fill("editor")
    opened.value.get_by_label(words["password"]).fill(PASSWORD)
    opened.value.get_by_role("button", name=words["sign_in"]).click()
    expect(opened.value).to_have_url(f"{console.url}/console/overview")
    dialog.get_by_role("button", name=words["go_on"]).click()
    expect(dialog).to_be_hidden()
    expect(form(page, language).get_by_label(words["answer"], exact=True)).to_have_value(text)
    save.click()
    expect(page.get_by_text(words["live"])).to_be_visible()
    assert said(console, console.page(None, language), ASKED[language][4]) == text
