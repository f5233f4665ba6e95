import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calibration import BUILT_IN, FEATURES, Calibration, features, load
from bot.types import BotError
from knowledge_base.types import Hit, Passage

MakePassage = Callable[..., Passage]


def stored() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(BUILT_IN.read_text(encoding="utf-8"))
    return content


def test_the_built_in_calibration_is_valid() -> None:
    calibration = load()
    for kind in ("faq", "document"):
        for language in ("zh", "en"):
            assert 0 < calibration.threshold(kind, language).answer < 1  # type: ignore[arg-type]


def test_features_compare_with_the_best_other_source(passage: MakePassage) -> None:
    first = passage("a", source_id="one")
    hits = [
        Hit(first, 0.9, 0.90, 0.5, rerank=0.8, proximity=0.7),
        Hit(passage("b", source_id="one"), 0.8, 0.89, 0.6, rerank=0.75),
        Hit(passage("c", "en", source_id="two"), 0.7, 0.80, 0.2, rerank=0.7),
        Hit(passage("d", source_id="three"), 0.6, 0.70, 0.4, proximity=0.5),
    ]
    found = features(hits, "zh")
    assert found == pytest.approx(
        {
            "top": 0.9,
            "margin": 0.2,
            "margin_alone": 0.0,
            "dense": 0.9,
            "dense_margin": 0.1,
            "contrast": 0.15,
            "keyword": 0.5,
            "keyword_margin": 0.1,
            "rerank": 0.8,
            "rerank_margin": 0.1,
            "proximity": 0.7,
            "proximity_margin": 0.2,
            "exact": 0.0,
            "faq": 0.0,
            "faq_across": 0.0,
            "document_across": 0.0,
            "agreement": 1.0,
            "chinese": 1.0,
        }
    )
    unknown = features(hits[2:], "zh")
    assert (unknown["proximity_margin"], unknown["margin_alone"]) == (0.0, unknown["margin"])
    assert features([], "en") == dict.fromkeys(FEATURES, 0.0)
    assert features(hits[2:], "en")["document_across"] == 0.0
    assert features(hits[2:], "zh")["document_across"] == 1.0


@given(st.floats(-1, 1), st.floats(0, 1), st.booleans())
def test_confidence_is_a_probability(dense: float, keyword: float, exact: bool) -> None:
    made = Passage(1, "faq", "a", "t", (), "x", "zh", 1, None)  # type: ignore[arg-type]
    assert 0 <= load().confidence([Hit(made, dense, dense, keyword, exact)], "zh") <= 1


def test_confidence_is_the_logistic_of_the_weighted_features(passage: MakePassage, calibration: Calibration) -> None:
    assert calibration.confidence([Hit(passage("a"), 0.5, keyword=0.5)], "zh") == pytest.approx(0.5)
    assert calibration.confidence([Hit(passage("a"), 0.5, keyword=1.0)], "zh") == pytest.approx(0.99331, abs=1e-5)
    assert calibration.confidence([], "zh") == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {"bias": 1, "nonsense": 2}},
        {"weights": {"dense": "high"}},
        {"weights": None},
        {"thresholds": {}},
        {"tie": None},
    ],
)
def test_a_calibration_that_is_not_valid_names_the_file_and_the_remedy(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(stored() | change))
    with pytest.raises(BotError, match="calibration.json is not valid.*roll back"):
        load(path)


def test_thresholds_must_rise(tmp_path: Path) -> None:
    content = stored()
    content["thresholds"]["faq"]["zh"] = {"answer": 0.2, "clarify": 0.4}
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(content))
    with pytest.raises(BotError, match="must rise"):
        load(path)


@pytest.mark.parametrize("content", [None, "{", "[]", "\ufeff"])
def test_a_missing_or_broken_file_is_said(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "calibration.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BotError, match="calibration.json"):
        load(path)
