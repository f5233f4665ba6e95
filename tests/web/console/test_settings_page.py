"""The first admin, colleagues and the audit log, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
WORDS = {
    "zh": ("添加员工", "姓名", "密码", "保存", "操作记录", "登录", "添加员工"),
    "en": ("Add a colleague", "Name", "Password", "Save", "Audit log", "Sign in", "added a colleague"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_admin_adds_a_colleague_who_signs_in(console: Console, language: str) -> None:
    add, name, password, save, audit, sign_in, added = WORDS[language]
    page = console.page("admin", language)
    page.goto(f"{console.url}/console/settings")
    page.get_by_role("button", name=add).click()
    page.get_by_label(name).fill("Bo")
    page.get_by_label(password).fill("another long one")
    page.get_by_role("button", name=save).click()
    expect(page.get_by_role("cell", name="Bo")).to_be_visible()
    page.get_by_role("tab", name=audit).click()
    expect(page.get_by_role("cell", name=added).first).to_be_visible()

    colleague = console.page(None, language)
    colleague.goto(f"{console.url}/console/faqs")
    colleague.get_by_label(name).fill("Bo")
    colleague.get_by_label(password).fill("wrong")
    colleague.get_by_role("button", name=sign_in).click()
    expect(colleague.get_by_role("alert")).to_be_visible()
    colleague.get_by_label(password).fill("another long one")
    colleague.get_by_role("button", name=sign_in).click()
    expect(colleague).to_have_url(f"{console.url}/console/faqs")


def test_a_role_without_the_right_sees_why(console: Console) -> None:
    page = console.page("editor", "en")
    page.goto(f"{console.url}/console/settings")
    expect(page.get_by_text("Your role may not do this")).to_be_visible()
    assert page.get_by_role("link", name="Settings").count() == 0
