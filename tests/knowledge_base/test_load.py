"""Real files in, Markdown out; bad files refused with a sentence that names file and remedy."""

import io
import os
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, SimpleDocTemplate, Table

from knowledge_base import load as load_module
from knowledge_base.load import SUFFIXES, Unreadable, load

pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

TITLE = ParagraphStyle("title", fontName="STSong-Light", fontSize=18, leading=26)
HEADING = ParagraphStyle("heading", fontName="STSong-Light", fontSize=14, leading=20, spaceAfter=6)
BODY = ParagraphStyle("body", fontName="STSong-Light", fontSize=11, leading=17, wordWrap="CJK", spaceAfter=6)
ENGLISH = ParagraphStyle("english", fontName="Helvetica", fontSize=11, leading=15, spaceAfter=6)
WARRANTY = (
    "本产品自购买之日起享受两年全国联保，保修期内因产品质量问题导致的故障由本公司免费维修或更换，人为损坏、进水、"
    "私自拆机等情形不在保修范围之内。如需维修，请拨打客服热线 400-820-1234，工作时间为每天 9:00 至 18:00，我们会在"
    "两个工作日之内与您联系并安排上门取件服务。"
)
WARRANTY_EN = (
    "The kettle is covered by a two-year warranty from the date of purchase. Damage by misuse, water ingress or "
    "unauthorised repair is not covered. Call 400-820-1234 between 9:00 and 18:00, e.g. on a working day."
)
PRICES = [
    ["型号", "容量", "价格"],
    ["K2", "1.7 升", "199 元"],
    ["K2 Pro", "2.0 升", "299 元"],
    ["K3", "3 升", "399 元"],
]


def make_pdf(path: Path, story: list[Flowable], running: bool = False, password: str = "") -> Path:
    def decorate(canvas: Canvas, document: SimpleDocTemplate) -> None:
        if running:
            canvas.setFont("STSong-Light", 9)
            canvas.drawString(72, 800, "云杉商城 内部资料")
            canvas.drawString(280, 30, f"第 {document.page} 页")

    encrypt = StandardEncryption(password) if password else None
    SimpleDocTemplate(str(path), encrypt=encrypt).build(story, onFirstPage=decorate, onLaterPages=decorate)
    return path


def grid(rows: list[list[str]], ruled: bool) -> Table:
    style = [("FONT", (0, 0), (-1, -1), "STSong-Light", 11)]
    return Table(rows, style=[*style, ("GRID", (0, 0), (-1, -1), 0.5, "black")] if ruled else style)


def test_chinese_pdf_has_whole_sentences_headings_and_tables(tmp_path: Path) -> None:
    story: list[Flowable] = [Paragraph("智能水壶使用手册", TITLE)]
    for number in range(1, 8):
        story += [Paragraph(f"{number}. 保修政策", HEADING), Paragraph(WARRANTY, BODY)]
        story += [KeepTogether(grid(PRICES, ruled=number % 2 == 0)), Paragraph("以上价格含税。", BODY)]
    document = load(make_pdf(tmp_path / "手册.pdf", story, running=True))
    assert document.title == "智能水壶使用手册"
    assert document.language == "zh"
    assert document.id == document.source == "手册.pdf"
    assert document.text.startswith(f"# 智能水壶使用手册\n\n## 1. 保修政策\n\n{WARRANTY}\n\n| 型号 | 容量 | 价格 |\n")
    assert document.text.count(WARRANTY) == 7  # also the one that a page break cuts
    assert document.text.count("| K2 Pro | 2.0 升 | 299 元 |\n| K3 | 3 升 | 399 元 |") == 7
    assert "内部资料" not in document.text
    assert "页" not in document.text.replace("首页", "")


def test_english_pdf_joins_wrapped_lines_only(tmp_path: Path) -> None:
    addresses = "Service: 12 High Street<br/>Phone: 400-820-1234"
    story: list[Flowable] = [Paragraph("Kettle manual", TITLE), Paragraph(WARRANTY_EN, ENGLISH)]
    story += [Paragraph(addresses, ENGLISH), Paragraph("• Do not boil dry.", ENGLISH), Paragraph("• Descale.", ENGLISH)]
    document = load(make_pdf(tmp_path / "manual.pdf", story))
    assert document.language == "en"
    assert document.text == (
        f"# Kettle manual\n\n{WARRANTY_EN}\n\nService: 12 High Street\n\nPhone: 400-820-1234\n\n"
        "- Do not boil dry.\n- Descale."
    )


def test_a_table_over_a_page_break_is_one(tmp_path: Path) -> None:
    rows = [["型号", "价格"], *([f"K{i}", f"{i} 元"] for i in range(90))]
    table = Table(
        rows,
        repeatRows=1,
        style=[("FONT", (0, 0), (-1, -1), "STSong-Light", 11), ("GRID", (0, 0), (-1, -1), 1, "black")],
    )
    text = load(make_pdf(tmp_path / "prices.pdf", [table])).text
    assert text.splitlines() == ["| 型号 | 价格 |", "| --- | --- |", *(f"| K{i} | {i} 元 |" for i in range(90))]


def test_a_page_in_two_columns_is_read_column_by_column(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "columns.pdf"))
    for row in range(12):
        canvas.drawString(60, 760 - 14 * row, f"left words and more of line number {row:02}")
        canvas.drawString(320, 760 - 14 * row, f"right words and more of line number {row:02}")
    canvas.save()
    text = load(tmp_path / "columns.pdf").text
    assert text.index("left words and more of line number 11") < text.index("right words and more of line number 00")


def test_word_document(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_heading("退货政策", 1)
    word.add_paragraph("自签收之日起 7 天内可申请退货，邮箱 a_b@c.com。")
    word.add_paragraph("保持完好", style="List Bullet")
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["地区", "运费", "北京", "10 元"], strict=True):
        cell.text = text
    word.add_heading("Contact", 2)
    word.add_paragraph("Call 400-820-1234.")
    word.save(str(tmp_path / "returns.docx"))
    document = load(tmp_path / "returns.docx", id="returns")
    assert (document.id, document.title, document.language) == ("returns", "退货政策", "zh")
    assert document.text == (
        "# 退货政策\n\n自签收之日起 7 天内可申请退货，邮箱 a_b@c.com。\n\n* 保持完好\n\n"
        "| 地区 | 运费 |\n| --- | --- |\n| 北京 | 10 元 |\n\n## Contact\n\nCall 400-820-1234."
    )


def test_workbook_shows_cells_as_the_sheet_does(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "价格"
    for row in (
        ["春季价格表"],
        [],
        ["型号", "价格", "折扣", "起", "备注"],
        ["K1", 199.5, 0.15, date(2024, 5, 1), None],
    ):
        sheet.append(row)
    sheet.append(["K2", 1299.0, 0.2, None, "含|税\n价"])
    sheet["B4"].number_format, sheet["B5"].number_format = '"¥"#,##0.00', '#,##0"元"'
    sheet["C4"].number_format = sheet["C5"].number_format = "0%"
    workbook.create_sheet("空")
    hidden = workbook.create_sheet("成本")
    hidden.append(["进价", 1])
    hidden.sheet_state = "hidden"
    workbook.save(tmp_path / "价格表.xlsx")
    document = load(tmp_path / "价格表.xlsx")
    assert document.title == "价格表"
    assert document.text == (
        "## 价格\n\n春季价格表\n\n| 型号 | 价格 | 折扣 | 起 | 备注 |\n| --- | --- | --- | --- | --- |\n"
        "| K1 | ¥199.50 | 15% | 2024-05-01 |  |\n| K2 | 1299元 | 20% |  | 含\\|税 价 |"
    )


def test_workbook_beyond_the_limits_is_refused_without_reading_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for i in range(3000):
        sheet.append([f"K{i}", i])
    workbook.save(tmp_path / "big.xlsx")
    assert load(tmp_path / "big.xlsx").text.count("\n") == 3000
    monkeypatch.setattr("knowledge_base.spreadsheet._MOST_CELLS", 2000)
    refused(tmp_path / "big.xlsx", "more than 2,000 cells", "split it")
    monkeypatch.setattr("knowledge_base.spreadsheet.MOST_CHARACTERS", 2000)
    refused(tmp_path / "big.xlsx", "characters of text", "Split it")


def test_a_workbook_of_100_000_rows_is_read_to_its_last(tmp_path: Path) -> None:
    path = tmp_path / "prices.xlsx"
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    row = '<row><c t="inlineStr"><is><t>K{0}</t></is></c><c><v>{0}</v></c></row>'
    parts["xl/worksheets/sheet1.xml"] = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(row.format(number) for number in range(100_000))
        + "</sheetData></worksheet>"
    ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    lines = load(path).text.splitlines()
    assert (len(lines), lines[-1]) == (100_001, "| K99999 | 99999 |")


def test_slides_without_the_speakers_notes(tmp_path: Path) -> None:
    slides = pptx.Presentation()
    for title in ("会员制度", "积分"):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"{title}说明\n生日双倍积分"
        slide.notes_slide.notes_text_frame.text = "内部：不要说"
    slides.save(str(tmp_path / "members.pptx"))
    document = load(tmp_path / "members.pptx")
    assert document.title == "会员制度"
    assert document.text == "# 会员制度\n会员制度说明\n生日双倍积分\n\n# 积分\n积分说明\n生日双倍积分"


def test_web_page_without_scripts_and_navigation(tmp_path: Path) -> None:
    page = (
        '<?xml version="1.0"?><html><head><meta charset="gb2312"><title>配送 - 商城</title><style>p{}</style></head>'
        "<body><nav>首页</nav><h1>配送说明</h1><script>alert(1)</script><p>满 99 元<b>包邮</b>。<img src=x></p>"
        "<table><tr><td>地区</td><td>天数</td></tr><tr><td>北京</td><td>2</td></tr></table>"
        "<footer>电话 400-820-1234</footer></body></html>"
    )
    (tmp_path / "shipping.html").write_bytes(page.encode("gbk"))
    document = load(tmp_path / "shipping.html")
    assert document.title == "配送说明"
    assert document.text == (
        "# 配送说明\n\n满 99 元**包邮**。\n\n| 地区 | 天数 |\n| --- | --- |\n| 北京 | 2 |\n\n电话 400-820-1234"
    )
    main = "<title>T\n1</title><body><div>menu</div><main><p>Only this.</p></main></body>"
    (tmp_path / "main.htm").write_text(main)
    document = load(tmp_path / "main.htm")
    assert (document.title, document.text) == ("T 1", "Only this.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("型号,价格\nK1,199\n,\n", "| 型号 | 价格 |\n| --- | --- |\n| K1 | 199 |"),
        ('型号;价格\nK1;"1,5\n元"\n', "| 型号 | 价格 |\n| --- | --- |\n| K1 | 1,5 元 |"),
        ("价格表\n\nK\tP\nK1\t1\n", "价格表\n\n| K | P |\n| --- | --- |\n| K1 | 1 |"),
    ],
)
@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16"])
def test_csv(tmp_path: Path, text: str, expected: str, encoding: str) -> None:
    (tmp_path / "prices.csv").write_bytes(text.encode(encoding))
    document = load(tmp_path / "prices.csv")
    assert (document.title, document.text) == ("prices", expected)


SIMPLIFIED = "退货政策：自签收之日起七天内可以申请退货。\n运费由买家承担。"
TRADITIONAL = "退貨政策：自簽收之日起七天內可以申請退貨。\n運費由買家承擔。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "utf-8-sig"),
        (SIMPLIFIED, "gbk"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5"),
        (SIMPLIFIED, "utf-16"),
        ("Plain words.", "utf-16-le"),
        ("Plain words.", "utf-16-be"),
        (SIMPLIFIED, "utf-32"),
        ("It’s “fine” – the café costs £5.", "cp1252"),
    ],
)
def test_text_in_many_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert load(tmp_path / "a.txt").text == text


def test_markdown_front_matter_comments_and_title(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: '保修 政策'\ntags:\n  - a\n---\n<!-- draft -->\n正文。\r\n```\n<!-- kept -->\n```\n")
    document = load(path)
    assert (document.title, document.text) == ("保修 政策", "正文。\n```\n<!-- kept -->\n```")
    path.write_text("---\n只是一条线。\n---\n# 标题\n正文\x00\x07。")
    refused(path, "binary")
    path.write_text("---\n只是一条线。\n---\n# 标题\n正文\x07。")
    document = load(path)
    assert (document.title, document.text) == ("标题", "---\n只是一条线。\n---\n# 标题\n正文。")


def refused(path: Path, *words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load(path)
    message = str(caught.value)
    assert path.name in message
    assert message.count(". ") >= 1, "one sentence on what is wrong, one on what to do"
    for word in words:
        assert word in message


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(buffer, "PNG")
    return buffer.getvalue()


def scanned(path: Path) -> None:
    picture_path = path.with_suffix(".png")
    picture_path.write_bytes(picture())
    canvas = Canvas(str(path))
    for page in range(3):
        canvas.drawImage(str(picture_path), 50, 300)
        canvas.drawString(300, 20, f"{page + 1}")
        canvas.showPage()
    canvas.save()


def office(*parts: str, content: bytes = b"<x/>") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.writestr(part, content)

    return write


def content(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def one_page(path: Path) -> bytes:
    return make_pdf(path.with_name("whole.pdf"), [Paragraph(WARRANTY_EN, ENGLISH)]).read_bytes()


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]><d>&m;</d>"
)

BAD: list[tuple[str, Callable[[Path], object], tuple[str, ...]]] = [
    ("locked.pdf", lambda p: make_pdf(p, [Paragraph("x", ENGLISH)], password="secret"), ("password", "Save a copy")),
    ("scan.pdf", scanned, ("no text", "OCR")),
    ("broken.pdf", content(b"%PDF-1.7\nnothing"), ("broken PDF", "save it again")),
    ("half.pdf", lambda p: p.write_bytes(one_page(p)[:700]), ("half.pdf",)),
    ("photo.pdf", lambda p: p.write_bytes(picture()), ("PNG picture", "OCR")),
    ("text.pdf", content(b"hello"), ("not a PDF but a text file",)),
    ("manual.docx", lambda p: p.write_bytes(one_page(p)), ("but a PDF", ".pdf")),
    ("prices.docx", office("xl/workbook.xml"), ("an Excel workbook", ".xlsx")),
    ("zip.docx", office("readme.txt"), ("a ZIP archive",)),
    ("odt.docx", office("META-INF/manifest.xml", "content.xml"), ("OpenDocument",)),
    ("damaged.xlsx", content(b"PK\x03\x04 and no more"), ("damaged",)),
    ("hollow.docx", office("word/document.xml"), ("broken",)),
    ("hollow.xlsx", office("xl/workbook.xml"), ("broken workbook",)),
    ("hollow.pptx", office("ppt/presentation.xml"), ("broken",)),
    ("laughs.docx", office("[Content_Types].xml", "_rels/.rels", "word/document.xml", content=LAUGHS), ("broken",)),
    ("laughs.xlsx", office("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", content=LAUGHS), ("broken",)),
    ("bomb.docx", office("word/document.xml", content=bytes(21_000_000)), ("unpacks", "20 MB")),
    ("old.docx", content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), ("old Office", ".docx")),
    (
        "locked.xlsx",
        content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")),
        ("password",),
    ),
    ("program.txt", content(b"\x7fELF\x02\x01\x01\x00\x00"), ("program",)),
    ("noise.txt", content(bytes(range(255)) * 4), ("binary",)),
    ("odd.txt", content(b"\xff\xfea\x00\x00\xd8\x01\x00"), ("UTF-8",)),
    ("empty.md", content(b""), ("no text",)),
    ("blank.html", content(b"<html><body><script>1</script>\n</body></html>"), ("no text",)),
    ("blank.csv", content(b",,\n,,\n"), ("no text",)),
    ("deep.html", content(b"<div>" * 3_000 + b"x"), ("nested", ".txt")),
    ("song.mp3", content(b"ID3"), ("kind that cannot be read", ".docx")),
    ("noending", content(b"text"), ("kind that cannot be read",)),
    ("folder.txt", lambda p: p.mkdir(), ("folder",)),
    ("missing.txt", lambda p: None, ("does not exist",)),
    ("loop.txt", lambda p: p.symlink_to(p), ("cannot be read",)),
]


@pytest.mark.parametrize(("name", "write", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_are_refused_with_a_remedy(
    tmp_path: Path, name: str, write: Callable[[Path], object], words: tuple[str, ...]
) -> None:
    write(tmp_path / name)
    refused(tmp_path / name, *words)


def test_files_and_texts_beyond_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x" * 2000)
    assert len(load(tmp_path / "a.txt").text) == 2000
    monkeypatch.setattr(load_module, "MOST_CHARACTERS", 1999)
    refused(tmp_path / "a.txt", "characters of text", "Split it")
    monkeypatch.setattr(load_module, "_MOST_BYTES", 1999)
    refused(tmp_path / "a.txt", "MB", "Split it")


def test_a_pdf_with_a_blank_page_says_so_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(
        make_pdf(
            tmp_path / "gap.pdf", [Paragraph("One.", ENGLISH), PageBreak(), PageBreak(), Paragraph("Three.", ENGLISH)]
        )
    )
    assert "gap.pdf: no text on pages 2" in caplog.text


def test_every_ending_has_a_reader() -> None:
    assert {".md", ".txt", ".html", ".pdf", ".docx", ".xlsx", ".pptx", ".csv"} <= SUFFIXES


def test_radicals_that_look_like_characters_become_them(tmp_path: Path) -> None:
    file = tmp_path / "printed.md"
    file.write_text("# 说明\n\n请⽤⻓柄⻔刷清洗⾯板，⻅第二⻚。", "utf8")
    assert "请用长柄门刷清洗面板，见第二页。" in load(file).text


def test_names_from_other_systems_become_text_that_can_be_stored_and_typed(tmp_path: Path) -> None:
    gbk = os.fsdecode("退货政策.md".encode("gbk"))
    for name, shown in ((gbk, "退货政策.md"), ("cafe\u0301.md", "caf\u00e9.md"), ("two\nlines.md", "two lines.md")):
        (tmp_path / name).write_text("Text.", "utf8")
        document = load(tmp_path / name)
        assert (document.id, document.source, document.title) == (shown, shown, shown.removesuffix(".md"))


def test_an_id_too_long_for_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Text.", "utf8")
    assert load(tmp_path / "a.md", id="x" * 512).id == "x" * 512
    with pytest.raises(Unreadable, match=r"a\.md would get an id of 513 characters.* --id"):
        load(tmp_path / "a.md", id="x" * 513)
