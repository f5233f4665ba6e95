"""What a company's examples are enough to teach a release, and why not more. Pure; knows no trainer."""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bot.releases import Release
from knowledge_base.types import Language

Part = Literal["calibration", "encoder", "reranker", "generator"]
Wanted = Literal["auto", "calibration"]
"""What a round is to train: what the examples are enough for, or the calibration only."""
FEWEST: dict[Part, int] = {"calibration": 50, "encoder": 200, "reranker": 300, "generator": 1000}
"""How many approved examples it takes to train a part of a release."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Whether a part is to be trained; `why` names a sentence of lessons.toml."""

    part: Part
    train: bool
    why: Literal["enough", "few", "unused", "unwanted"]
    have: int
    fewest: int

    def sentence(self, language: Language) -> str:
        """Why, for people."""
        return _words()[self.why][language].format(have=self.have, fewest=self.fewest)

    def name(self, language: Language) -> str:
        """The part's name, for people."""
        return _words()[self.part][language]


def lessons(have: int, used: Collection[Part], wanted: Wanted = "auto") -> tuple[Lesson, ...]:
    """What to train with so many approved examples. used: the parts that the current release answers with."""

    def lesson(part: Part, fewest: int) -> Lesson:
        if part not in used:
            return Lesson(part, False, "unused", have, fewest)
        if have < fewest:
            return Lesson(part, False, "few", have, fewest)
        if wanted == "calibration" and part != "calibration":
            return Lesson(part, False, "unwanted", have, fewest)
        return Lesson(part, True, "enough", have, fewest)

    return tuple(lesson(part, fewest) for part, fewest in FEWEST.items())


def used_by(release: Release, encoder: str) -> frozenset[Part]:
    """The parts that a release answers with, where the operator serves `encoder`.

    An encoder or reranker is the release's own only over the encoder that the release was made for.
    """
    own = release.encoder.base == encoder
    parts: dict[Part, bool] = {
        "calibration": True,
        "encoder": own,
        "reranker": own and release.reranker.adapter is not None,
        "generator": release.generator.fit,
    }
    return frozenset(part for part, used in parts.items() if used)


@cache
def _words() -> dict[str, dict[Language, str]]:
    return tomllib.loads(Path(__file__).with_name("lessons.toml").read_text("utf8"))
