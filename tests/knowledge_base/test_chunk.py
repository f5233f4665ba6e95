"""Pieces: at headings, whole paragraphs and rows, never too large, never losing text."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.chunk import Piece, chunk

_TOKEN = re.compile(r"[A-Za-z0-9]{1,6}|[^\sA-Za-z0-9]")


class Tokens:
    """Counts a character or six letters as a token, two more for each text, and how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.calls += 1
        return [len(_TOKEN.findall(text)) + 2 for text in texts]


def bare(text: str) -> str:
    return "".join(text.split())


def texts(markdown: str, size: int) -> list[str]:
    return [piece.text for piece in chunk(markdown, Tokens(), size)]


def test_headings_become_the_path_and_small_paragraphs_share_a_piece() -> None:
    markdown = (
        "前言。\n\n# 手册\n\n## 保修 ##\n\n两年。\n\n全国联保。\n\nContact\n-------\nCall us.\n\n退货\n====\n七天。"
    )
    assert chunk(markdown, Tokens()) == [
        Piece((), "前言。"),
        Piece(("手册", "保修"), "两年。\n\n全国联保。"),
        Piece(("手册", "Contact"), "Call us."),
        Piece(("退货",), "七天。"),
    ]


def test_heading_marks_that_are_none() -> None:
    markdown = "#1 choice\n\n```\n# comment\n```\n\n| a |\n|---|\n| b |\n---\n\n- item\n---\n"
    assert {piece.headings for piece in chunk(markdown, Tokens())} == {()}


def test_plain_heading_text() -> None:
    (piece,) = chunk("## **保修** [政策](http://x) `K2`\n正文", Tokens())
    assert piece.headings == ("保修 政策 K2",)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# 手册\n## 保修", [Piece((), "手册\n保修")]),
        ("# 手册\n## 空\n## 保修\n两年。", [Piece(("手册", "空", "保修"), "两年。")]),
        ("# 手册\n正文\n## 待定", [Piece(("手册",), "正文"), Piece(("手册",), "待定")]),
        ("# A\n## B\n## C\n## D\n## E\n## F\ntext", [Piece(("A",), "B\nC\nD\nE"), Piece(("A", "F"), "text")]),
        ("", []),
        ("\n \n---\n", []),
        ("#\n", []),
    ],
)
def test_headings_without_text_are_not_lost(markdown: str, expected: list[Piece]) -> None:
    assert chunk(markdown, Tokens()) == expected


def test_a_large_table_repeats_its_header() -> None:
    header = "| 型号 | 价格 |\n| --- | --- |"
    rows = [f"| K{i} | {i} 元 |" for i in range(40)]
    pieces = texts("价格如下：\n\n" + "\n".join([header, *rows]) + "\n\n以上含税。", 64)
    assert len(pieces) > 3
    assert pieces[0].startswith("价格如下：\n\n" + header + "\n| K0 |")
    assert all(piece.startswith(header) for piece in pieces[1:])
    assert pieces[-1].endswith("\n\n以上含税。")
    assert [line for piece in pieces for line in piece.splitlines() if line.startswith("| K")] == rows


def test_a_header_larger_than_half_a_piece_is_not_repeated() -> None:
    wide = "| " + " | ".join(f"列{i}" for i in range(30)) + " |\n" + "|---" * 30 + "|\n"
    pieces = texts(wide + "| 值 |\n" * 30, 32)
    assert sum("列7" in piece for piece in pieces) == 1


def test_a_cut_code_fence_is_a_fence_in_each_piece() -> None:
    code = "\n".join(f"    step({i})" for i in range(30))
    pieces = texts(f"先：\n\n```py\n{code}\n```\n\n后。", 48)
    assert len(pieces) > 2
    assert all(piece.count("```py\n") == 1 and piece.count("```") == 2 for piece in pieces)
    assert "    step(7)\n" in "".join(pieces)


def test_cuts_fall_between_paragraphs_then_sentences_and_leave_no_scrap() -> None:
    paragraph = "本品保修两年。人为损坏除外。请保留发票。" * 2
    pieces = texts("\n\n".join([paragraph] * 4), 64)
    assert pieces == [paragraph] * 4
    sentence = "一二三四五六七八九。"
    assert [len(piece) for piece in texts(sentence * 7, 64)] == [30, 40]


def test_an_introduction_stays_with_its_list() -> None:
    text = "说明文字一二三四五六七八九十。" * 2 + "需要以下材料：\n" + "\n".join(f"- 材料第{i}种" for i in range(6))
    assert all(not piece.endswith("：") for piece in texts(text, 48))


def test_a_sentence_that_is_too_long_is_cut_at_spaces_else_between_characters() -> None:
    words = " ".join(["word"] * 200)
    assert all(set(piece.split()) == {"word"} for piece in texts(words, 20))
    pieces = texts("字" * 1000, 32)
    assert bare("".join(pieces)) == "字" * 1000
    assert max(map(len, pieces)) <= 32


def test_few_calls_of_the_counter() -> None:
    count = Tokens()
    chunk("## 标题\n\n" + "退货七天。" * 3000 + "字" * 5000, count, 64)
    assert count.calls <= 4


def test_size_must_hold_a_sentence() -> None:
    with pytest.raises(ValueError, match="size=3 .* at least 16"):
        chunk("x", Tokens(), 3)


BLOCKS = st.one_of(
    st.text(alphabet=st.sampled_from("中文退货。！？ab c.12\n，:："), min_size=1),
    st.text(min_size=1, max_size=200),
    st.sampled_from(
        ["# 标题", "## B", "| a | b |\n|---|---|\n| 1 | 2 |", "```\ncode x\n```", "- 一\n- 二", "> 引", "```", "~~~"]
    ),
    st.integers(1, 60).map(lambda n: "| 型号 | 价 |\n| :-- | --: |\n" + "".join(f"| K{i} | {i} |\n" for i in range(n))),
    st.integers(1, 60).map(lambda n: "```py\n" + "".join(f"x = {i}\n" for i in range(n)) + "```"),
    st.integers(1, 300).map(lambda n: "字" * n),
)
DOCUMENTS = st.lists(BLOCKS, max_size=6).map("\n\n".join)


@settings(max_examples=100)
@given(DOCUMENTS, st.integers(16, 80))
def test_no_text_is_lost_and_no_piece_too_large(markdown: str, size: int) -> None:
    pieces = chunk(markdown, Tokens(), size)
    found = iter(bare("".join("".join(piece.headings) + piece.text for piece in pieces)))
    body = [line for line in re.split(r"\r\n|\r|\n", markdown) if not re.fullmatch(r"[-=*_\s]*| {0,3}#.*", line)]
    missing = [c for c in bare("".join(body)) if c not in found]  # `in` moves on: a test for being a subsequence
    assert missing == []
    assert all(Tokens()([piece.text])[0] - 2 <= size for piece in pieces)


@given(st.text(alphabet=st.sampled_from("中文退货。！？ab c.12\n，；"), max_size=600), st.integers(16, 40))
def test_prose_comes_back_exactly(text: str, size: int) -> None:
    assert bare("".join(texts(text, size))) == bare(text)
