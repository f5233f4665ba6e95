"""Trains an adapter for the reranker: (question, candidate) → probability, a cross-encoder on the encoder's layers.

With fewer of them it is quicker; what the others know can be handed down by a teacher, an earlier run with all.
Its wrong candidates are those that the encoder finds nearest.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.adapter import Adapter
from knowledge_base.cross_encoder import LONGEST, CrossEncoderReranker, pair_logits, tokenized
from knowledge_base.device import choose_device, trains_in_bfloat16
from knowledge_base.encoder import SentenceTransformerEncoder
from training.augment import typed
from training.batches import by_source, neighbours, shares
from training.examples import Group, TrainingDataError, read_groups, training_files
from training.journal import Watch
from training.quick import STEP, quick
from training.run import begin, trainer_options, watched

_TARGETS = ["query", "key", "value", "dense"]  # every linear layer of a BERT
_QUESTION_TOKENS = 48  # what a passage leaves to the question
_FEWEST = 8  # groups of a source: with fewer there are no near misses
_MEASURED = 30  # held-out questions of a source


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """What a run is made of, beside base and data.

    questions, wrong: questions a batch, and wrong candidates of each beside the right one. layers: those of the
    encoder that are used, from the lowest. absent: share of questions without a right candidate. teacher: folder
    of a finished run whose probabilities are half of what is learnt; empty: labels alone.
    """

    steps: int = 500
    questions: int = 4
    wrong: int = 5
    layers: int = 12
    absent: float = 0.2
    rank: int = 16
    learning_rate: float = 4e-4
    teacher: str = ""
    evaluations: int = 4
    patience: int = 2  # evaluations without gain before it stops
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """A question beside candidates, and for each whether it is the right one, 0..1."""

    question: str
    candidates: tuple[str, ...]
    labels: tuple[float, ...]


def train_reranker(
    base: Path, data: Sequence[Path], out: Path, settings: RerankerSettings, watch: Watch | None = None
) -> dict[str, Any]:
    """Train and write the PEFT adapter to `out/adapter`; returns and writes the held-out share of right firsts.

    Goes on from the last checkpoint when `out` holds an interrupted run of the same settings and data. Raises
    TrainingDataError for unusable data, or when `out` holds another run.
    """
    run, checkpoint, rng = begin("reranker", base, training_files(data), out, settings)
    encoder = SentenceTransformerEncoder(str(base))
    groups = read_groups(data, encoder.count_tokens, LONGEST - _QUESTION_TOKENS)
    made, measured = lists(groups, encoder, settings, rng)
    if not made or not measured:
        raise TrainingDataError("too few groups to train on some and measure on others; add more data")
    if settings.teacher:
        made = _taught(made, CrossEncoderReranker(str(base), Adapter(Path(settings.teacher) / "adapter")))
    trainer = watched(_trainer(_model(base, settings), base, (made, measured), out, settings), watch)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.model.save_pretrained(str(out / "adapter"))
    run.finish(
        groups=len(groups), batches=len(made), held_out=len(measured), first=trainer.evaluate()["eval_first"],
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_first" in entry],
    )  # fmt: skip
    return run.result


def lists(
    groups: Sequence[Group], encoder: Any, settings: RerankerSettings, rng: random.Random
) -> tuple[list[list[Judged]], list[list[Judged]]]:
    """Batches to train on and to measure with; a batch is of one source, its texts alike in length."""
    usable = [group for group in groups if group.passages or (group.paraphrases and len(group.queries) > 1)]
    sources = by_source(usable, _FEWEST)
    batches = shares(sources, settings.steps)
    train: list[list[Judged]] = []
    measured: list[list[Judged]] = []
    for name, members in sources.items():
        near = neighbours(encoder.encode_queries([group.queries[0] for group in members]))
        kept = [i for i, group in enumerate(members) if group.held_out][:_MEASURED]
        measured += _batched([_judged(members, i, near[i], settings, rng, absent=0.0) for i in kept], settings)
        others = [i for i, group in enumerate(members) if not group.held_out]
        count = batches[name] * settings.questions
        drawn = [i for _ in range(count // len(others) + 1) for i in rng.sample(others, len(others))][:count]
        train += _batched([_judged(members, i, near[i], settings, rng, settings.absent) for i in drawn], settings)
    rng.shuffle(train)
    return train, measured


def _batched(judged: Sequence[Judged], settings: RerankerSettings) -> list[list[Judged]]:
    size = settings.questions
    return [list(judged[start : start + size]) for start in range(0, len(judged), size)]


def _judged(
    members: Sequence[Group],
    own: int,
    near: Sequence[int],
    settings: RerankerSettings,
    rng: random.Random,
    absent: float,
) -> Judged:
    """A question of a group beside its own candidate and those of the nearest groups."""
    group = members[own]
    question = rng.choice(group.queries)
    wrong = [members[i] for i in rng.sample(near, min(settings.wrong, len(near)))]
    candidates = [_candidate(other, "", rng) for other in wrong]
    labels = [0.0] * len(candidates)
    if rng.random() >= absent:
        at = rng.randint(0, len(candidates))
        candidates.insert(at, _candidate(group, question, rng))
        labels.insert(at, 1.0)
    return Judged(typed(question, rng), tuple(candidates), tuple(labels))


def _candidate(group: Group, question: str, rng: random.Random) -> str:
    """A group as search would find it: a phrasing other than the question, with the answer, or a passage."""
    passage = rng.choice(group.passages) if group.passages else ""
    phrasings = [query for query in group.queries if query != question] if group.paraphrases else []
    return "\n".join(text for text in (rng.choice(phrasings) if phrasings else "", passage) if text)


def _taught(made: Sequence[Sequence[Judged]], teacher: CrossEncoderReranker) -> list[list[Judged]]:
    """The same lists, each label moved half way to what the teacher says."""
    return [
        [
            Judged(one.question, one.candidates, tuple(
                (label + said) / 2
                for label, said in zip(one.labels, teacher.rerank(one.question, one.candidates), strict=True)
            ))
            for one in batch
        ]
        for batch in made
    ]  # fmt: skip


def _model(base: Path, settings: RerankerSettings) -> Any:
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import AutoModel, AutoTokenizer

    model = quick(AutoModel.from_pretrained(str(base), num_hidden_layers=settings.layers), choose_device())
    lora = LoraConfig(
        task_type=TaskType.FEATURE_EXTRACTION, r=settings.rank, lora_alpha=2 * settings.rank, target_modules=_TARGETS,
        layers_to_transform=list(range(settings.layers)),
    )  # fmt: skip
    return judging(get_peft_model(model, lora), AutoTokenizer.from_pretrained(str(base)).sep_token_id)


def judging(model: Any, separator: int) -> Any:
    """The same PEFT model, its forward replaced by {"loss", "logits" [pairs]}.

    The loss has two parts: whether each candidate is right, and which of a question's it is; the first makes
    probabilities, the second the order.
    """
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    def forward(
        input_ids: Any, attention_mask: Any, labels: Any, sizes: Any, num_items_in_batch: Any = None
    ) -> dict[str, Any]:
        encoded = {"input_ids": input_ids, "attention_mask": attention_mask}
        logits = pair_logits(model.get_base_model()(**encoded).last_hidden_state, encoded, separator)
        loss = binary_cross_entropy_with_logits(logits, labels)
        for said, wanted in zip(logits.split(sizes.tolist()), labels.split(sizes.tolist()), strict=True):
            if wanted.max() > 0:
                loss = loss + cross_entropy(said, wanted / wanted.sum()) / len(sizes)
        return {"loss": loss, "logits": logits}

    model.forward = forward
    return model


def _trainer(
    model: Any, base: Path, rows: tuple[list[list[Judged]], list[list[Judged]]], out: Path, settings: RerankerSettings
) -> Any:
    import torch
    from transformers import AutoTokenizer, EarlyStoppingCallback, Trainer, TrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(str(base))

    def collate(batches: Sequence[Sequence[Judged]]) -> dict[str, Any]:
        flat = [one for batch in batches for one in batch]
        pairs = [(one.question, candidate) for one in flat for candidate in one.candidates]
        encoded = tokenized(tokenizer, pairs, STEP)
        return {
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "labels": torch.tensor([label for one in flat for label in one.labels]),
            "sizes": torch.tensor([len(one.candidates) for one in flat]),
        }

    train, measured = rows
    arguments = TrainingArguments(
        **trainer_options(out, settings, len(train)), num_train_epochs=1, warmup_steps=len(train) // 10,
        per_device_train_batch_size=1, per_device_eval_batch_size=1, logging_steps=10, label_names=["labels"],
        bf16=trains_in_bfloat16(choose_device()), metric_for_best_model="eval_first",
        greater_is_better=True, remove_unused_columns=False,
    )  # fmt: skip
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=measured,
        data_collator=collate,
        compute_metrics=lambda found: {"first": first(found.predictions, measured)},
        callbacks=[EarlyStoppingCallback(settings.patience)],
    )


def first(logits: Any, measured: Sequence[Sequence[Judged]]) -> float:
    """Share of questions whose right candidate has the highest of the logits, which are [pairs] in order."""
    left: Iterator[float] = iter(np.asarray(logits).tolist())
    right = [
        bool(one.labels[int(np.argmax([next(left) for _ in one.candidates]))]) for batch in measured for one in batch
    ]
    return sum(right) / len(right)
