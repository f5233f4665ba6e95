"""Whether a question's words stand together in a text: term proximity, here within one sentence.

A long passage may hold most words of a question by chance, each in another sentence. After Tao & Zhai, An Exploration
of Proximity Measures in Information Retrieval, SIGIR 2007. Knows words and their weights, no vectors.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from knowledge_base.recent import Recent
from knowledge_base.sentences import sentences
from knowledge_base.types import Hit, Language, Passage
from knowledge_base.words import words

_REMEMBERED = 4096  # passages and paths, at most 2 KB each


class Proximity:
    """Remembers the words of what was read last. May be called from any thread."""

    def __init__(self) -> None:
        self._recent: Recent[list[str]] = Recent(_REMEMBERED)

    def shares(self, weights: Mapping[str, float], passages: Sequence[Passage]) -> list[float]:
        """For each passage the share of `weights`, 0..1, that stands in one of its sentences or in the path to it.

        weights: of the query's words, as an index weighs them.
        """
        parts = [_parts(passage) for passage in passages]
        known = self._recent.of([part for pair in parts for part in pair], _read)
        return [_share(weights, known[path], known[text]) for path, text in parts]

    def look(self, weights: Mapping[str, float], hits: Sequence[Hit], language: Language) -> list[Hit]:
        """The hits in their order, with the proximity of each that is told something of; see `shares`, `is_told`."""
        shares = iter(self.shares(weights, [hit.passage for hit in hits if is_told(hit, language)]))
        return [replace(hit, proximity=next(shares)) if is_told(hit, language) else hit for hit in hits]

    def prepare(self, passages: Sequence[Passage]) -> Iterator[None]:
        """Read the passages that are new, one at each step, as long as none has to be forgotten for it."""
        for passage in passages:
            if self._recent.full:
                return
            if any(part not in self._recent for part in _parts(passage)):
                self._recent.of(_parts(passage), _read)
                yield


def by_proximity(hits: Sequence[Hit], weight: float) -> list[Hit]:
    """The hits, best first, each that has a proximity lowered by as much as it falls short of the best of them.

    weight: what a proximity of 1 counts in the fused score. All others keep their score.
    """
    best = max((hit.proximity for hit in hits if hit.proximity is not None), default=0.0)
    return sorted((_lowered(hit, best, weight) for hit in hits), key=lambda hit: -hit.score)


def is_told(hit: Hit, language: Language) -> bool:
    """Whether proximity says something of a hit for a query in `language`.

    Words tell nothing across languages, and an FAQ's phrasing is one sentence already.
    """
    return hit.passage.kind == "document" and hit.passage.language == language


def _lowered(hit: Hit, best: float, weight: float) -> Hit:
    if hit.proximity is None:
        return hit
    return replace(hit, score=max(0.0, hit.score - weight * (best - hit.proximity)))


def _parts(passage: Passage) -> tuple[str, str]:
    """The path to it, a heading a line, and its text."""
    return "\n".join(passage.path), passage.text


def _read(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text's sentences, joined by blanks: a fraction of the memory that sets would take."""
    return [[" ".join(words(sentence)) for sentence in sentences(text)] for text in texts]


def _share(weights: Mapping[str, float], path: Sequence[str], read: Sequence[str]) -> float:
    highest = sum(weights.values())
    above = weights.keys() & set(" ".join(path).split(" "))
    held: list[Set[str]] = [above | (weights.keys() & set(sentence.split(" "))) for sentence in read]
    most = max((sum(weights[word] for word in one) for one in held), default=0.0)
    return most / highest if highest else 0.0
