"""Makes the demo company's PDF, DOCX and XLSX files from document_sources/; run by hand, results committed.

    python web/demo/make_documents.py /usr/share/fonts/truetype/wqy/wqy-microhei.ttc

The font must hold Chinese and be TrueType (on Debian: fonts-wqy-microhei); the PDFs embed the characters
they use. Printing from a browser instead gives PDFs whose text reads back with look-alike characters (U+2F08
for 人), because Noto CJK draws both with one glyph. Knows of Markdown only what the sources use.
"""

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from docx import Document as Word
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).parent
SOURCES, DOCUMENTS = HERE / "document_sources", HERE / "documents"
GREEN, SAND, INK = "#3f5b45", "#f3ecdd", "#26302a"
COMPANY = {"zh": "穗禾里家居", "en": "Millet Lane Home"}

Kind = Literal["heading1", "heading2", "paragraph", "numbered", "bullet", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a source: its text, or its rows if it is a table."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


_MARKS: tuple[tuple[str, Kind], ...] = (
    (r"## ", "heading2"),
    (r"# ", "heading1"),
    (r"\d+\. ", "numbered"),
    (r"- ", "bullet"),
)


def blocks(markdown: str) -> list[Block]:
    """The blocks of a source in order."""
    found: list[Block] = []
    for part in re.split(r"\n\s*\n", markdown.strip()):
        lines = part.splitlines()
        if lines[0].startswith("|"):
            rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            found.append(Block("table", rows=(rows[0], *rows[2:])))
        else:
            found.extend(_block(line) for line in lines)
    return found


def _block(line: str) -> Block:
    for mark, kind in _MARKS:
        if match := re.match(mark, line):
            return Block(kind, line if kind == "numbered" else line[match.end() :])
    return Block("paragraph", line)


def write_pdf(source: Path, target: Path) -> None:
    """One A4 PDF of a source, its language told by the name: something.zh.md or something.en.md."""
    language = source.stem.rsplit(".", 1)[1]
    parts = blocks(source.read_text(encoding="utf-8"))
    template = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=parts[0].text,
        author=COMPANY[language],
        lang=language,
        invariant=1,
    )
    template.build([flowable for part in parts for flowable in _flowables(part, language)])


def _flowables(block: Block, language: str) -> list[Flowable]:
    if block.kind == "table":
        return [_pdf_table(block, language), Spacer(1, 4 * mm)]
    text = f"• {block.text}" if block.kind == "bullet" else block.text
    return [Paragraph(escape(text), _style(block.kind, language))]


def _style(kind: str, language: str) -> ParagraphStyle:
    size = {"heading1": 20, "heading2": 13.5, "cell": 9.5}.get(kind, 10.5)
    heading = kind.startswith("heading")
    return ParagraphStyle(
        kind,
        fontName="Body",
        fontSize=size,
        leading=size * 1.6,
        textColor=HexColor(GREEN if heading else INK),
        spaceBefore=9 if kind == "heading2" else 0,
        spaceAfter=0 if kind == "cell" else 5,
        leftIndent=14 if kind in ("numbered", "bullet") else 0,
        firstLineIndent=-14 if kind in ("numbered", "bullet") else 0,
        keepWithNext=heading,
        wordWrap="CJK" if language == "zh" else None,
    )


def _pdf_table(block: Block, language: str) -> Table:
    style = _style("cell", language)
    natural = [max(map(_cell_width, column)) for column in zip(*block.rows, strict=True)]
    shrink = min(1.0, (A4[0] - 44 * mm) / sum(natural))
    table = Table(
        [[Paragraph(escape(cell), style) for cell in row] for row in block.rows],
        colWidths=[width * shrink for width in natural],
        repeatRows=1,
        hAlign="LEFT",
    )
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), HexColor(SAND)),
                ("GRID", (0, 0), (-1, -1), 0.5, HexColor("#c9bfa6")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ]
        )
    )
    return table


def _cell_width(text: str) -> float:
    """Room for a text on one line, with padding, in points."""
    return float(pdfmetrics.stringWidth(text, "Body", 9.5)) + 18


def write_docx(source: Path, target: Path) -> None:
    """One Word file of a source, with Word's own headings, lists and tables."""
    parts = blocks(source.read_text(encoding="utf-8"))
    word = Word()
    word.core_properties.title = parts[0].text
    word.core_properties.author = COMPANY[source.stem.rsplit(".", 1)[1]]
    for name in ("Normal", "Heading 1", "Heading 2"):
        style: Any = word.styles[name]
        style.font.name = "Calibri"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "Microsoft YaHei")
        if name != "Normal":
            style.font.color.rgb = RGBColor.from_string(GREEN.lstrip("#").upper())
    normal: Any = word.styles["Normal"]
    normal.font.size = Pt(10.5)
    for part in parts:
        _add_to_word(word, part)
    word.save(str(target))


def _add_to_word(word: Any, block: Block) -> None:
    if block.kind == "table":
        table = word.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
        for row in block.rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
        # Marked as a heading row, or converters give the table an empty one.
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        word.add_paragraph()
    elif block.kind.startswith("heading"):
        word.add_heading(block.text, level=int(block.kind[-1]))
    else:
        # Numbers stay in the text: Word's own would count on through the whole file.
        word.add_paragraph(block.text, style="List Bullet" if block.kind == "bullet" else None)


_SHEETS = {
    "价目表": ("型号", "商品", "类别", "规格", "价格（元）", "保修（月）"),
    "Price list": ("Model", "Product", "Category", "Details", "Price (CNY)", "Warranty (months)"),
}


def write_price_list(source: Path, target: Path) -> None:
    """The price list as a workbook with one sheet for each language."""
    with source.open(encoding="utf-8", newline="") as file:
        products = list(csv.DictReader(file))
    book = Workbook()
    book.properties.title = "穗禾里价目表 · Millet Lane price list"
    book.remove(book.worksheets[0])
    for (title, headings), language in zip(_SHEETS.items(), ("zh", "en"), strict=True):
        sheet = book.create_sheet(title)
        sheet.append(headings)
        for product in products:
            texts = [product[f"{field}_{language}"] for field in ("product", "category", "details")]
            sheet.append([product["model"], *texts, int(product["price"]), int(product["warranty_months"])])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor=SAND.lstrip("#"))
            cell.alignment = Alignment(horizontal="center")
        for column, width in zip("ABCDEF", (11, 34, 24, 38, 13, 18), strict=True):
            sheet.column_dimensions[column].width = width
        sheet.freeze_panes = "A2"
    book.save(target)


def main(font: str) -> None:
    """Make every file anew."""
    pdfmetrics.registerFont(TTFont("Body", font))
    for name in ("warranty-terms.zh", "air-purifier-manual.zh", "coffee-machine-manual.en"):
        write_pdf(SOURCES / f"{name}.md", DOCUMENTS / f"{name}.pdf")
    for name in ("membership-rules.zh", "shipping-policy.en"):
        write_docx(SOURCES / f"{name}.md", DOCUMENTS / f"{name}.docx")
    write_price_list(SOURCES / "price-list.csv", DOCUMENTS / "price-list.xlsx")


if __name__ == "__main__":
    main(sys.argv[1])
