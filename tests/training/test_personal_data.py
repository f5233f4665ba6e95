"""Recall of the redaction on what customers write, in both languages: personal_data.txt, by kind.

`python -m pytest -s` with this file prints the report of what was masked.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from knowledge_base.language import has_chinese
from training.redact import redact

_MARKED = re.compile(r"\{(\w+):([^}]*)\}")
_PATTERNED = ("phone", "email", "id", "card", "order", "address", "account")
RECALL = 0.99


@dataclass(frozen=True)
class Line:
    text: str
    marked: tuple[tuple[str, str], ...]  # (kind, value)

    @property
    def language(self) -> str:
        return "zh" if has_chinese(self.text) else "en"


def lines() -> Iterator[Line]:
    for line in Path(__file__).with_name("personal_data.txt").read_text("utf8").splitlines()[1:]:
        yield Line(_MARKED.sub(lambda found: found[2], line), tuple(_MARKED.findall(line)))


def survives(value: str, line: str, masked: str) -> bool:
    """Whether any telling part of it can still be read: four characters on end, or all of a shorter one."""
    kept, around = re.sub(r"\[[^\]]*\]", "\n", masked), line.replace(value, "\n")
    parts = {value[start : start + 4] for start in range(len(value) - 3)} or {value}
    return any(kept.count(part) > around.count(part) for part in parts)


def counted() -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], list[str]]:
    """By (kind, language): how many there are, how many are gone; and the lines where one is left."""
    there: Counter[tuple[str, str]] = Counter()
    gone: Counter[tuple[str, str]] = Counter()
    missed = []
    for line in lines():
        masked = redact(line.text).text
        for kind, value in line.marked:
            there[kind, line.language] += 1
            if survives(value, line.text, masked):
                missed.append(f"{kind}: {line.text} → {masked}")
            else:
                gone[kind, line.language] += 1
    return there, gone, missed


@pytest.mark.parametrize("language", ["zh", "en"])
def test_of_what_has_a_pattern_less_than_one_in_a_hundred_is_left(language: str) -> None:
    there, gone, missed = counted()
    found, of = (sum(one[kind, language] for kind in _PATTERNED) for one in (gone, there))
    assert of >= 55 and all(there[kind, language] >= 3 for kind in _PATTERNED)
    assert found >= RECALL * of, missed


@pytest.mark.parametrize("language", ["zh", "en"])
def test_names_that_are_given_are_masked(language: str) -> None:
    there, gone, missed = counted()
    assert there["name", language] >= 10 and gone["name", language] == there["name", language], missed


def test_what_has_no_personal_data_is_left_as_it_is() -> None:
    plain = [line.text for line in lines() if not line.marked]
    assert len(plain) >= 30 and [redact(text).text for text in plain] == plain


def test_the_report_counts_what_was_masked_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    there, gone, _ = counted()
    masked: Counter[str] = Counter()
    for line in lines():
        masked.update(redact(line.text).masked)
    assert masked["phone"] >= 0.9 * (there["phone", "zh"] + there["phone", "en"])
    with capsys.disabled():
        for kind in (*_PATTERNED, "name"):
            shares = ", ".join(
                f"{language} {gone[kind, language]}/{there[kind, language]}" for language in ("zh", "en")
            )
            print(f"\n{kind}: {shares}", end="")  # noqa: T201
