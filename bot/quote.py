"""Picks the sentences of the passages that answer a question, word for word.

Encoding and choosing are separate: `choose` is a pure function of scores. Knows nothing of decisions, wording
or generation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from knowledge_base.recent import Recent
from knowledge_base.sentences import sentences, width
from knowledge_base.types import Hit, Language, Vectors
from knowledge_base.words import words

# Measured on 250 dev questions whose first hit was right (cmrc2018, covidqa, drcd): the answer stands in the best
# sentence for 0.70, 0.66 and 0.87 of them, in the sentences chosen with these values for 0.92, 0.85 and 0.98, in the
# whole evidence for 0.95, 0.85 and 0.99.
_MOST = 6  # sentences in an answer
_WIDEST = 480  # columns of an answer, a Chinese character counting as two
_WORD_WEIGHT = 0.1  # of word overlap beside the cosine
_CLOSE = 0.15  # a further sentence of the best one's paragraph must score within this of it
_ELSEWHERE = 0.05  # … other items, rows, paragraphs and passages within this, with as many of the question's words
_AFTER, _BEFORE = 0.15, 0.08  # what the sentence after and before the best gains, which explain it
_WIDEST_SECTION = 960  # columns of a section that was chosen by its name
_MOST_SENTENCES = 48  # encoded for one question
_REMEMBERED = 8192  # sentences, 1.5 KB each
_STOPS = tuple("。！？；.!?;”」』）)")
_LONGEST_ITEM = 240  # characters
_ITEM = re.compile(r"\s*(?:[-*+•]\s|[(（]?\d{1,3}[.)、）]\s?)")
_DELIMITER = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")


@dataclass(frozen=True, slots=True)
class Quote:
    """A supporting sentence: `text` as it is shown, `verbatim` as it stands in the hit's passage."""

    hit: Hit
    text: str
    verbatim: str


class TextEncoder(Protocol):
    """As much of an `Encoder` as quoting needs."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors: ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEncoder:
    """A `TextEncoder` that remembers the sentences of what is quoted again and again. May be called from any thread."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._recent: Recent[Vectors] = Recent(_REMEMBERED)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """See Encoder, which remembers them itself."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """See Encoder; only what is new is encoded."""
        known = self._recent.of(texts, self._encoder.encode_passages)
        return np.stack([known[text] for text in texts])


def quote(question: str, language: Language, hits: Sequence[Hit], encoder: TextEncoder) -> tuple[Quote, ...]:
    """The sentences of the hits that best answer the question, in reading order; none without hits.

    A section that was asked for by its name is quoted from its beginning.
    """
    if hits and hits[0].exact:
        return opening(hits, language)
    found: dict[str, Quote] = {}
    for candidate in (candidate for hit in hits for candidate in quotable(hit, language)):
        found.setdefault(candidate.text, candidate)
    candidates = list(found.values())[:_MOST_SENTENCES]
    if len(candidates) <= 1:
        return tuple(candidates)
    wanted = encoder.encode_queries([question])[0]
    vectors = encoder.encode_passages([" ".join([*c.hit.passage.headings[-1:], c.text]) for c in candidates])
    cosines = np.asarray(vectors @ wanted, dtype=float)
    return choose(candidates, cosines.tolist(), [overlap(question, c.text) for c in candidates])


def opening(hits: Sequence[Hit], language: Language) -> tuple[Quote, ...]:
    """A section from its beginning, as far as an answer may go, at least its first sentence."""
    kept: list[Quote] = []
    room = _WIDEST_SECTION
    for found in (found for hit in hits for found in quotable(hit, language)):
        room -= width(found.text)
        if kept and room < 0:
            break
        kept.append(found)
    return tuple(kept)


def compose(quotes: Sequence[Quote]) -> str:
    """The quotes as one text: the sentences of a paragraph follow each other, all else stands on lines of its own."""
    text = ""
    for before, found in zip((None, *quotes), quotes, strict=False):
        if before:
            flows = text.endswith(_STOPS) and found.text == found.verbatim and _follow(before, found)
            text += ("" if found.hit.passage.language == "zh" else " ") if flows else "\n"
        text += found.text
    return text


def choose(candidates: Sequence[Quote], cosines: Sequence[float], overlaps: Sequence[float]) -> tuple[Quote, ...]:
    """The best candidate, those that come close and what stands between two of them, in the order given."""
    scores = [cosine + _WORD_WEIGHT * share for cosine, share in zip(cosines, overlaps, strict=True)]
    if not scores:
        return ()
    best = max(range(len(scores)), key=lambda at: (scores[at], -at))
    beside = [_follow(candidates[min(at, best)], candidates[max(at, best)]) for at in range(len(scores))]
    for at, gain in ((best + 1, _AFTER), (best - 1, _BEFORE)):
        if 0 <= at < len(scores) and beside[at]:
            scores[at] += gain
    least = [
        scores[best] - (_CLOSE if beside[at] else _ELSEWHERE if overlaps[at] >= overlaps[best] else 0.0)
        for at in range(len(scores))
    ]
    kept = {best}
    ranked = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    _add(kept, [at for at in ranked if scores[at] >= least[at]], candidates)
    _add(kept, [at for at in ranked if _is_gap(candidates, kept, at)], candidates)
    return tuple(candidates[at] for at in sorted(kept))


def _add(kept: set[int], wanted: Sequence[int], candidates: Sequence[Quote]) -> None:
    """Add those of `wanted` to `kept`, in their order, that leave the answer short enough."""
    room = _WIDEST - sum(width(candidates[at].text) for at in kept)
    for at in wanted:
        needed = width(candidates[at].text)
        if at not in kept and needed <= room and len(kept) < _MOST:
            kept.add(at)
            room -= needed


def _is_gap(candidates: Sequence[Quote], kept: set[int], at: int) -> bool:
    """Whether a candidate stands between two that are kept, in one paragraph."""
    if not {at - 1, at + 1} <= kept:
        return False
    before, this, after = candidates[at - 1 : at + 2]
    return _follow(before, this) and _follow(this, after)


def _follow(one: Quote, other: Quote) -> bool:
    """Whether the other sentence comes after the one in the same paragraph."""
    text = one.hit.passage.text
    end = text.find(one.verbatim) + len(one.verbatim)
    start = text.find(other.verbatim, end)
    return one.hit.passage.id == other.hit.passage.id and start >= end and "\n" not in text[end:start].strip(" ")


def overlap(question: str, sentence: str) -> float:
    """Share of the question's search words that stand in the sentence, 0..1; 0 for a blank question."""
    wanted = set(words(question))
    return len(wanted & set(words(sentence))) / len(wanted) if wanted else 0.0


def quotable(hit: Hit, language: Language) -> list[Quote]:
    """The sentences of a hit that may be shown alone: headings left out, table rows with their header."""
    headers = _headers(hit.passage.text)
    found = []
    for sentence in _units(hit.passage.text):
        if sentence in hit.passage.headings or sentence in headers.values():
            continue
        header = headers.get(sentence)
        is_row = sentence.startswith("|") and sentence.endswith("|") and len(sentence) > 1
        text = _row(header or "", sentence, language) if header or is_row else sentence
        if text:
            found.append(Quote(hit, text, sentence))
    return found


def _units(text: str) -> list[str]:
    """The sentences of a passage; those of one short list item stay together, as a step says little in half."""
    units: list[str] = []
    begin = end = 0
    for sentence in sentences(text):
        start = text.index(sentence, end)
        end = start + len(sentence)
        item = units and "\n" not in text[begin:end] and end - begin <= _LONGEST_ITEM and _is_item(text, begin)
        if item:
            units[-1] = text[begin:end]
        else:
            units.append(sentence)
            begin = start
    return units


def _is_item(text: str, begin: int) -> bool:
    """Whether a list item's words begin here: before them its line has a bullet or number, or they have the number."""
    line = text[text.rfind("\n", 0, begin) + 1 :].partition("\n")[0]
    return _ITEM.match(line) is not None


def _headers(text: str) -> dict[str, str]:
    """Table row → the header row above it, both as they stand in the text."""
    found: dict[str, str] = {}
    header = before = ""
    for line in (line.strip() for line in text.splitlines()):
        if "|" not in line:
            header = ""
        elif _DELIMITER.fullmatch(line) and before:
            header = before
        elif header:
            found[line] = header
        before = line
    return found


def _row(header: str, row: str, language: Language) -> str:
    """A table row as a sentence: "名称：值；…" or "Name: value; …"."""
    names, cells = _cells(header), _cells(row)
    names += [""] * (len(cells) - len(names))
    colon, separator = ("：", "；") if language == "zh" else (": ", "; ")
    pairs = [(name, cell) for name, cell in zip(names, cells, strict=False) if cell]
    return separator.join(f"{name}{colon}{cell}" if name else cell for name, cell in pairs)


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)] if row else []
