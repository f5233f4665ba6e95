"""From the setup link to an answer in the widget of the shop's page, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.console.conftest import Console
from tests.web.console.server import PASSWORD

pytestmark = pytest.mark.browser
WORDS = {
    "zh": {
        "name": "姓名", "password": "密码", "create": "创建并登录", "faqs": "常见问题", "new": "新建问题",
        "question": "问题", "answer": "回答", "similar": "相似问法", "impact": "预览影响", "publish": "发布",
        "save": "保存", "history": "历史版本", "restore": "恢复此版本", "live": "机器人已在使用",
        "used": "这个链接已失效", "unknown": "没有找到答案",
    },
    "en": {
        "name": "Name", "password": "Password", "create": "Create and sign in", "faqs": "FAQs", "new": "New FAQ",
        "question": "Question", "answer": "Answer", "similar": "Similar questions", "impact": "Preview the impact",
        "publish": "Publish", "save": "Save", "history": "History", "restore": "Restore",
        "live": "The bot answers with it now", "used": "This link is used up", "unknown": "I can't find this",
    },
}  # fmt: skip
ASKED = {
    "zh": ("可以刻字吗？", "能刻名字吗", "可以，每件三十元。", "可以，每件五十元。"),
    "en": ("Do you engrave names?", "engraving names", "Yes, for thirty yuan.", "Yes, for fifty yuan."),
}


def widget(console: Console, language: str) -> Page:
    """The shop's page with the widget open."""
    page = console.page(None, language)
    page.goto(console.url + ("/" if language == "zh" else "/en.html"))
    page.locator(".fab").click()
    return page


def hears(shop: Page, question: str, answer: str) -> None:
    """The customer asks, and the widget shows the answer."""
    mine = shop.locator(".log .me")
    asked = mine.count()
    shop.locator("textarea").first.fill(question)
    shop.locator("textarea").first.press("Enter")
    expect(mine).to_have_count(asked + 1)
    expect(shop.locator(".log .bubble").last).to_contain_text(answer)
    expect(shop.locator(".stop")).to_be_hidden()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_the_first_admin_to_the_widget(new_console: Console, language: str) -> None:
    console, words, (question, reworded, first, second) = new_console, WORDS[language], ASKED[language]
    page, shop = console.page(None, language), widget(console, language)
    hears(shop, question, words["unknown"])

    link = f"{console.url}/console/setup?token={(console.data / 'setup.secret').read_text().strip()}"
    page.goto(link)
    page.get_by_label(words["name"]).fill("Lin")
    page.get_by_label(words["password"]).fill(PASSWORD)
    page.get_by_role("button", name=words["create"]).click()
    expect(page).to_have_url(f"{console.url}/console/overview")
    stranger = console.page(None, language)
    stranger.goto(link)
    expect(stranger.get_by_text(words["used"])).to_be_visible()

    page.get_by_role("link", name=words["faqs"], exact=True).click()
    page.get_by_role("link", name=words["new"]).click()
    form = page.get_by_test_id(f"form-{language}")
    form.get_by_label(words["question"], exact=True).fill(question)
    form.get_by_label(words["answer"], exact=True).fill(first)
    form.get_by_label(words["similar"]).fill(reworded)
    expect(form.get_by_test_id("preview")).to_have_text(first)
    form.get_by_role("button", name=words["impact"]).click()
    impact = page.get_by_test_id("impact")
    expect(impact.get_by_text(question).first).to_be_visible()
    expect(impact.get_by_text(first)).to_be_visible()
    page.keyboard.press("Escape")
    hears(widget(console, language), question, words["unknown"])

    form.get_by_role("button", name=words["publish"], exact=True).click()
    expect(page.get_by_text(words["live"])).to_be_visible()
    hears(shop, question, first)
    hears(shop, reworded, first)

    page.reload()
    form.get_by_label(words["answer"], exact=True).fill(second)
    form.get_by_test_id("preview").get_by_text(second).wait_for()
    form.get_by_role("button", name=words["save"], exact=True).click()
    expect(page.get_by_text(words["live"])).to_be_visible()
    hears(shop, question, second)

    form.get_by_role("button", name=words["history"]).click()
    history = page.get_by_test_id("history")
    expect(history.locator("[data-version='2'] [data-part=removed]").first).to_be_visible()
    history.locator("[data-version='1']").get_by_role("button", name=words["restore"]).click()
    expect(form.get_by_label(words["answer"], exact=True)).to_have_value(first)
    hears(shop, question, first)
