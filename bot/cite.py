"""Finds which hits an answer stands on and quotes them word for word.

Pure functions of the answer and the hits. Knows nothing of how the answer was written.
"""

from collections.abc import Iterable, Sequence

from bot.types import Citation
from knowledge_base.sentences import sentences
from knowledge_base.types import Hit
from knowledge_base.words import words

_LEAST_OVERLAP = 0.3  # share of words in common (F1) from which a sentence stands on another
_LONGEST_QUOTE = 400  # characters


def cite(text: str, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """The passages that the sentences of `text` stand on, best hit first, each once, numbered from 1.

    Every sentence is credited to the passage sentence with which it shares most words. Raises nothing.
    """
    candidates = [(hit, quote, set(words(quote))) for hit in hits for quote in sentences(hit.passage.text)]
    found: list[tuple[Hit, str]] = []
    for sentence in sentences(text):
        wanted = set(words(sentence))
        scored = [(_overlap(wanted, have), -at) for at, (_, _, have) in enumerate(candidates)]
        overlap, at = max(scored, default=(0.0, 0))
        if overlap >= _LEAST_OVERLAP:
            hit, quote, _ = candidates[-at]
            found.append((hit, quote))
    return cite_quotes(sorted(found, key=lambda pair: hits.index(pair[0])))


def cite_quotes(quotes: Iterable[tuple[Hit, str]]) -> tuple[Citation, ...]:
    """Citations for (hit, quote) pairs, one for each passage, in the order in which the passages come.

    Where several quotes come from one passage, the shown quote runs from the first to the last if that is
    short enough; else it is the first. Raises ValueError when a quote does not stand in its passage.
    """
    grouped: dict[int, tuple[Hit, list[str]]] = {}
    for hit, quote in quotes:
        if quote not in hit.passage.text:
            raise ValueError(f"{quote!r} does not stand in passage {hit.passage.id}; quote it word for word")
        grouped.setdefault(hit.passage.id, (hit, []))[1].append(quote)
    pairs = [(hit, _span(hit.passage.text, group)) for hit, group in grouped.values()]
    return tuple(_citation(number, hit, quote) for number, (hit, quote) in enumerate(pairs, start=1))


def cite_faq(hit: Hit) -> tuple[Citation, ...]:
    """The one citation of an FAQ answered as it stands; a long answer is quoted from its beginning."""
    return (_citation(1, hit, _beginning(hit.passage.text)),)


def _span(text: str, quotes: Sequence[str]) -> str:
    starts = [text.index(quote) for quote in quotes]
    span = text[min(starts) : max(at + len(quote) for at, quote in zip(starts, quotes, strict=True))]
    return span if len(span) <= _LONGEST_QUOTE else quotes[0]


def _beginning(text: str) -> str:
    kept = text.strip()
    if len(kept) <= _LONGEST_QUOTE:
        return kept
    end = 0
    for sentence in sentences(kept):
        after = kept.find(sentence, end) + len(sentence)
        if after > _LONGEST_QUOTE:
            break
        end = after
    return kept[: end or _LONGEST_QUOTE]


def _overlap(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return 2 * common / (len(one) + len(other)) if common else 0.0


def _citation(number: int, hit: Hit, quote: str) -> Citation:
    passage = hit.passage
    return Citation(
        number=number,
        kind=passage.kind,
        source_id=passage.source_id,
        passage_id=passage.id,
        title=passage.title,
        headings=passage.path[1:],
        quote=quote,
        version=passage.version,
        updated=passage.updated,
    )
