"""Trains an adapter for the encoder: questions near questions that mean the same, and near passages that answer them.

Contrastive, in Chinese, English and across, for the first look of the search or for both; LoRA, so that a release
stays small. One or several GPUs through `accelerate launch -m training encoder …`; on a CPU in bf16 where the
processor has it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import BatchSampler

from knowledge_base.device import choose_device, trainer_autocast, trains_in_bfloat16
from knowledge_base.encoder import prefixes
from knowledge_base.types import Vectors
from training.batches import Pair, Task, batches, by_source, neighbours, query_and_passage, shares, two_queries
from training.examples import Group, read_groups, training_files
from training.held_out import held_out_evaluator
from training.journal import Watch
from training.quick import quick
from training.run import begin, trainer_options, watched
from training.two_looks import TwoLooks

_FEWEST = 4  # groups of a source
_TARGETS = ["query", "key", "value", "dense"]  # every linear layer of a BERT


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What a run is made of, beside base and data.

    queries, passages: pairs a batch when both are questions, and when one is a passage (longer, hence fewer).
    steps: batches in all; share: of them those with passages. frozen: lowest layers that get no adapter.
    scale: 1 / temperature of the softmax. second: weight of the second look, word by word, beside the first.
    start: folder of an adapter to go on from, with its own rank and layers.
    """

    steps: int = 640
    share: float = 0.3
    queries: int = 64
    passages: int = 24
    frozen: int = 4
    rank: int = 32
    learning_rate: float = 7e-4
    scale: float = 50.0
    second: float = 0.0
    longest: int = 192  # tokens
    start: str = ""
    evaluations: int = 4
    patience: int = 2  # evaluations without gain before it stops
    seed: int = 1


def train_encoder(
    base: Path, data: Sequence[Path], out: Path, settings: EncoderSettings, watch: Watch | None = None
) -> dict[str, Any]:
    """Train and write the PEFT adapter to `out/adapter`; returns and writes the held-out scores.

    Goes on from the last checkpoint when `out` holds an interrupted run of the same settings and data. Raises
    TrainingDataError for unusable data, or when `out` holds another run.
    """
    run, checkpoint, rng = begin("encoder", base, training_files(data), out, settings)
    model = _model(base, settings)
    groups = read_groups(data, _counter(model), settings.longest - 16)
    train = [group for group in groups if not group.held_out]
    prompts = prefixes(str(base), model.prompts)
    made = _all_batches(model, train, prompts[0], settings, rng)
    evaluator = held_out_evaluator(groups, prompts, rng)
    query, passage = _counter(model)([prompt.rstrip() for prompt in prompts])
    loss = TwoLooks(model, settings.scale, settings.second, (1 + query, 1 + passage))
    trainer = watched(_trainer(loss, made, evaluator, _arguments(out, made, prompts, settings), settings), watch)
    before = evaluator(model) if checkpoint is None else {}
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    model[0].auto_model.save_pretrained(str(out / "adapter"))
    run.finish(
        groups=len(groups), batches=len(made), before=before, after=evaluator(model),
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_held_out" in entry],
    )  # fmt: skip
    return run.result


class _Blocks(BatchSampler):
    """The rows of each batch: the batches as they were made, one after another."""

    def __init__(self, dataset: Any, sizes: Sequence[int], **_: Any) -> None:
        self._sizes = sizes

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        for size in self._sizes:
            yield list(range(start, start + size))
            start += size

    def __len__(self) -> int:
        return len(self._sizes)

    def set_epoch(self, epoch: int) -> None:
        """There is one epoch only."""


def _model(base: Path, settings: EncoderSettings) -> Any:
    from peft import LoraConfig, TaskType
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base))
    model.max_seq_length = settings.longest
    quick(model[0].auto_model, choose_device())
    if settings.start:
        model.load_adapter(settings.start, is_trainable=True)
        for config in model[0].auto_model.peft_config.values():
            config.base_model_name_or_path = str(base)  # a release leaves it out; checkpoints are loaded by it
        return model
    model.add_adapter(
        LoraConfig(
            task_type=TaskType.FEATURE_EXTRACTION,
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            target_modules=_TARGETS,
            layers_to_transform=list(range(settings.frozen, model[0].auto_model.config.num_hidden_layers)),
        )
    )
    return model


def _counter(model: Any) -> Any:
    return lambda texts: [len(ids) for ids in model.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]


def _all_batches(
    model: Any, groups: Sequence[Group], prompt: str, settings: EncoderSettings, rng: random.Random
) -> list[list[Pair]]:
    """All batches in the order of training: the sources mixed, each by the square root of its queries."""
    made: list[list[Pair]] = []
    read: dict[str, Vectors] = {}
    long = round(settings.steps * settings.share)
    for draw, size, steps in ((two_queries, settings.queries, settings.steps - long),
                              (query_and_passage, settings.passages, long)):  # fmt: skip
        sources = by_source([group for group in groups if _suits(group, draw is two_queries)], _FEWEST)
        count = shares(sources, steps)
        for name, members in sources.items():
            first = [group.queries[0] for group in members]
            if new := [text for text in dict.fromkeys(first) if text not in read]:
                read |= dict(zip(new, _encoded(model, new, prompt), strict=True))
            near = neighbours(np.stack([read[text] for text in first]))
            made += batches(Task(members, draw, size, count[name]), near, rng)
    rng.shuffle(made)
    return made


def _encoded(model: Any, texts: Sequence[str], prompt: str) -> Vectors:
    with trainer_autocast(str(model.device)):
        vectors = model.encode(list(texts), prompt=prompt, normalize_embeddings=True, batch_size=64)
    return np.asarray(vectors, np.float32)


def _suits(group: Group, paraphrases: bool) -> bool:
    """Whether pairs can be drawn from a group: two wordings, else a question and a passage."""
    return group.paraphrases and len(group.queries) > 1 if paraphrases else bool(group.passages)


def _arguments(out: Path, made: Sequence[Sequence[Pair]], prompts: tuple[str, str], settings: EncoderSettings) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments

    return SentenceTransformerTrainingArguments(
        **trainer_options(out, settings, len(made)),
        num_train_epochs=1,
        warmup_steps=len(made) // 10,
        bf16=trains_in_bfloat16(choose_device()),
        prompts={"query": prompts[0], "answer": prompts[1]},
        batch_sampler=partial(_Blocks, sizes=[len(batch) for batch in made]),
        metric_for_best_model="eval_held_out",
        greater_is_better=True,
        logging_steps=10,
    )


def _trainer(
    loss: TwoLooks, made: Sequence[Sequence[Pair]], evaluator: Any, arguments: Any, settings: EncoderSettings
) -> Any:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import EarlyStoppingCallback

    rows = [pair for batch in made for pair in batch]
    return SentenceTransformerTrainer(
        model=loss.model,
        args=arguments,
        train_dataset=Dataset.from_dict({"query": [a for a, _ in rows], "answer": [b for _, b in rows]}),
        loss=loss,
        evaluator=[evaluator],
        callbacks=[EarlyStoppingCallback(settings.patience)],
    )
