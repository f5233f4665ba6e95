"""Every sentence of the readers has a counterpart in Chinese, whatever the file is called."""

import pytest

from web.console.unreadable import reason
from web.console.words import say

SENTENCES = [
    ("is of a kind that cannot be read. Save it as .csv, .pdf and add that.", "kind"),
    ("is not a PDF but a program. Choose the right file.", "other"),
    ("is not a PDF but a PNG picture. Run text recognition (OCR) on it and add the result.", "scanned"),
    ("is not a Word document but a password-protected Office file. Save a copy without the password.", "password"),
    ("has 200 MB, more than the 50 MB that one file may have.", "size"),
    ("has no text in it. Check that the right file was chosen.", "empty"),
    ("has no text, only pictures of pages. Run text recognition (OCR) on it and add the result.", "scanned"),
    ("uses fonts that do not say which characters they show.", "fonts"),
    ("is protected by a password. Save a copy without the password and add that.", "password"),
    ("holds more than 5,000,000 characters of text. Split it into smaller files and add those.", "long"),
    ("unpacks to more than 200 MB, or more than 20 MB of text.", "unpacked"),
    ("took longer than 120 seconds to read and was given up.", "slow"),
    ("takes more than 2 GB of memory to read.", "memory"),
    ("would get an id of 600 characters, more than 512.", "id"),
    ("is in an encoding that cannot be told. Save it as UTF-8 text and add it again.", "encoding"),
    ("is a broken PDF. Open it in a PDF viewer, save it again and add the new file.", "broken"),
    ("cannot be read: the reader was ended by SIGSEGV.", "broken"),
]


@pytest.mark.parametrize(("sentence", "kind"), SENTENCES)
def test_each_has_its_own_words(sentence: str, kind: str) -> None:
    name = "password but more than the id of.pdf"
    assert reason(f"{name} {sentence}", name, "en") == f"{name} {sentence}"
    assert reason(f"{name} {sentence}", name, "zh") == say("documents", f"unreadable_{kind}", "zh")
