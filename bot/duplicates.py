"""What of an FAQ that is being written clashes with the others: the same phrasing, a refused one, the same answer.

Reads only. Knows no page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.calibration import Calibration
from bot.decide import decide
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.language import normalise
from knowledge_base.types import Faq

Clash = Literal["own", "same", "refused", "near"]
_SEARCHED = 8  # phrasings that are searched for, the question first
_MOST = 20  # clashes told


@dataclass(frozen=True, slots=True)
class Warning:
    """A clash of one phrasing with the FAQ of that id.

    own: the FAQ refuses it itself. same: it is the other's phrasing. refused: the other must not match it.
    near: customers who ask it get the other's answer today.
    """

    clash: Clash
    phrasing: str
    faq_id: str
    question: str


def warnings(knowledge: KnowledgeBase, calibration: Calibration, draft: Faq) -> list[Warning]:
    """The clashes of a draft with what is stored, at most 20. Its translation and its own stored form do not count."""
    found: dict[tuple[str, str], Warning] = {}
    for warning in (*_own(draft), *_equal(knowledge, draft)):
        found.setdefault((normalise(warning.phrasing), warning.faq_id), warning)
    told = {warning.faq_id for warning in found.values()}
    for warning in _near(knowledge, calibration, draft):
        if warning.faq_id not in told:
            found.setdefault((normalise(warning.phrasing), warning.faq_id), warning)
    return list(found.values())[:_MOST]


def _phrasings(draft: Faq) -> dict[str, str]:
    """Normal form → phrasing."""
    return {normal: text for text in reversed((draft.question, *draft.similar)) if (normal := normalise(text))}


def _own(draft: Faq) -> Iterator[Warning]:
    own = _phrasings(draft)
    for text in draft.never:
        if normalise(text) in own:
            yield Warning("own", text, draft.id, draft.question)


def _equal(knowledge: KnowledgeBase, draft: Faq) -> Iterator[Warning]:
    own, family, listed = _phrasings(draft), Faq.family(draft.id), knowledge.editing.list
    published = listed.phrased([normal[:512] for normal in own])
    others = [found for found in published if Faq.family(found[0]) != family]
    titles = {id: one.faq.question for id, one in listed.some({found[0] for found in others}).items()}
    for id, role, text in others:
        yield Warning("same" if role == "question" else "refused", text, id, titles.get(id, ""))
    for id, question in listed.asked([draft.question, *draft.similar]):
        if Faq.family(id) != family:
            yield Warning("same", question, id, question)


def _near(knowledge: KnowledgeBase, calibration: Calibration, draft: Faq) -> Iterator[Warning]:
    family = Faq.family(draft.id)
    for text in list(_phrasings(draft).values())[::-1][:_SEARCHED]:
        decision = decide(knowledge.search(text, draft.language), text, draft.language, calibration)
        if decision.kind == "faq" and Faq.family(decision.hits[0].passage.source_id) != family:
            passage = decision.hits[0].passage
            yield Warning("near", text, passage.source_id, passage.title)
