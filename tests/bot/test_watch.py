"""When a release is worse with customers beyond its limit: a table, and how often chance alone would say so."""

import random

import pytest

from bot.watch import Figure, Limits, Live, Share, Worse, least_rise, worse
from knowledge_base.types import Language


def live(figure: Figure, language: Language, count: int, of: int) -> Live:
    return {(figure, language): Share(count, of)}


@pytest.mark.parametrize(
    ("figure", "before", "now", "is_worse"),
    [
        ("abstained", (40, 200), (90, 200), True),
        ("abstained", (40, 200), (60, 200), False),  # may be chance
        ("abstained", (400, 2000), (540, 2000), False),  # surely higher, but not surely by five points
        ("abstained", (400, 2000), (640, 2000), True),
        ("abstained", (40, 200), (20, 200), False),
        ("abstained", (0, 19), (19, 19), False),  # too few
        ("abstained", (0, 20), (20, 20), True),
        ("abstained", (0, 0), (20, 20), False),  # nothing to compare with
        ("abstained", (200, 200), (200, 200), False),
        ("disliked", (10, 100), (45, 100), True),
        ("disliked", (10, 100), (25, 100), False),
        ("corrected", (2, 300), (40, 300), True),
        ("corrected", (2, 300), (6, 300), False),
        ("corrected", (0, 1000), (0, 1000), False),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_worse(
    figure: Figure, language: Language, before: tuple[int, int], now: tuple[int, int], is_worse: bool
) -> None:
    found = worse(live(figure, language, *before), live(figure, language, *now), Limits())
    limit = getattr(Limits(), figure)
    assert found == (Worse(figure, language, Share(*before), Share(*now), limit) if is_worse else None)


def test_one_language_is_enough_and_the_other_cannot_hide_it() -> None:
    before: Live = {("abstained", "zh"): Share(20, 100), ("abstained", "en"): Share(200, 1000)}
    now: Live = {("abstained", "zh"): Share(70, 100), ("abstained", "en"): Share(100, 1000)}
    found = worse(before, now, Limits())
    assert found is not None and found.language == "zh"
    assert worse(before, now, Limits(abstained=1.0)) is None


def test_the_bound_is_that_of_the_published_example() -> None:
    """Newcombe's comparison (a), 56/70 and 48/80 with 95 % certainty, has the interval 0.0524 … 0.3339."""
    assert least_rise(Share(48, 80), Share(56, 70), certain=1.96) == pytest.approx(0.0524, abs=1e-4)
    assert -least_rise(Share(56, 70), Share(48, 80), certain=1.96) == pytest.approx(0.3339, abs=1e-4)


def looks(chance: random.Random, before: float, now: float, most: int) -> int | None:
    """After how many conversations a release is called worse when looked at after every tenth; None: never."""
    was = Share(sum(chance.random() < before for _ in range(500)), 500)
    count = 0
    for of in range(1, most + 1):
        count += chance.random() < now
        if of % 10 == 0 and worse(live("abstained", "zh", *_pair(was)), live("abstained", "zh", count, of), Limits()):
            return of
    return None


def _pair(share: Share) -> tuple[int, int]:
    return share.count, share.of


def test_looking_again_and_again_blames_no_good_release_and_finds_a_bad_one_soon() -> None:
    chance = random.Random(5)
    assert [looks(chance, 0.2, 0.2, 1000) for _ in range(100)] == [None] * 100
    at_the_limit = [looks(chance, 0.2, 0.25, 1000) for _ in range(100)]
    assert sum(found is not None for found in at_the_limit) <= 3
    bad = [looks(chance, 0.2, 0.5, 1000) for _ in range(100)]
    assert all(found is not None and found <= 300 for found in bad)
