"""What can be said of the widget's script without a browser: its size, what it must not use, its wording."""

import re
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "web" / "static" / "widget" / "widget.js"
TEXT = SCRIPT.read_text(encoding="utf-8")
WORDS = dict(re.findall(r'^\t(\w+): "([^"]*)",$', TEXT.split("const WORDS")[1].split("};")[0], re.M))


def test_size_stays_under_30_kb() -> None:
    assert SCRIPT.stat().st_size < 30_000


@pytest.mark.parametrize(
    "word",
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval", "document.write", "Function", "DOMParser", "import"],
)
def test_nothing_turns_text_into_markup_or_code(word: str) -> None:
    assert not re.search(rf"\b{re.escape(word)}\b", TEXT)


def test_style_is_a_constructed_sheet() -> None:
    assert "adoptedStyleSheets" in TEXT
    assert '"style"' not in TEXT  # no style element or attribute: a strict page policy forbids both


def test_every_wording_is_there_in_both_languages() -> None:
    assert len(WORDS) > 30
    for key, wording in WORDS.items():
        chinese, english = wording.split("|")
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert english.isascii() or english.endswith("…"), key


def test_every_wording_is_used_and_every_used_one_is_there() -> None:
    code = TEXT.split("const t =")[1]
    named = {*re.findall(r't\("(\w+)"\)', code), *re.findall(r'"(\w+)"', code), "faq", "document"}
    assert set(re.findall(r'\bt\("(\w+)"\)', code)) <= WORDS.keys()
    assert WORDS.keys() <= named


def test_voice_has_no_exclamation_marks() -> None:
    assert not re.search("[!！]", "".join(WORDS.values()))
