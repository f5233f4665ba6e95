"""Writes text with a language model in this process.

Knows chat turns and the order in which answers are begun, nothing of tokens, passages or what the text is for.
"""

import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from bot.engine import Engine, Job, Messages
from bot.stream import Stream
from bot.types import BotError, Stop
from knowledge_base.adapter import Adapter
from knowledge_base.device import choose_device

log = logging.getLogger(__name__)

MAX_NEW_TOKENS = 256


class LocalGenerator:
    """A `TextGenerator` (see `types`) around a Hugging Face name or a local folder.

    One worker thread writes the answers, on a processor many of them at once; readers never hold it up.
    """

    def __init__(
        self,
        folder_or_name: str,
        adapter: Adapter | None = None,
        device: str = "auto",
        models: Path | None = None,
    ) -> None:
        """Load the model; `adapter` is merged into it.

        models: where graphs for the processor are kept; None: none is made, and transformers computes.
        Raises BotError or KnowledgeBaseError, naming the remedy, when model or adapter cannot be loaded.
        """
        self.name = f"{folder_or_name}+{adapter.folder.name}" if adapter else folder_or_name
        engine = _engine(folder_or_name, adapter, choose_device(device), models)
        self._jobs = _Jobs()
        worker = threading.Thread(target=self._jobs.work, args=(engine,), name="generator", daemon=True)
        worker.start()
        # also when forgotten or at exit: a thread inside an engine must not outlive the interpreter
        self.close = weakref.finalize(self, self._jobs.close, worker)

    def generate(self, messages: Messages, stop: Stop) -> Iterator[str]:
        """Yield pieces of the answer as whole characters; ends within a token of stop() or of being closed.

        Raises BotError when the model fails.
        """
        stream = Stream()
        self._jobs.add(Job(messages, stream))
        yield from stream.read(stop)


def _engine(folder_or_name: str, adapter: Adapter | None, device: str, models: Path | None) -> Engine:
    if device == "cpu" and models is not None:
        from bot.generator_graph import generator_folder

        folder = generator_folder(models, folder_or_name, adapter)
        if folder is not None:
            from bot.paged_engine import PagedEngine

            return PagedEngine(folder, MAX_NEW_TOKENS)
    from bot.torch_engine import TorchEngine

    return TorchEngine(folder_or_name, adapter, device, MAX_NEW_TOKENS)


class _Jobs:
    """Answers to write, first come first served, and the loop that has them written."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = threading.Event()
        self._door = threading.Lock()

    def add(self, job: Job) -> None:
        with self._door:
            if self._closed.is_set():
                raise BotError("the generator is closed; start Kefu again")
            self._waiting.put(job)

    def close(self, worker: threading.Thread) -> None:
        """End the running answers within a token, those that wait at once, and then the worker."""
        with self._door:
            self._closed.set()
            self._waiting.put(None)
        if worker is not threading.current_thread():
            worker.join()

    def work(self, engine: Engine) -> None:
        """Write until closed; who comes while others are written joins them where the engine has room."""
        expected = True
        while expected or engine.writing:
            while expected and engine.has_room:
                try:
                    job = self._waiting.get(block=not engine.writing)
                except Empty:
                    break
                expected = job is not None
                if job is not None:
                    self._begin(engine, job)
            if engine.writing:
                self._step(engine)

    def _begin(self, engine: Engine, job: Job) -> None:
        if self._gone(job):
            job.stream.end()
        else:
            self._guarded(lambda: engine.begin(job), [job])

    def _step(self, engine: Engine) -> None:
        def step() -> None:
            for job in engine.step(self._gone):
                job.stream.end()

        if not self._guarded(step, engine.writing):
            engine.drop()

    def _guarded(self, act: Callable[[], None], jobs: list[Job]) -> bool:
        """Whether it went well; if not, the readers of the jobs are told."""
        try:
            act()
        except Exception as error:  # any: the worker must outlive it, and the reader is told
            log.exception("generation failed")
            failure = BotError(f"the generator failed: {error}; see the log, or set KEFU_GENERATOR to another")
            failure.__cause__ = error
            for job in jobs:
                job.stream.end(failure)
            return False
        return True

    def _gone(self, job: Job) -> bool:
        return job.stream.cancelled or self._closed.is_set()
