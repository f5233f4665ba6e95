"""Decides from the hits what to do: answer from an FAQ or from documents, ask back, or abstain.

Pure function of values; every number comes from the calibration. Knows nothing of wording or models.
"""

from collections.abc import Sequence

from bot.calibration import Calibration
from bot.types import Decision
from knowledge_base.language import normalise
from knowledge_base.types import Hit, Language, Passage

_EVIDENCE = 3  # passages to answer from
_OPTIONS = 3  # questions to choose from
_NEAREST = 2  # questions and sections, offered when abstaining


def decide(hits: Sequence[Hit], query: str, language: Language, calibration: Calibration) -> Decision:
    """What to do with the hits of a query, which come best first.

    An exact FAQ, or a section asked for by its name, is answered as it stands. Else the calibrated confidence decides:
    FAQ or documents, whichever stands first; two FAQs that tie, or candidates below the threshold, are asked back; the
    rest is abstained from, with the questions and sections that come nearest. Raises nothing.
    """
    if not hits:
        return Decision("abstain", 0.0, reason="nothing found")
    head = hits[0]
    if head.exact and head.passage.kind == "faq":
        return Decision("faq", 1.0, (head,), reason="exact phrasing")
    if head.exact:
        return Decision("grounded", 1.0, _evidence(hits, 0.0), reason="a section's name")
    confidence = calibration.confidence(hits, language)
    threshold = calibration.threshold(head.passage.kind, language)
    reason = f"confidence {confidence:.2f}, threshold {threshold.answer:g}"
    if confidence >= threshold.answer:
        return _answer(hits, confidence, calibration, reason)
    near = [hit.passage for hit in hits if hit.score >= head.score - calibration.near]
    questions = _names([passage for passage in near if passage.kind == "faq"], query, language)
    if confidence >= threshold.clarify and head.passage.kind == "faq" and len(questions) > 1:
        return Decision("clarify", confidence, options=questions, reason=reason)
    return Decision("abstain", confidence, options=_names(near, query, language)[:_NEAREST], reason=reason)


def _answer(hits: Sequence[Hit], confidence: float, calibration: Calibration, reason: str) -> Decision:
    head = hits[0]
    if head.passage.kind == "document":
        return Decision("grounded", confidence, _evidence(hits, calibration.near), reason=reason)
    tied = _tied(hits, calibration.tie)
    if len(tied) > 1:
        return Decision("clarify", confidence, options=tied, reason=f"{reason}, but FAQs tie")
    return Decision("faq", confidence, (head,), reason=reason)


def _names(passages: Sequence[Passage], query: str, language: Language) -> tuple[str, ...]:
    """What was found, by name: best first, each once, without what was asked.

    In the customer's language; others only where there is none.
    """
    own = [passage for passage in passages if passage.language == language] or passages
    names = {normalise(query): ""}
    for passage in own:
        names.setdefault(normalise(passage.name), passage.name)
    return tuple(name for name in names.values() if name)[:_OPTIONS]


def _tied(hits: Sequence[Hit], tie: float) -> tuple[str, ...]:
    """The questions of the FAQs that cannot be told from the first hit, its own among them."""
    least = hits[0].score - tie
    titles = (hit.passage.title for hit in hits if hit.passage.kind == "faq" and hit.score > least)
    return tuple(dict.fromkeys(titles))[:_OPTIONS]


def _evidence(hits: Sequence[Hit], near: float) -> tuple[Hit, ...]:
    """The passages to answer from: the first hit and those that come near it, all in its language."""
    head = hits[0]
    kept = (h for h in hits if h.score >= head.score - near and h.passage.language == head.passage.language)
    return tuple(kept)[:_EVIDENCE]
