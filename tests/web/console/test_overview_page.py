"""The overview's numbers, charts and files, in a real browser."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
WORDS = {
    "zh": ("怎么申请退货？", "回答覆盖率", "50 %", "占 2 个问题，最近 7 天"),
    "en": ("How do I return an item?", "Coverage", "50 %", "of 2 questions, last 7 days"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_numbers_charts_and_files(console: Console, language: str) -> None:
    question, coverage, share, of = WORDS[language]
    for asked in (question, "zzz qqq"):
        httpx.post(f"{console.url}/chat/stream", json={"text": asked, "token": ""}, timeout=30)
    page = console.page("agent", language)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{console.url}/console/overview")
    numbers = page.get_by_test_id("numbers")
    expect(numbers).to_contain_text(coverage)
    expect(numbers).to_contain_text(share)
    expect(numbers).to_contain_text(of)
    for name in ("per_day", "kinds", "speed"):
        expect(page.get_by_test_id(f"chart-{name}").locator("svg path").first).to_be_attached()
    with page.expect_download() as download:
        page.get_by_test_id("csv-top").click()
    assert download.value.suggested_filename.startswith("top_")
    assert question in page.request.get(download.value.url).text()
    assert wrong == []
