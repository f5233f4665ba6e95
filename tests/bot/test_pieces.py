import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pieces import pieces, unless_abstained


@given(st.text())
def test_pieces_add_up(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize("character", ["👨‍👩‍👧‍👦", "👍🏽", "🇨🇳", "é", "❤️", "1️⃣"])
def test_no_piece_cuts_a_character(character: str) -> None:
    cut = list(pieces(character * 40))
    assert len(cut) > 1 and all(piece == character * (len(piece) // len(character)) for piece in cut)


def run(written: list[str]) -> tuple[str, bool]:
    shown, generator = "", unless_abstained(iter(written))
    while True:
        try:
            shown += next(generator)
        except StopIteration as end:
            return shown, bool(end.value)


@pytest.mark.parametrize(
    ("written", "shown", "abstained"),
    [
        (["ABSTAIN"], "", True),
        ([" AB", "STA", "IN."], "", True),
        (["A", "BC"], "ABC", False),
        (["A"], "A", False),
        (["七天", "内。"], "七天内。", False),
        ([], "", False),
        (["Yes. ", "ABSTAIN"], "Yes. ", True),
    ],
)
def test_the_token_for_abstaining_is_never_shown(written: list[str], shown: str, abstained: bool) -> None:
    assert run(written) == (shown, abstained)
