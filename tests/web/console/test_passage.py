"""Tables of a passage apart from its text."""

import pytest

from web.console.passage import _table, blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("只有文字。\n第二行", ["只有文字。\n第二行"]),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", [[["a", "b"], ["1", "2"]]]),
        ("之前\n\n|a|b|\n|:-|-:|\n|1|2|\n\nafter", ["之前", [["a", "b"], ["1", "2"]], "after"]),
        ("| a | b |\nno rule", ["| a | b |\nno rule"]),
        (r"| a \| b |" + "\n| --- |\n| c |", [[["a | b"], ["c"]]]),
        ("| --- |\n| --- |", [[["---"]]]),
        ("", []),
    ],
)
def test_blocks(text: str, expected: list[object]) -> None:
    assert blocks(text) == expected


def test_no_cell_is_markup() -> None:
    made = _table([["<b>", "&"], ["<script>alert(1)</script>", '"']])
    assert "<b>" not in made and "<script" not in made
    assert "<th>&lt;b&gt;</th>" in made and "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in made
