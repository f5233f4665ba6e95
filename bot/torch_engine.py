"""Writes answers with transformers, one after another: on graphics cards, and where a model has no graph.

Knows nothing of threads or of who reads.
"""

import logging
from typing import Any

from bot.engine import PLAIN_TEMPLATE, REPETITION_PENALTY, Gone, Job, decoder, prompt_ids
from bot.stream import Decoded, Stream
from bot.types import BotError
from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import generator_dtype
from knowledge_base.types import KnowledgeBaseError

log = logging.getLogger(__name__)


def load(folder_or_name: str, adapter: Adapter | None, **wishes: Any) -> tuple[Any, Any]:
    """Model, the adapter merged in, and tokenizer, which has a chat template.

    wishes: what else transformers' from_pretrained is told. Raises BotError, naming the remedy.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder_or_name)
        model = AutoModelForCausalLM.from_pretrained(folder_or_name, **wishes)
    except Exception as error:  # safetensors, the hub's client and transformers raise their own kinds
        raise BotError(
            f'cannot load the generator {folder_or_name!r}: {error}; set KEFU_GENERATOR to "embedded", '
            "to a Hugging Face name that can be reached, or to a whole transformers folder"
        ) from error
    try:
        model = merge_adapter(model, adapter, folder_or_name) if adapter else model
    except KnowledgeBaseError as error:
        raise BotError(str(error)) from error
    if not tokenizer.chat_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return model.eval(), tokenizer


class TorchEngine:
    """An `Engine` (see `engine`) around a Hugging Face name or a local folder; a step is a whole answer."""

    def __init__(self, folder_or_name: str, adapter: Adapter | None, device: str, longest: int) -> None:
        """longest: tokens of an answer. Raises BotError, naming the remedy, when something cannot be loaded."""
        from transformers import GenerationConfig

        model, self._tokenizer = load(folder_or_name, adapter, dtype=generator_dtype(device))
        self._model = model.to(device)
        self._job: tuple[Job, list[int]] | None = None
        model_says = model.generation_config
        pad = self._tokenizer.pad_token_id
        self._settings = GenerationConfig(
            max_new_tokens=longest,
            do_sample=False,
            repetition_penalty=REPETITION_PENALTY,
            eos_token_id=model_says.eos_token_id or self._tokenizer.eos_token_id,
            pad_token_id=self._tokenizer.eos_token_id if pad is None else pad,
        )
        log.info("generator %s on %s in %s", folder_or_name, device, model.dtype)

    @property
    def writing(self) -> list[Job]:
        return [self._job[0]] if self._job else []

    @property
    def has_room(self) -> bool:
        return self._job is None

    def begin(self, job: Job) -> None:
        self._job = job, prompt_ids(self._tokenizer, job.messages)

    def step(self, gone: Gone) -> list[Job]:
        """Write the whole answer; ends early when its reader has gone."""
        assert self._job
        job, prompt = self._job
        if not gone(job):
            self._write(job, prompt, gone)
        self._job = None
        return [job]

    def drop(self) -> None:
        self._job = None

    def _write(self, job: Job, prompt: list[int], gone: Gone) -> None:
        import torch
        from transformers import StoppingCriteriaList

        def criterion(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), gone(job), dtype=torch.bool, device=ids.device)

        ids = torch.tensor([prompt], device=self._model.device)
        with torch.inference_mode():
            self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=self._settings,
                stopping_criteria=StoppingCriteriaList([criterion]),
                streamer=_Streamer(self._tokenizer, job.stream),
            )


class _Streamer:
    """What transformers' `generate` hands its tokens to: first the prompt's, then one at a time."""

    def __init__(self, tokenizer: Any, stream: Stream) -> None:
        self._stream = stream
        self._text = Decoded(decoder(tokenizer))
        self._prompt_passed = False

    def put(self, ids: Any) -> None:
        if self._prompt_passed:
            self._stream.put(self._text.add(ids.reshape(-1).tolist()))
        self._prompt_passed = True

    def end(self) -> None:
        """Nothing to flush: what is still held back is not a character."""
