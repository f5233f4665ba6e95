"""Printed lines put together again: what belongs together, and that nothing else is lost or breaks it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.layout import Grid, Line, Page, markdown_of


def page(*lines: tuple[str, float], x0: float = 70, size: float = 10) -> Page:
    """Lines from the top, each with where it ends; the column ends at 500."""
    parts = (
        Line(text, x0, x1, 200 + 15 * row, 210 + 15 * row, size, right=500) for row, (text, x1) in enumerate(lines)
    )
    return Page(600, 800, tuple(parts))


def test_only_full_lines_go_on() -> None:
    assert (
        markdown_of([page(("退货请在七天内", 495), ("申请。", 110), ("保修两年。", 130))])
        == "退货请在七天内申请。\n\n保修两年。"
    )
    assert markdown_of([page(("Phone 400-820-1234", 180), ("Open all day", 150))]) == (
        "Phone 400-820-1234\n\nOpen all day"
    )


def test_a_hyphen_at_the_end_goes_only_where_the_whole_word_is_used() -> None:
    lines = (("Each customer has a two-", 495), ("year warranty; ask cus-", 495), ("tomer care.", 130))
    assert markdown_of([page(*lines)]) == "Each customer has a two-year warranty; ask customer care."


def test_a_break_between_chinese_and_digits_gets_the_space_that_the_document_uses() -> None:
    spaced = page(("重 3 公斤，宽 5 米，使用时间每次 30", 495), ("分钟。", 110))
    assert markdown_of([spaced]) == "重 3 公斤，宽 5 米，使用时间每次 30 分钟。"
    assert markdown_of([page(("重3公斤，使用时间每次30", 495), ("分钟。", 110))]) == "重3公斤，使用时间每次30分钟。"


def test_bold_lines_are_headings_unless_all_is_bold() -> None:
    def bold(only_first: bool) -> Page:
        plain = page(("Warranty", 120), ("Two years on all parts and on labour", 300), ("Details", 100), ("None", 90))
        return replace(plain, parts=tuple(replace(p, bold=not only_first or i == 0) for i, p in enumerate(plain.parts)))

    assert markdown_of([bold(only_first=True)]).startswith("# Warranty\n\nTwo years")
    assert "#" not in markdown_of([bold(only_first=False)])


def test_a_numbered_line_begins_anew() -> None:
    text = markdown_of([page(("步骤一说明很长很长", 495), ("2. 关闭电源", 130), ("3. 断开", 100))])
    assert text == "步骤一说明很长很长\n\n2. 关闭电源\n3. 断开"


LINES = st.builds(
    Line,
    st.text(min_size=1).map(lambda text: "x" + text.strip()),
    *[st.floats(200, 600)] * 4,
    st.floats(1, 40),
    st.booleans(),
    st.integers(0, 2),
    st.floats(0, 800),
)
GRIDS = st.builds(Grid, st.just((("a", "b"), ("1", "2"))), st.floats(0, 800), st.integers(0, 2))


@given(
    st.lists(st.builds(Page, st.just(600.0), st.just(800.0), st.lists(st.one_of(LINES, GRIDS)).map(tuple)), max_size=4)
)
def test_any_lines_make_text(pages: list[Page]) -> None:
    text = markdown_of(pages)
    assert bool(text) == any(page.parts for page in pages)
