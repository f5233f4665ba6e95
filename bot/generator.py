"""Writes text with a language model in this process.

Knows chat turns and tokens, nothing of passages, decisions or what the text is for.
"""

import logging
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from bot.stream import Decoded, Stream
from bot.types import BotError, Stop
from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import choose_device, generator_dtype
from knowledge_base.types import KnowledgeBaseError

log = logging.getLogger(__name__)

MAX_NEW_TOKENS = 256
REPETITION_PENALTY = 1.1

PLAIN_TEMPLATE = (  # for models that come without a chat template
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] | trim }}\n\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)

Messages = Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Job:
    messages: Messages
    stream: Stream


class LocalGenerator:
    """A `TextGenerator` (see `types`) around a Hugging Face name or a local folder.

    One worker thread generates answers in the order they were asked for; readers never hold it up.
    """

    def __init__(self, folder_or_name: str, adapter: Adapter | None = None, device: str = "auto") -> None:
        """Load the model; `adapter` is merged into it.

        Raises BotError, naming the remedy, when model or adapter cannot be loaded.
        """
        self.name = f"{folder_or_name}+{adapter.folder.name}" if adapter else folder_or_name
        engine = _Engine(folder_or_name, adapter, choose_device(device))
        self._jobs = _Jobs()
        worker = threading.Thread(target=self._jobs.work, args=(engine,), name="generator", daemon=True)
        worker.start()
        # also when forgotten or at exit: a thread inside torch must not outlive the interpreter
        self.close = weakref.finalize(self, self._jobs.close, worker)

    def generate(self, messages: Messages, stop: Stop) -> Iterator[str]:
        """Yield pieces of the answer as whole characters; ends within a token of stop() or of being closed.

        Raises BotError when the model fails.
        """
        stream = Stream()
        self._jobs.add(_Job(messages, stream))
        yield from stream.read(stop)


class _Jobs:
    """Answers to write, first come first served, and the loop that writes them."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = threading.Event()
        self._door = threading.Lock()

    def add(self, job: _Job) -> None:
        with self._door:
            if self._closed.is_set():
                raise BotError("the generator is closed; start Kefu again")
            self._waiting.put(job)

    def close(self, worker: threading.Thread) -> None:
        """End the running answer within a token, those that wait at once, and then the worker."""
        with self._door:
            self._closed.set()
            self._waiting.put(None)
        if worker is not threading.current_thread():
            worker.join()

    def work(self, engine: "_Engine") -> None:
        while (job := self._waiting.get()) is not None:
            try:
                engine.run(job, self._closed)
            except Exception as error:  # any: the worker must outlive it, and the reader is told
                log.exception("generation failed")
                failure = BotError(f"the generator failed: {error}; see the log, or set KEFU_GENERATOR to another")
                failure.__cause__ = error
                job.stream.end(failure)
            else:
                job.stream.end()


class _Engine:
    """Model and tokenizer; used by one thread at a time."""

    def __init__(self, folder_or_name: str, adapter: Adapter | None, device: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder_or_name)
            model = AutoModelForCausalLM.from_pretrained(folder_or_name, dtype=generator_dtype(device))
        except Exception as error:  # safetensors, the hub's client and transformers raise their own kinds
            raise BotError(
                f'cannot load the generator {folder_or_name!r}: {error}; set KEFU_GENERATOR to "embedded", '
                "to a Hugging Face name that can be reached, or to a whole transformers folder"
            ) from error
        try:
            self._model = (merge_adapter(model, adapter, folder_or_name) if adapter else model).to(device).eval()
        except KnowledgeBaseError as error:
            raise BotError(str(error)) from error
        if not self._tokenizer.chat_template:
            self._tokenizer.chat_template = PLAIN_TEMPLATE
        model_says = model.generation_config
        pad = self._tokenizer.pad_token_id
        self._settings = GenerationConfig(
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            repetition_penalty=REPETITION_PENALTY,
            eos_token_id=model_says.eos_token_id or self._tokenizer.eos_token_id,
            pad_token_id=self._tokenizer.eos_token_id if pad is None else pad,
        )
        log.info("generator %s on %s in %s", folder_or_name, device, model.dtype)

    def run(self, job: _Job, closed: threading.Event) -> None:
        """Generate one answer into the job's stream; returns early when it is cancelled or all is closed."""
        import torch
        from transformers import StoppingCriteriaList

        def cancelled() -> bool:
            return job.stream.cancelled or closed.is_set()

        def criterion(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), cancelled(), dtype=torch.bool, device=ids.device)

        if cancelled():
            return
        inputs = self._tokenizer.apply_chat_template(
            list(job.messages),
            add_generation_prompt=True,
            enable_thinking=False,
            return_tensors="pt",
            return_dict=True,
        ).to(self._model.device)

        with torch.inference_mode():
            self._model.generate(
                **inputs,
                generation_config=self._settings,
                stopping_criteria=StoppingCriteriaList([criterion]),
                streamer=_Streamer(self._tokenizer, job.stream),
            )


class _Streamer:
    """What transformers' `generate` hands its tokens to: first the prompt's, then one at a time."""

    def __init__(self, tokenizer: Any, stream: Stream) -> None:
        self._stream = stream
        self._text = Decoded(
            lambda ids: tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        self._prompt_passed = False

    def put(self, ids: Any) -> None:
        if self._prompt_passed:
            self._stream.put(self._text.add(ids.reshape(-1).tolist()))
        self._prompt_passed = True

    def end(self) -> None:
        """Nothing to flush: what is still held back is not a character."""
