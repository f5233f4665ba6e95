"""Measures an encoder in training on the groups that were kept out of it: does the right text come first?

By source, and for topics by language and across; every question seeks among the texts of all groups of its source.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from knowledge_base.device import trainer_autocast
from knowledge_base.language import language_of
from training.examples import Group

_DISTRACTORS = 80  # texts of groups in training that are sought among too
_MOST = 40  # held-out groups of a source that are measured
_FEWEST = 5  # with fewer a source is not measured


def held_out_evaluator(groups: Sequence[Group], prompts: tuple[str, str], rng: random.Random) -> Any:
    """A sentence-transformers evaluator; its figure "held_out" is the mean of hit@1 over all tasks."""
    from sentence_transformers.sentence_transformer.evaluation import (
        InformationRetrievalEvaluator,
    )

    evaluators = [
        InformationRetrievalEvaluator(
            queries, corpus, relevant, name=name, query_prompt=prompts[0], corpus_prompt=prompts[1],
            mrr_at_k=[10], ndcg_at_k=[10], accuracy_at_k=[1], precision_recall_at_k=[1], map_at_k=[10], write_csv=False,
        )
        for name, queries, corpus, relevant in tasks(groups, rng)
    ]  # fmt: skip
    return _HeldOut(evaluators)


class _HeldOut:
    def __init__(self, evaluators: list[Any]) -> None:
        self._evaluators = evaluators

    def __call__(self, model: Any, *_: Any, **__: Any) -> dict[str, float]:
        with trainer_autocast(str(model.device)):
            scores = {e.name: float(e(model)[f"{e.name}_cosine_accuracy@1"]) for e in self._evaluators}
        return scores | {"held_out": sum(scores.values()) / len(scores)}


def tasks(
    groups: Sequence[Group], rng: random.Random
) -> Iterator[tuple[str, dict[str, str], dict[str, str], dict[str, set[str]]]]:
    """(name, queries, corpus, relevant) of each task, by id."""
    for source in dict.fromkeys(group.source for group in groups):
        members = [group for group in groups if group.source == source]
        for name, pick in (("queries", _paraphrase), ("across", _across), ("passages", _passage)):
            kept = [(group, pair) for group in members if group.held_out and (pair := pick(group, rng))]
            if len(kept) < _FEWEST:
                continue
            kept = rng.sample(kept, min(_MOST, len(kept)))
            others = [(g, p) for g in members if not g.held_out and (p := pick(g, rng))]
            corpus = kept + rng.sample(others, min(_DISTRACTORS, len(others)))
            yield (
                f"{source}_{name}",
                {group.id: pair[0] for group, pair in kept},
                {group.id: pair[1] for group, pair in corpus},
                {group.id: {group.id} for group, _ in kept},
            )


def _paraphrase(group: Group, rng: random.Random) -> tuple[str, str] | None:
    """Two queries of one language."""
    if not group.paraphrases:
        return None
    language = rng.choice(("zh", "en"))
    own = [q for q in group.queries if language_of(q) == language] or list(group.queries)
    if len(own) < 2 or len({language_of(q) for q in own}) > 1:
        return None
    one, other = rng.sample(own, 2)
    return one, other


def _across(group: Group, rng: random.Random) -> tuple[str, str] | None:
    """A query in each language."""
    if not group.paraphrases:
        return None
    chinese = [q for q in group.queries if language_of(q) == "zh"]
    english = [q for q in group.queries if language_of(q) == "en"]
    if not chinese or not english:
        return None
    pair = rng.choice(chinese), rng.choice(english)
    return pair if rng.random() < 0.5 else pair[::-1]


def _passage(group: Group, rng: random.Random) -> tuple[str, str] | None:
    return (rng.choice(group.queries), rng.choice(group.passages)) if group.passages else None
