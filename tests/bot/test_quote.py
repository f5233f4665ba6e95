from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.quote import Quote, SentenceEncoder, choose, compose, opening, overlap, quotable, quote
from knowledge_base.sentences import width
from knowledge_base.types import Hit, Passage
from tests.fakes import HashEncoder

MakePassage = Callable[..., Passage]
PRICES = (
    "价格表\n\n| 型号 | 价格 | 保修 |\n|---|---|---|\n| 云净三号 | 1299 元 | 2 年 |\n| 云净五号 | 1999 元 | 3 年 |\n"
)


def test_the_answering_sentence_is_quoted_word_for_word(passage: MakePassage, hash_encoder: Any) -> None:
    text = "滤网每6个月更换一次。请勿用水清洗主机。\n\n- 电源线长2米。\n- 净重5公斤。"
    found = quote("电源线有多长", "zh", [Hit(passage(text), 0.9)], hash_encoder)
    assert [q.verbatim for q in found] == ["电源线长2米。"]


def test_a_table_row_is_quoted_with_its_header(passage: MakePassage, hash_encoder: Any) -> None:
    hit = Hit(passage(PRICES), 0.9)
    (found,) = quote("云净五号多少钱", "zh", [hit], hash_encoder)
    assert found.text == "型号：云净五号；价格：1999 元；保修：3 年"
    assert found.verbatim == "| 云净五号 | 1999 元 | 3 年 |" and found.verbatim in PRICES


def test_an_english_row_reads_in_english(passage: MakePassage) -> None:
    table = "| Model | Price |\n| --- | ---: |\n| A \\| B | 9 |\n| C |  |"
    hit = Hit(passage(table, "en"), 0.9)
    assert [q.text for q in quotable(hit, "en")] == ["Model: A | B; Price: 9", "Model: C"]


def test_a_row_whose_header_is_in_another_passage_shows_its_cells(passage: MakePassage) -> None:
    assert [q.text for q in quotable(Hit(passage("| 云净三号 | 1299 元 |"), 0.9), "zh")] == ["云净三号；1299 元"]


def test_headings_are_not_quoted(passage: MakePassage) -> None:
    hit = Hit(passage("## 保养\n\n每周擦拭一次。", headings=("说明", "保养")), 0.9)
    assert [q.text for q in quotable(hit, "zh")] == ["每周擦拭一次。"]


def test_the_same_sentence_of_two_passages_is_quoted_once(passage: MakePassage, hash_encoder: Any) -> None:
    hits = [Hit(passage("运费10元。"), 0.9), Hit(passage("运费10元。"), 0.8)]
    assert len(quote("运费多少", "zh", hits, hash_encoder)) == 1
    assert quote("运费多少", "zh", [], hash_encoder) == ()


def test_sentences_flow_and_rows_stand_on_lines(passage: MakePassage) -> None:
    hit = Hit(passage("一。二。\n\n| 价格 |\n|---|\n| 1 元 |"), 0.9)
    row = Quote(hit, "价格：1 元", "| 1 元 |")
    assert compose([Quote(hit, "一。", "一。"), Quote(hit, "二。", "二。"), row]) == "一。二。\n价格：1 元"
    english = Hit(passage("One. Two.\n\n1. Three.\n2. Four.", "en"), 0.9)
    said = [Quote(english, text, text) for text in ("One.", "Two.", "1. Three.", "2. Four.")]
    assert compose(said) == "One. Two.\n1. Three.\n2. Four."


def test_overlap_is_the_share_of_the_question() -> None:
    assert overlap("return label", "We pay the return label.") == 1.0
    assert overlap("return shipping", "We pay the return label.") == 0.5
    assert overlap("", "x") == 0.0


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), max_size=12))
def test_a_few_in_reading_order_the_best_among_them(scores: list[tuple[float, float]]) -> None:
    hit = Hit(Passage(1, "document", "a", "t", (), "", "zh", 1, None), 0.9)  # type: ignore[arg-type]
    candidates = [Quote(hit, str(at), str(at)) for at in range(len(scores))]
    found = choose(candidates, [c for c, _ in scores], [o for _, o in scores])
    assert list(found) == [c for c in candidates if c in found]
    assert len(found) <= 6 and bool(found) == bool(scores)
    if len(set(scores)) == 1 and scores:
        assert found[0] == candidates[0]


def quotes(text: str) -> list[Quote]:
    hit = Hit(Passage(1, "document", "a", "t", (), text, "zh", 1, datetime(2026, 1, 1)), 0.9)
    return quotable(hit, "zh")


def test_the_sentence_after_the_best_explains_it_but_not_the_next_item_of_a_list() -> None:
    prose, items = quotes("甲。乙是答案。丙。丁。"), quotes("- 甲。\n- 乙是答案。\n- 丙。\n- 丁。")
    cosines, none = [0.6, 0.9, 0.65, 0.65], [0.0] * 4
    assert [q.text for q in choose(prose, cosines, none)] == ["乙是答案。", "丙。"]
    assert [q.text for q in choose(items, cosines, none)] == ["乙是答案。"]


def test_another_item_of_a_list_is_quoted_only_when_it_is_as_near() -> None:
    items = quotes("- E01：没有水。\n- E02：过热。\n- E03：漏水。")
    assert [q.text for q in choose(items, [0.8, 0.9, 0.86], [0.0] * 3)] == ["E02：过热。", "E03：漏水。"]
    assert [q.text for q in choose(items, [0.8, 0.9, 0.89], [0.0, 0.3, 0.1])] == ["E02：过热。"]


def test_what_stands_between_two_quoted_sentences_is_quoted_too() -> None:
    found = choose(quotes("甲。乙。丙。丁。"), [0.9, 0.5, 0.88, 0.2], [0.0] * 4)
    assert [q.text for q in found] == ["甲。", "乙。", "丙。"]


def test_an_answer_stays_short_but_for_its_best_sentence() -> None:
    long = "长" * 150
    candidates = quotes(f"{long}甲。{long}乙。短。")
    assert [q.text for q in choose(candidates, [0.9, 0.89, 0.88], [0.0] * 3)] == [f"{long}甲。", "短。"]


def test_the_sentences_of_one_step_stay_together(passage: MakePassage) -> None:
    text = "出错时：\n\n- E02：锅炉过热。请关机冷却 30 分钟。\n- E03：没有水。请打开阀门。\n\n平时请擦干。每周清洗。"
    assert [q.verbatim for q in quotable(Hit(passage(text), 0.9), "zh")] == [
        "出错时：",
        "E02：锅炉过热。请关机冷却 30 分钟。",
        "E03：没有水。请打开阀门。",
        "平时请擦干。",
        "每周清洗。",
    ]


def test_a_long_item_is_quoted_by_its_sentences(passage: MakePassage) -> None:
    text = "- " + "这一步说得很长，" * 25 + "要等一等。" + "再按下按钮。" * 10
    assert all(len(q.verbatim) <= 240 for q in quotable(Hit(passage(text), 0.9), "zh"))


@given(st.text(alphabet="甲乙a1 .。！\n-|#*", max_size=120))
def test_every_unit_stands_in_the_passage(text: str) -> None:
    hit = Hit(Passage(1, "document", "a", "t", (), text, "zh", 1, datetime(2026, 1, 1)), 0.9)
    assert all(found.verbatim in text for found in quotable(hit, "zh"))


def test_a_section_is_shown_from_its_beginning_and_no_longer_than_an_answer(passage: MakePassage) -> None:
    steps = "\n".join(f"{n}. 第{n}步，请按住按键，等到指示灯亮起再松开。" for n in range(1, 40))
    shown = opening([Hit(passage(f"先关机。\n\n{steps}"), 1.0)], "zh")
    assert [found.text for found in shown[:2]] == ["先关机。", "1. 第1步，请按住按键，等到指示灯亮起再松开。"]
    assert 10 < len(shown) < 39 and sum(width(found.text) for found in shown) <= 960
    assert [found.text for found in opening([Hit(passage("长" * 2000 + "。"), 1.0)], "zh")] == ["长" * 2000 + "。"]


def test_a_sentence_is_encoded_once_and_the_oldest_forgotten(
    hash_encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.quote._REMEMBERED", 2)
    remembering = SentenceEncoder(hash_encoder)
    wanted = HashEncoder().encode_passages(["red", "blue", "red"])
    np.testing.assert_array_equal(remembering.encode_passages(["red", "blue", "red"]), wanted)
    np.testing.assert_array_equal(remembering.encode_passages(["blue", "green"])[0], wanted[1])
    assert hash_encoder.encoded == ["red", "blue", "green"]
    remembering.encode_passages(["red"])
    assert hash_encoder.encoded[-1] == "red"
