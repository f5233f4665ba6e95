"""What a simulated company knows on its first day, what its customers ask, and what is asked of it only to measure.

The wordings of each FAQ of some golden sets are shared out by lot: a half is written down, the other half comes from
customers, and so do all wordings that stand in the training files beside those sets. One part of what customers say is
asked in the course of the month, the other never. Pure but for reading files; knows no bot.
"""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge_base.language import language_of, normalise
from knowledge_base.types import Faq, Language
from training.golden import GoldenSet, read_golden_set
from training.rows import read_rows

SETS = ("faq-banking77-en", "faq-covid-en", "faq-chatopera-zh", "faq-espfaq-zh")
LARGE = ("faq-espfaq-zh",)  # of these only the FAQs that somebody asks about, so that a month takes an hour
UNUSED = ("faq-tidb-zh", "faq-tidb-en")
INTENTS = 24  # wordings of each banking77 intent that customers have beside those of its golden set
_ASKED: dict[Language, float] = {"zh": 1 / 2, "en": 3 / 4}  # of what is not written down; the rest is for measuring


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question and the id of the FAQ that answers it; None: the company has no answer to it."""

    text: str
    language: Language
    faq: str | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """One company. truth: every FAQ with all its wordings, by id; known: those written on the first day."""

    truth: Mapping[str, Faq]
    known: tuple[Faq, ...]
    asked: tuple[Wanted, ...]  # in the order of the month
    held_out: tuple[Wanted, ...]


def read_month(dev: Path, seed: int, sets: Sequence[str] | None = None) -> Month:
    """The month of one lot. Raises GoldenSetError or RowError for files that cannot be used."""
    goldens = [read_golden_set(dev / "golden" / name) for name in sets or SETS]
    rng = random.Random(seed)
    truth: dict[str, Faq] = {}
    spoken: set[str] = set()
    elsewhere: dict[str, str] = {}
    for golden in goldens:
        own = {normalise(text) for faq in with_wordings(golden, ()) for text in (faq.question, *faq.similar)}
        more = [(faq_id, text) for faq_id, text in more_wordings(dev, golden, rng) if normalise(text) not in own]
        spoken |= {normalise(text) for _, text in more}
        whole = one_each(with_wordings(golden, more))
        truth |= {faq.id: faq for faq in whole if faq.similar or golden.name not in LARGE}
        elsewhere |= translations(dev, golden)
    strange = [one for one in strangers(goldens, truth) if elsewhere.get(normalise(one.text)) not in truth]
    return shared_out(truth, strange, rng, spoken)


def more_wordings(dev: Path, golden: GoldenSet, rng: random.Random) -> Iterator[tuple[str, str]]:
    """(FAQ id, wording) from the training files that belong to a golden set."""
    ids = {faq.question: faq.id for faq in golden.faqs}
    name = golden.name.removeprefix("faq-").replace("-", "_")
    pairs, intents = dev / "train" / f"pairs_{name}.jsonl", dev / "train" / f"intents_{name}.jsonl"
    for row in read_rows(pairs) if pairs.exists() else ():
        if row.content.get("label") == 1 and row.text("a") in ids:
            yield ids[row.text("a")], row.text("b")
    by_intent: dict[str, list[str]] = {}
    for row in read_rows(intents) if intents.exists() else ():
        by_intent.setdefault(f"{name.split('_')[0]}-{row.text('intent')}", []).append(row.text("text"))
    for faq_id, texts in sorted(by_intent.items()):
        yield from ((faq_id, text) for text in rng.sample(texts, min(INTENTS, len(texts))))


def translations(dev: Path, golden: GoldenSet) -> dict[str, str]:
    """The FAQ of each question, as `normalise` has it, that the training files ask of this set in the other language.

    Other sets may ask it as what has no answer there.
    """
    path = dev / "train" / f"faq_queries_{golden.name.removeprefix('faq-').replace('-', '_')}.jsonl"
    rows = read_rows(path) if path.exists() else ()
    return {normalise(row.text("query")): row.text("faq_id") for row in rows}


def with_wordings(golden: GoldenSet, more: Iterable[tuple[str, str]]) -> list[Faq]:
    """The FAQs of a set, each with all that is known to ask for it."""
    found: dict[str, list[str]] = {faq.id: [*faq.similar] for faq in golden.faqs}
    for question in golden.questions:
        for faq_id in question.relevant:
            found[faq_id].append(question.text)
    for faq_id, text in more:
        found[faq_id].append(text)
    return [replace(faq, similar=tuple(found[faq.id])) for faq in golden.faqs]


def one_each(faqs: Sequence[Faq]) -> list[Faq]:
    """FAQs that share a wording are one: a set may be of several companies, of which each has its "who are you?"."""
    holder: dict[str, str] = {}
    merged: dict[str, list[Faq]] = {}
    for faq in faqs:
        normals = [normalise(text) for text in (faq.question, *faq.similar)]
        mine = [faq]
        for other in {holder[normal] for normal in normals if normal in holder}:
            mine = merged.pop(other) + mine
        mine.sort(key=lambda one: one.id)
        merged[mine[0].id] = mine
        holder |= {normalise(text): mine[0].id for one in mine for text in (one.question, *one.similar)}
    return [_joined(group) for group in merged.values()]


def _joined(group: Sequence[Faq]) -> Faq:
    words = {normalise(text): text for faq in group for text in (faq.question, *faq.similar) if normalise(text)}
    first, *others = words.values()
    return replace(group[0], question=first, similar=tuple(others))


def strangers(goldens: Sequence[GoldenSet], truth: Mapping[str, Faq]) -> list[Wanted]:
    """The questions of the sets that none of the company's FAQs answers."""
    own = {normalise(text) for faq in truth.values() for text in (faq.question, *faq.similar)}
    asked = {normalise(q.text): q for golden in goldens for q in golden.questions if not q.answerable}
    return [Wanted(q.text, q.language) for normal, q in sorted(asked.items()) if normal not in own]


def shared_out(
    truth: Mapping[str, Faq], strange: Sequence[Wanted], rng: random.Random, customers: Collection[str] = ()
) -> Month:
    """Share the wordings out. An FAQ of one wording is written down; one whose lots all fell otherwise is not yet.

    customers: wordings, as `normalise` has them, that nobody but customers knows on the first day.
    """
    known: list[Faq] = []
    asked, held_out = [], []
    lots = [(faq_id, text) for faq_id, faq in sorted(truth.items()) for text in (faq.question, *faq.similar)]
    rng.shuffle(lots)
    lots.sort(key=lambda lot: normalise(lot[1]) in customers)
    shared = sum(normalise(text) not in customers for _, text in lots)
    written: dict[str, list[str]] = {}
    spoken: list[Wanted] = []
    for number, (faq_id, text) in enumerate(lots):
        if (number < shared and number % 2 == 0) or not truth[faq_id].similar:
            written.setdefault(faq_id, []).append(text)
        else:
            spoken.append(Wanted(text, language_of(text), faq_id))
    rng.shuffle(spoken)
    for faq_id, texts in sorted(written.items()):
        known.append(replace(truth[faq_id], question=texts[0], similar=tuple(texts[1:])))
    for language, share in _ASKED.items():
        for group in (spoken, rng.sample(strange, len(strange))):
            own = [one for one in group if one.language == language]
            cut = round(len(own) * (share if group is spoken else 1 / 2))
            asked += own[:cut]
            held_out += own[cut:]
    rng.shuffle(asked)
    return Month(truth, tuple(known), tuple(asked), tuple(held_out))
