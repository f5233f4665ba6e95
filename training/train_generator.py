"""Trains an adapter for the generator: answer from the passages in the customer's language, or abstain.

LoRA on any causal language model. The loss is on the answer only, and logits are computed only where there is a
label: with a vocabulary of 262,144 the others would cost more than the model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.engine import PLAIN_TEMPLATE
from knowledge_base.device import choose_device, generator_dtype
from training.examples import TrainingDataError, read_groups, read_topics, training_files
from training.grounded import Example, answers_in, paragraph_examples, topic_examples
from training.journal import Watch
from training.rows import RowError
from training.run import begin, trainer_options, watched

_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
_IGNORED = -100  # label of what is not learnt
_PASSAGE_TOKENS = 200


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """What a run is made of, beside base and data.

    per_topic: examples a topic, half of them in each language; paragraphs: examples a qa_* file. longest: tokens of
    a whole example; longer ones are left out. batch × accumulate examples a step.
    """

    per_topic: int = 4
    paragraphs: int = 250
    longest: int = 768
    batch: int = 4
    accumulate: int = 2
    rank: int = 16
    learning_rate: float = 4e-4
    most_steps: int = 0  # 0: all examples once
    evaluations: int = 4
    patience: int = 2  # evaluations without gain before it stops
    seed: int = 1


def train_generator(
    base: Path, data: Sequence[Path], out: Path, settings: GeneratorSettings, watch: Watch | None = None
) -> dict[str, Any]:
    """Train and write the PEFT adapter to `out/adapter`; returns and writes the held-out loss.

    Goes on from the last checkpoint when `out` holds an interrupted run of the same settings and data. Raises
    TrainingDataError for unusable data, or when `out` holds another run.
    """
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    files = training_files(data)
    run, checkpoint, rng = begin("generator", base, files, out, settings)
    tokenizer = AutoTokenizer.from_pretrained(str(base))
    tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
    try:
        examples = list(_examples(files, tokenizer, rng, settings))
    except RowError as error:
        raise TrainingDataError(str(error)) from error
    rows = {kept: _tokenized([e for e in examples if e.held_out == kept], tokenizer, settings.longest)
            for kept in (False, True)}  # fmt: skip
    if not rows[False] or not rows[True]:
        raise TrainingDataError("too few examples to train on some and measure on others; add topics_* files")
    model = AutoModelForCausalLM.from_pretrained(str(base), dtype=generator_dtype(choose_device()))
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=settings.rank, lora_alpha=2 * settings.rank, target_modules=_TARGETS
    )
    trainer = watched(_trainer(get_peft_model(model, lora), tokenizer, rows, out, settings), watch)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.model.save_pretrained(str(out / "adapter"))
    run.finish(
        examples=len(rows[False]), held_out=len(rows[True]), loss=trainer.evaluate()["eval_loss"],
        history=[entry for entry in trainer.state.log_history if "loss" in entry or "eval_loss" in entry],
    )  # fmt: skip
    return run.result


def answers_only(model: Any) -> Any:
    """The same PEFT model, its forward replaced by the loss on labelled positions: {"loss": mean cross-entropy}."""

    def forward(input_ids: Any, attention_mask: Any, labels: Any, num_items_in_batch: Any = None) -> dict[str, Any]:
        return {"loss": labelled_loss(model.get_base_model(), input_ids, attention_mask, labels, num_items_in_batch)}

    model.forward = forward
    return model


def labelled_loss(causal: Any, input_ids: Any, attention_mask: Any, labels: Any, count: Any = None) -> Any:
    """Cross-entropy summed over the labelled positions, by `count` or by their number. All arguments [n, length]."""
    import torch

    hidden = causal.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    following = labels[:, 1:]
    chosen = following != _IGNORED
    logits = causal.lm_head(hidden[:, :-1][chosen]).float()
    total = torch.nn.functional.cross_entropy(logits, following[chosen], reduction="sum")
    return total / (chosen.sum() if count is None else count)


def _examples(files: Sequence[Path], tokenizer: Any, rng: Any, settings: GeneratorSettings) -> Iterator[Example]:
    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    topics = [topic for file in files if file.name.startswith("topics_") for topic in read_topics(file)]
    yield from topic_examples(topics, rng, settings.per_topic)
    for file in files:
        if file.name.startswith("qa_"):
            groups = read_groups([file], count, _PASSAGE_TOKENS)
            yield from paragraph_examples(groups, answers_in(file), rng, settings.paragraphs)


def _tokenized(examples: Sequence[Example], tokenizer: Any, longest: int) -> list[dict[str, list[int]]]:
    """input_ids with labels on the answer and the mark that ends it, as the model's chat template writes both."""
    rows = []
    for example in examples:
        messages = list(example.messages)
        begin = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        whole = tokenizer.apply_chat_template(
            [*messages, {"role": "assistant", "content": example.answer}], tokenize=False
        )
        answer = whole[len(begin) :].rstrip()
        if answer.endswith(example.answer.rstrip()):  # a template without an end mark
            answer += tokenizer.eos_token
        asked, told = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (begin, answer))
        if len(asked) + len(told) <= longest:
            rows.append({"input_ids": asked + told, "labels": [_IGNORED] * len(asked) + told})
    return rows


def _trainer(model: Any, tokenizer: Any, rows: dict[bool, list[dict[str, list[int]]]], out: Path, settings: Any) -> Any:
    from datasets import Dataset
    from transformers import DataCollatorForSeq2Seq, EarlyStoppingCallback, Trainer, TrainingArguments

    batches = len(rows[False]) // (settings.batch * settings.accumulate)
    steps = min(settings.most_steps, batches) if settings.most_steps else batches
    arguments = TrainingArguments(
        **trainer_options(out, settings, steps), max_steps=max(1, steps),
        per_device_train_batch_size=settings.batch, gradient_accumulation_steps=settings.accumulate,
        per_device_eval_batch_size=settings.batch, warmup_steps=max(1, steps // 20),
        train_sampling_strategy="group_by_length", metric_for_best_model="eval_loss", greater_is_better=False,
        prediction_loss_only=True, logging_steps=5, remove_unused_columns=False,
    )  # fmt: skip
    return Trainer(
        model=answers_only(model),
        args=arguments,
        train_dataset=Dataset.from_list(rows[False]),
        eval_dataset=Dataset.from_list(rows[True]),
        data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=_IGNORED),
        callbacks=[EarlyStoppingCallback(settings.patience)],
    )
