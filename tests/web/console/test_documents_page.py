"""Documents in a real browser: dropped, asked about, cited, replaced, trashed, restored, deleted with a receipt."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

from tests.web.console.conftest import Console

pytestmark = pytest.mark.browser
pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
HEADINGS = ("规格", "保养")
TEXTS = {
    "zh": (
        "蜂鸟吸尘器手册",
        "蜂鸟吸尘器的尘杯容量是零点六升。",
        "蜂鸟吸尘器的滤芯每三个月更换一次。",
        "蜂鸟吸尘器尘杯容量",
    ),
    "en": (
        "Hummingbird vacuum manual",
        "The Hummingbird vacuum has a dust cup of 600 millilitres.",
        "The Hummingbird vacuum needs a new filter every quarter.",
        "Hummingbird vacuum dust cup millilitres",
    ),
}
WORDS = {
    "zh": {
        "trash": "移到回收站", "undo": "撤销", "erase": "永久删除", "restore": "恢复", "replace": "替换文件",
        "bad": "文件内容与扩展名不符", "large": "不支持这种文件", "added": "已添加：2 段，其中 2 段新编码",
        "again": "已替换：2 段，其中 1 段重新编码", "download": "下载回执", "close": "关闭",
    },
    "en": {
        "trash": "Move to trash", "undo": "Undo", "erase": "Delete for good", "restore": "Restore",
        "replace": "Replace the file", "bad": "is not a PDF but a program", "large": "cannot be read",
        "added": "Added: 2 passages, 2 of them", "again": "Replaced: 2 passages, 1 of them",
        "download": "Download as JSON", "close": "Close",
    },
}  # fmt: skip


def make_pdf(path: Path, title: str, *paragraphs: str) -> Path:
    heading = ParagraphStyle("title", fontName="STSong-Light", fontSize=18, leading=26)
    part = ParagraphStyle("part", fontName="STSong-Light", fontSize=14, leading=20)
    body = ParagraphStyle(
        "body", fontName="STSong-Light", fontSize=11, leading=17, wordWrap="CJK" if title == TEXTS["zh"][0] else None
    )
    story = [Paragraph(title, heading)]
    for number, text in enumerate(paragraphs, 1):
        story += [Paragraph(f"{number}. {HEADINGS[number - 1]}", part), Paragraph(f"{text} {text}", body)]
    SimpleDocTemplate(str(path)).build(story)
    return path


def drop(page: Page, *files: Path) -> None:
    """Drop files on the page's place for them, as a mouse does."""
    given = [{"name": file.name, "data": base64.b64encode(file.read_bytes()).decode()} for file in files]
    page.get_by_test_id("choose").wait_for()
    carried = page.evaluate_handle(
        """files => {
            const carried = new DataTransfer();
            for (const {name, data} of files)
                carried.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], name));
            return carried;
        }""",
        given,
    )
    zone = page.locator(".k-upload")
    zone.dispatch_event("dragenter", {"dataTransfer": carried})
    zone.dispatch_event("dragover", {"dataTransfer": carried})
    page.locator(".q-uploader__dnd").dispatch_event("drop", {"dataTransfer": carried})


def answer(console: Console, page: Page, question: str) -> dict[str, Any]:
    """What a customer gets."""
    response = page.request.post(f"{console.url}/chat/stream", data={"text": question})
    assert response.ok, response.text()
    frames = [json.loads(line[5:]) for line in response.text().splitlines() if line.startswith("data:")]
    done = [frame for frame in frames if frame["type"] == "answer"]
    assert done, frames
    return dict(done[0])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_pdf_is_dropped_asked_cited_and_deleted_for_good(console: Console, language: str, tmp_path: Path) -> None:
    words, (title, first, second, question) = WORDS[language], TEXTS[language]
    file = make_pdf(tmp_path / "vacuum.pdf", title, first, second)
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"MZ\x90\x00")
    page, customer = console.page("editor", language), console.page(None, language)
    assert not answer(console, customer, question)["citations"]

    page.goto(f"{console.url}/console/documents")
    drop(page, file, bad)
    lines = page.get_by_test_id("uploads")
    expect(lines.get_by_text(words["added"])).to_be_visible()
    expect(lines.get_by_text(words["bad"])).to_be_visible()
    cited = answer(console, customer, question)
    assert [one["title"] for one in cited["citations"]] == [title] and first in cited["text"]

    page.get_by_role("link", name=title).click()
    expect(page.get_by_test_id("passage")).to_have_count(2)
    make_pdf(file, title, first, second.replace("三个月", "半年").replace("quarter", "season"))
    page.get_by_role("button", name=words["replace"]).click()
    page.locator(".k-upload input[type=file]").set_input_files(file)
    expect(page.get_by_test_id("uploads").get_by_text(words["again"])).to_be_visible()
    expect(page.get_by_test_id("passage").nth(1)).to_contain_text("半年" if language == "zh" else "season")

    page.get_by_role("button", name=words["trash"]).click()
    expect(page.get_by_test_id("passage")).to_have_count(0)
    assert not answer(console, customer, question)["citations"]
    page.get_by_role("button", name=words["undo"]).click()
    expect(page.get_by_test_id("passage")).to_have_count(2)
    assert answer(console, customer, question)["citations"]

    page.get_by_role("button", name=words["trash"]).click()
    page.get_by_role("button", name=words["erase"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["erase"]).click()
    receipt = page.get_by_test_id("receipt")
    expect(receipt.get_by_test_id("receipt_probed")).to_have_text("2")
    expect(receipt.get_by_test_id("receipt_found")).to_have_text("0")
    with page.expect_download() as download:
        receipt.get_by_role("button", name=words["download"]).click()
    kept = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert kept["clean"] and kept["probed"] == 2 and kept["staff_name"] == "editor" and kept["id"] == "vacuum.pdf"
    receipt.get_by_role("button", name=words["close"]).click()
    expect(page.get_by_test_id("total")).to_contain_text("0")
    assert not answer(console, customer, question)["citations"]


def test_what_the_page_refuses_and_who_may_only_look(console: Console, tmp_path: Path) -> None:
    page = console.page("editor", "en")
    page.goto(f"{console.url}/console/documents")
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(50_000_001)
    picture = tmp_path / "logo.svg"
    picture.write_text("<svg><script>alert(1)</script></svg>")
    page.get_by_test_id("choose").wait_for()
    page.locator(".k-upload input[type=file]").set_input_files([large, picture])
    lines = page.get_by_test_id("uploads")
    expect(lines.get_by_text("It has more than 50 MB")).to_be_visible()
    expect(lines.get_by_text("Files of this kind cannot be read")).to_be_visible()
    expect(page.get_by_test_id("total")).to_have_text("0 documents")

    small = tmp_path / "note.md"
    small.write_text("# <img src=x onerror=alert(1)>\n\n<script>alert(2)</script> {{ 1 + 1 }} text.", "utf-8")
    page.locator(".k-upload input[type=file]").set_input_files(small)
    expect(page.get_by_role("cell", name="note.md")).to_be_visible()
    alerts: list[str] = []
    reader = console.page("agent", "en")
    reader.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    reader.goto(f"{console.url}/console/documents?q=text")
    expect(reader.get_by_test_id("total")).to_have_text("1 documents")
    assert reader.get_by_test_id("choose").count() == 0 and reader.get_by_role("checkbox").count() == 0
    reader.locator("td a.k-link").click()
    expect(reader.get_by_test_id("passage")).to_contain_text("{{ 1 + 1 }}")
    assert reader.get_by_role("button", name="Move to trash").count() == 0
    assert not alerts
