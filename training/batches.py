"""Batches for contrastive training: pairs of texts that belong together, beside others that are hard to tell apart.

Every other row of a batch is a negative for each row, so that hard negatives cost nothing more: a batch is made of
small neighbourhoods, groups whose queries the untrained encoder finds alike. Pure; knows no model.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.language import language_of
from knowledge_base.types import Vectors
from training.augment import clipped, typed
from training.examples import Group

_NEIGHBOURHOOD = 4  # groups of a batch that are close to each other
_AMONG = 10  # nearest groups that a neighbourhood is drawn from
_COUNTED = 40  # queries of a group that count for the share of its source
_ITSELF = 0.2  # share of questions that are paired with a part of themselves: words must go on counting

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Task:
    """What is drawn from the groups of one source: pairs of queries, or a query and a passage."""

    groups: Sequence[Group]
    draw: Callable[[Group, random.Random], Pair]
    size: int  # pairs a batch
    count: int  # batches


def by_source(groups: Sequence[Group], least: int) -> dict[str, list[Group]]:
    """The groups of each source that has at least `least` of them, its languages apart where each has as many.

    Texts of another language are easy negatives, and the language that is asked less would get no batch of its own:
    of a shop with twenty English questions for a Chinese one nearly all that is beside a Chinese one is English.
    """
    sources: dict[str, list[Group]] = {}
    for group in groups:
        sources.setdefault(group.source, []).append(group)
    found: dict[str, list[Group]] = {}
    for name, members in sources.items():
        languages: dict[str, list[Group]] = {}
        for group in members:
            languages.setdefault(f"{name}.{language_of(group.queries[0])}", []).append(group)
        found |= languages if min(map(len, languages.values())) >= least else {name: members}
    return {name: members for name, members in found.items() if len(members) >= least}


def shares(sources: Mapping[str, Sequence[Group]], steps: int) -> dict[str, int]:
    """How many of the steps each source gets, 1 or more: by the square root of its queries."""
    weight = {name: sum(min(len(g.queries), _COUNTED) for g in members) ** 0.5 for name, members in sources.items()}
    return {name: max(1, round(steps * weight[name] / sum(weight.values()))) for name in sources}


def neighbours(vectors: Vectors) -> list[list[int]]:
    """For each of [n, d] unit vectors the rows of the nearest others, nearest first."""
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1)[:, : min(_AMONG, len(vectors) - 1)]
    return [[int(i) for i in row] for row in nearest]


def batches(task: Task, near: Sequence[Sequence[int]], rng: random.Random) -> list[list[Pair]]:
    """`count` batches of pairs, no group twice in one; all groups take their turn to lead a neighbourhood."""
    size = min(task.size, len(task.groups))
    leaders: list[int] = []
    made = []
    for _ in range(task.count):
        chosen: dict[int, None] = {}
        while len(chosen) < size:
            if not leaders:
                leaders = rng.sample(range(len(task.groups)), len(task.groups))
            leader = leaders.pop()
            around = rng.sample(near[leader], min(_NEIGHBOURHOOD - 1, len(near[leader])))
            chosen |= dict.fromkeys([leader, *around][: size - len(chosen)])
        made.append([task.draw(task.groups[i], rng) for i in chosen])
    return made


def two_queries(group: Group, rng: random.Random) -> Pair:
    """Two wordings of the same question, the first as a customer types; now and then it is a part of the other."""
    if rng.random() < _ITSELF:
        query = rng.choice(group.queries)
        return clipped(query, rng), query
    one, other = rng.sample(group.queries, 2)
    return typed(one, rng), other


def query_and_passage(group: Group, rng: random.Random) -> Pair:
    """A question as a customer types it, and a passage that answers it."""
    return typed(rng.choice(group.queries), rng), rng.choice(group.passages)
