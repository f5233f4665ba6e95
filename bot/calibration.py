"""Turns search scores into the probability that answering from the best hit is right.

Knows the features, the logistic model and the thresholds of a calibration file. Does not know how they are
fitted, nor what is done with them.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.types import BotError
from knowledge_base.types import Hit, Language, SourceKind

BUILT_IN = Path(__file__).parent / "release" / "calibration.json"
FEATURES = (
    "top",
    "margin",
    "margin_alone",
    "dense",
    "dense_margin",
    "contrast",
    "keyword",
    "keyword_margin",
    "rerank",
    "rerank_margin",
    "proximity",
    "proximity_margin",
    "exact",
    "faq",
    "faq_across",
    "document_across",
    "agreement",
    "chinese",
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on to answer, and to offer candidates; with what was measured there."""

    answer: float
    clarify: float
    rates: Mapping[str, float] = field(default_factory=dict)  # e.g. coverage, false_answer_rate, questions


@dataclass(frozen=True, slots=True)
class Calibration:
    """One fitted calibration.

    weights: feature name → coefficient, "bias" among them; thresholds: "<kind>.<language>" → Threshold.
    tie: FAQs whose scores differ by less are asked back, not chosen between; near: how far below the best score
    an offered question or further evidence may stand; support: share of a sentence's words that must stand in
    a passage.
    """

    weights: Mapping[str, float]
    thresholds: Mapping[str, Threshold]
    tie: float
    near: float
    support: float
    encoder: str = ""  # SHA-256 of the files of the encoder that it was fitted with; empty: unknown
    note: str = ""

    def threshold(self, kind: SourceKind, language: Language) -> Threshold:
        return self.thresholds[f"{kind}.{language}"]

    def confidence(self, hits: Sequence[Hit], language: Language) -> float:
        """Probability 0..1 that answering from the first hit is right; 0 without hits."""
        if not hits:
            return 0.0
        values = features(hits, language)
        logit = self.weights.get("bias", 0.0)
        logit += sum(self.weights.get(name, 0.0) * values[name] for name in FEATURES)
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))


def features(hits: Sequence[Hit], language: Language) -> dict[str, float]:
    """The features of a ranking, by name (FEATURES); all 0 without hits. `language` is the query's.

    "margin"s compare the first hit with the best of another source; "margin_alone" is the margin of one that
    proximity tells nothing of, where it says more. "contrast" is its cosine above the mean of the others;
    "agreement" says that it leads both by cosine and by words; "…_across", that its language is not the query's.
    "rerank" and "proximity" are 0 where nothing was read.
    """
    if not hits:
        return dict.fromkeys(FEATURES, 0.0)
    head = hits[0]
    others = [hit for hit in hits[1:] if not _same_source(hit, head)]
    most_dense = max((hit.dense for hit in others), default=0.0)
    most_words = max((hit.keyword for hit in others), default=0.0)
    most_together = max((hit.proximity or 0.0 for hit in others), default=0.0)
    across = head.passage.language != language
    mean_dense = sum(hit.dense for hit in others) / len(others) if others else head.dense
    margin = head.score - max((hit.score for hit in others), default=0.0)
    return {
        "top": head.score,
        "margin": margin,
        "margin_alone": margin if head.proximity is None else 0.0,
        "dense": head.dense,
        "dense_margin": head.dense - most_dense if others else 0.0,
        "contrast": head.dense - mean_dense,
        "keyword": head.keyword,
        "keyword_margin": head.keyword - most_words,
        "rerank": head.rerank or 0.0,
        "rerank_margin": (head.rerank or 0.0) - max((hit.rerank or 0.0 for hit in others), default=0.0),
        "proximity": head.proximity or 0.0,
        "proximity_margin": 0.0 if head.proximity is None else head.proximity - most_together,
        "exact": float(head.exact),
        "faq": float(head.passage.kind == "faq"),
        "faq_across": float(across and head.passage.kind == "faq"),
        "document_across": float(across and head.passage.kind == "document"),
        "agreement": float(head.dense >= most_dense and head.keyword >= most_words),
        "chinese": float(language == "zh"),
    }


def load(path: Path = BUILT_IN) -> Calibration:
    """Read a calibration file. Raises BotError naming the file and what is wrong with it."""
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BotError(
            f"The calibration {path} cannot be read ({error.strerror}). Restore it, or roll back the release."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BotError(
            f"The calibration {path} is not valid ({error}). Fit it anew, or roll back the release."
        ) from error


def _read(content: Any) -> Calibration:
    weights = {str(name): float(value) for name, value in content["weights"].items()}
    unknown = set(weights) - set(FEATURES) - {"bias"}
    if unknown:
        raise ValueError(f"unknown features {sorted(unknown)}")
    thresholds = {
        f"{kind}.{language}": _threshold(content["thresholds"][kind][language])
        for kind in ("faq", "document")
        for language in ("zh", "en")
    }
    return Calibration(
        weights=weights,
        thresholds=thresholds,
        tie=float(content["tie"]),
        near=float(content["near"]),
        support=float(content["support"]),
        encoder=str(content.get("encoder", "")),
        note=str(content.get("note", "")),
    )


def _threshold(content: Any) -> Threshold:
    threshold = Threshold(float(content["answer"]), float(content["clarify"]), dict(content.get("rates", {})))
    if not 0 <= threshold.clarify <= threshold.answer <= 1:
        raise ValueError(f"clarify {threshold.clarify} and answer {threshold.answer} must rise within 0..1")
    return threshold


def _same_source(one: Hit, other: Hit) -> bool:
    return (one.passage.kind, one.passage.source_id) == (other.passage.kind, other.passage.source_id)
