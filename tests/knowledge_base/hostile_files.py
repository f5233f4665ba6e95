"""Hundreds of files that somebody may send to hurt the reader, all made here, and what becomes of each.

As a program (`python -m tests.knowledge_base.hostile_files`) it reads every one in the worker and prints the counts.
"""

import io
import json
import random
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import docx
import openpyxl
import pptx
from reportlab.pdfgen.canvas import Canvas

from knowledge_base.convert import Limits, convert
from knowledge_base.source import MOST_CHARACTERS, Unreadable

LIMITS = Limits(seconds=60)
TEXT = "Returns are taken within 30 days. 七天内可以退货。"
ZIPPED = {".docx": "word/document.xml", ".xlsx": "xl/worksheets/sheet1.xml", ".pptx": "ppt/slides/slide1.xml"}
ENTITY = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    + "]><a>&l11;</a>"
)
File = tuple[str, bytes]


def corpus() -> list[File]:
    """Name and content of every file."""
    makers = (truncated, flipped, bad_parts, bombs, macros, under_false_names, encodings, pdfs, endless)
    return [(f"{number:03}-{name}", data) for number, (name, data) in enumerate(f for m in makers for f in m())]


@cache
def good() -> dict[str, bytes]:
    """One sound file of each binary kind."""
    word, book, show, page = docx.Document(), openpyxl.Workbook(), pptx.Presentation(), io.BytesIO()
    for _ in range(40):
        word.add_paragraph(TEXT)
        book.active.append([TEXT, 30])
    show.slides.add_slide(show.slide_layouts[1]).shapes.title.text = TEXT
    canvas = Canvas(page)
    canvas.drawString(72, 720, "Returns are taken within 30 days.")
    canvas.save()
    made = {".pdf": page.getvalue()}
    for suffix, thing in ((".docx", word), (".xlsx", book), (".pptx", show)):
        file = io.BytesIO()
        thing.save(file)
        made[suffix] = file.getvalue()
    return made


def truncated() -> Iterator[File]:
    for suffix, data in good().items():
        for tenths in (0, 1, 3, 5, 7, 9):
            yield f"cut-{tenths}{suffix}", data[: len(data) * tenths // 10 + (0 if tenths else 3)]


def flipped() -> Iterator[File]:
    dice = random.Random(7)
    for suffix, data in good().items():
        for count in (1, 10, 100, 1000, 5000):
            wrong = bytearray(data)
            for _ in range(count):
                wrong[dice.randrange(8, len(wrong))] = dice.randrange(256)
            yield f"flipped-{count}{suffix}", bytes(wrong)


def bad_parts() -> Iterator[File]:
    parts = {
        "empty": "",
        "no-xml": "\x01\x02 not xml <<<",
        "entity": ENTITY,
        "laughs": LAUGHS,
        "deep": "<a>" * 200_000 + "</a>" * 200_000,
        "attribute": f'<a b="{"x" * 3_000_000}"/>',
        "utf-16": '<?xml version="1.0" encoding="utf-16"?><a/>',
        "other-root": '<?xml version="1.0"?><html><script>1</script></html>',
    }
    for suffix, part in ZIPPED.items():
        for name, content in parts.items():
            yield f"part-{name}{suffix}", repacked(good()[suffix], {part: content.encode()})
        yield f"no-types{suffix}", repacked(good()[suffix], {"[Content_Types].xml": b""})
        yield f"up{suffix}", repacked(good()[suffix], {}, {"../../../../tmp/kefu-was-here": b"x", "/etc/kefu": b"x"})


def repacked(data: bytes, changed: dict[str, bytes], added: dict[str, bytes] | None = None) -> bytes:
    """The ZIP container with parts replaced and others added."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, changed.get(info.filename, old.read(info)))
        for name, content in (added or {}).items():
            new.writestr(name, content)
    return file.getvalue()


def bombs() -> Iterator[File]:
    zeros = b"\x00" * 210_000_000
    for suffix, part in ZIPPED.items():
        sound = good()[suffix]
        yield f"bomb-media{suffix}", repacked(sound, {}, {"word/media/image1.png": zeros})
        yield f"bomb-text{suffix}", repacked(sound, {part: b"<a>" + b" " * 60_000_000 + b"</a>"})
        bomb = repacked(sound, {part: b"<a>" + b"A" * 30_000_000 + b"</a>"})
        yield f"bomb-lying{suffix}", bomb.replace((30_000_007).to_bytes(4, "little"), (700).to_bytes(4, "little"))
        yield f"bomb-many{suffix}", repacked(sound, {}, {f"word/{n}": b"" for n in range(20_000)})
        inner = repacked(sound, {}, {"word/inner.zip": repacked(sound, {}, {"x": zeros[:50_000_000]})})
        yield f"bomb-nested{suffix}", inner
        twice = io.BytesIO(sound)
        with zipfile.ZipFile(twice, "a") as archive, warnings.catch_warnings(action="ignore"):
            archive.writestr(zipfile.ZipInfo(part), b"<a/>")
        yield f"same-name-twice{suffix}", twice.getvalue()


def macros() -> Iterator[File]:
    vba = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"Attribute VB_Name" * 50
    for suffix in ZIPPED:
        folder = ZIPPED[suffix].split("/")[0]
        yield f"macro{suffix}", repacked(good()[suffix], {}, {f"{folder}/vbaProject.bin": vba})
        yield f"macro{suffix[:-1]}m", repacked(good()[suffix], {}, {f"{folder}/vbaProject.bin": vba})
        yield f"ole{suffix}", vba
        yield f"locked{suffix}", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") * 9
        relation = b'<Relationships><Relationship Id="r" Type="attachedTemplate" TargetMode="External" '
        relation += b'Target="http://127.0.0.1:9/evil.dotm"/></Relationships>'
        yield f"remote{suffix}", repacked(good()[suffix], {}, {f"{folder}/_rels/settings.xml.rels": relation})
    formula = "=cmd|'/c touch /tmp/kefu-was-here'!A1,+1+1,@SUM(1),-2"
    yield "formula.csv", f"a,b,c,d\n{formula}\n".encode()


def under_false_names() -> Iterator[File]:
    true = good() | {
        ".exe": b"MZ\x90\x00" + b"\x00" * 500,
        ".elf": b"\x7fELF" + b"\x00" * 500,
        ".png": b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        ".gif": b"GIF89a/*" + b"*/=1;alert(1)" * 9,
        ".gz": zlib.compress(b"x" * 1000, 9)[:2].replace(b"x", b"\x1f") + b"\x8b" * 9,
        ".rtf": b"{\\rtf1 hello}",
    }
    for kind, data in true.items():
        for suffix in (".pdf", ".docx", ".xlsx", ".pptx", ".md", ".html", ".csv"):
            if suffix != kind:
                yield f"is{kind[1:]}{suffix}", data
    page = b"<html><body>Returns within 30 days<script>1</script></body></html>"
    yield "html-before.pdf", page + true[".pdf"]
    yield "zip-after.pdf", true[".pdf"] + true[".docx"]
    yield "html-before.docx", page + true[".docx"]
    yield "html-after.docx", true[".docx"] + page
    yield "pdf-before.html", b"%PDF-1.4\n" + page


def encodings() -> Iterator[File]:
    names = ("gbk", "big5hkscs", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift_jis", "latin-1", "utf-7", "cp500")
    for suffix in (".txt", ".html", ".csv"):
        for name in names:
            yield f"{name}{suffix}", TEXT.encode(name, "replace") * 5
        dice = random.Random(suffix)
        yield f"noise{suffix}", dice.randbytes(20_000)
        yield f"high{suffix}", bytes(dice.randrange(128, 256) for _ in range(20_000))
        yield f"surrogates{suffix}", b"\xed\xa0\x80\xed\xbf\xbf" * 500 + TEXT.encode()
        yield f"overlong{suffix}", b"\xc0\xaf\xe0\x80\xaf" * 500 + TEXT.encode()
        yield f"nul{suffix}", TEXT.encode() + b"\x00" * 500 + TEXT.encode()
        yield f"declared-otherwise{suffix}", b'<meta charset="utf-16">' + TEXT.encode("gbk")
        yield f"marks{suffix}", ("a" + "\u0300" * 50_000 + "\u202e" * 5_000 + TEXT).encode()
        yield f"empty{suffix}", b""
        yield f"blank{suffix}", "\u200b \u3000\ufeff\n".encode() * 100


def pdfs() -> Iterator[File]:
    sound = good()[".pdf"]
    loop = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\n"
    end = b"trailer<</Root 1 0 R/Size 9>>\n%%EOF"
    yield "loop.pdf", loop + end
    yield "many-pages.pdf", loop.replace(b"[2 0 R]", b"[" + b"3 0 R " * 100_000 + b"]") + end
    yield "self-reference.pdf", b"%PDF-1.4\n1 0 obj 1 0 R endobj\n" + end
    yield "deep.pdf", b"%PDF-1.4\n1 0 obj " + b"[" * 100_000 + b"]" * 100_000 + b" endobj\n" + end
    for name, action in (
        ("script", b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
        ("launch", b"/OpenAction<</S/Launch/F(/bin/sh)>>"),
        ("uri", b"/OpenAction<</S/URI/URI(file:///etc/passwd)>>"),
    ):
        yield f"{name}.pdf", sound.replace(b"/Type /Catalog", b"/Type /Catalog " + action)
    bomb = zlib.compress(zlib.compress(b"\x00" * 200_000_000, 9), 9)
    stream = b"3 0 obj<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream endobj\n" % (len(bomb), bomb)
    page = b"4 0 obj<</Type/Page/Parent 2 0 R/Contents 3 0 R/MediaBox[0 0 9 9]>>endobj\n"
    yield "bomb.pdf", loop.replace(b"[2 0 R]/Count 9", b"[4 0 R]/Count 1") + stream + page + end
    yield "huge-page.pdf", sound.replace(b"595", b"9" * 300)
    yield "wrong-length.pdf", sound.replace(b"/Length ", b"/Length 99999")
    yield "no-trailer.pdf", sound[: sound.rindex(b"trailer")]
    yield "xref-away.pdf", sound.replace(b"startxref\n", b"startxref\n9")
    yield "locked.pdf", sound.replace(b"/Size", b"/Encrypt<</Filter/Standard/V 5/R 6/O(x)/U(y)/P -1>>/Size")


def endless() -> Iterator[File]:
    yield "too-big.txt", b"A" * 50_000_001
    yield "too-long.txt", ("长" * (MOST_CHARACTERS + 1)).encode()
    yield "one-line.md", ("词" * 2_000_000).encode()
    yield "brackets.md", b"[" * 300_000 + b"](" * 100_000
    yield "stars.md", b"*_`~" * 200_000
    yield "headings.md", b"# a\n" * 150_000
    yield "quotes.md", b">" * 100_000 + b" a"
    yield "table.md", b"|" * 400_000
    yield "nested.html", b"<div>" * 100_000 + TEXT.encode()
    yield "tables.html", b"<table><tr><td>" * 3_000 + TEXT.encode()
    yield "comment.html", b"<!--" * 300_000
    yield "entities.html", b"&#x41;&lt;&amp" * 200_000
    yield "attributes.html", b"<a " + b'x="y" ' * 200_000 + b">" + TEXT.encode()
    yield "columns.csv", b"a," * 1_000_000
    yield "quotes.csv", b'"' * 500_001
    yield "rows.csv", b"\n" * 2_000_000 + b"a,b"


def outcome(folder: Path, name: str, data: bytes, limits: Limits = LIMITS) -> str:
    """Read the file in the worker: "read", or which refusal. Raises AssertionError for anything else."""
    path = folder / name
    path.write_bytes(data)
    try:
        document = convert(path, limits=limits)
    except Unreadable as refused:
        told = str(refused)
        assert name in told and told.endswith("."), f"{name}: {told!r} names the file and a remedy"
        for word in ("took longer", "of memory", "the reader"):
            if word in told:
                return word
        return "refused"
    finally:
        path.unlink()
    assert len(document.text) <= MOST_CHARACTERS and document.text.strip(), name
    assert "root:" not in document.text, f"{name}: what another file holds"
    document.text.encode()
    return "read"


def main() -> None:
    """Read them all."""
    counts: Counter[str] = Counter()
    told: dict[str, list[str]] = {}
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in corpus():
            began = time.monotonic()
            found = outcome(Path(folder), name, data)
            slowest = max(slowest, (time.monotonic() - began, name))
            counts[found] += 1
            told.setdefault(found, []).append(name)
    hard = {word: names for word, names in told.items() if word not in ("read", "refused")}
    result = {"files": counts.total(), "outcomes": counts, "hard": hard, "slowest": slowest}
    json.dump(result, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
