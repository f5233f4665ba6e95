"""What changed between two texts, in both languages."""

import pytest

from web.console.diff import parts


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("五天内", "七天内", [("removed", "五"), ("added", "七"), ("same", "天内")]),
        (
            "within 15 days",
            "within 30 days",
            [("same", "within "), ("removed", "15"), ("added", "30"), ("same", " days")],
        ),
        ("same", "same", [("same", "same")]),
        ("", "new", [("added", "new")]),
        ("", "", []),
    ],
)
def test_changes(before: str, after: str, changes: list[tuple[str, str]]) -> None:
    assert parts(before, after) == changes


def test_a_long_text_is_shown_whole_instead_of_compared() -> None:
    long = "字" * 5_000
    assert parts(long, long) == [("same", long)]
    assert parts(long, long + "。") == [("removed", long), ("added", long + "。")]
