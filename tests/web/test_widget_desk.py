"""What can be said of the widget's second script without a browser: its size, what it must not use, its wording."""

import re
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "web" / "static" / "widget" / "desk.js"
TEXT = SCRIPT.read_text(encoding="utf-8")
WORDS = dict(re.findall(r'^\t(\w+): "([^"]*)",$', TEXT.split("const WORDS")[1].split("};")[0], re.M))


def test_size_stays_under_10_kb() -> None:
    assert SCRIPT.stat().st_size < 10_000


@pytest.mark.parametrize(
    "word",
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval", "document.write", "Function", "DOMParser", "import"],
)
def test_nothing_turns_text_into_markup_or_code(word: str) -> None:
    assert not re.search(rf"\b{re.escape(word)}\b", TEXT)


def test_every_wording_is_used_and_there_in_both_languages() -> None:
    code = TEXT.split("const t =")[1]
    assert len(WORDS) > 10 and WORDS.keys() == set(re.findall(r'"(\w+)"', code)) & WORDS.keys()
    assert set(re.findall(r'\bt\("(\w+)"', code)) <= WORDS.keys()
    for key, wording in WORDS.items():
        chinese, english = wording.split("|")
        assert re.search(r"[\u4e00-\u9fff]", chinese) and english.isascii(), key
        assert not re.search("[!！]", wording)
