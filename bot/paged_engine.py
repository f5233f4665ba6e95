"""Writes many answers at once on a processor, with a generator's OpenVINO graph and a key/value cache in blocks.

Each step adds a token to every answer being written and reads on in the prompts of those that have just come, so that
nobody waits for another's end. Prompts that begin alike are read once. Knows nothing of threads or of who reads.
"""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.blocks import Blocks
from bot.engine import PLAIN_TEMPLATE, REPETITION_PENALTY, Gone, Job, decoder, prompt_ids
from bot.stream import Decoded
from knowledge_base.graph_folder import open_openvino

log = logging.getLogger(__name__)

_MOST = 16  # answers at once
_READ = 256  # tokens of a step
_CACHE = 256_000_000  # bytes of keys and values; only what is used of it takes memory
_MOST_BLOCKS = 1024
# Eight-bit weights, computed with in bfloat16 where the processor has it, else in full precision: as close to the model
# or closer, and prompts are read in two thirds of the time, though an answer is written a quarter slower. The cache's
# own default, eight bits scaled by block, would let a token's neighbours in its step change it far more.
_SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "KV_CACHE_PRECISION": "f16"}


@dataclass(slots=True)
class _Answer:
    """An answer being written. `ids`: prompt and answer; the keys and values of the first `done` are cached."""

    job: Job
    ids: list[int]
    length: int  # of ids at most
    text: Decoded
    seen: NDArray[np.int64]  # which tokens there are, each once
    blocks: list[int] = field(default_factory=list)
    done: int = 0
    ended: bool = False

    def add(self, token: int) -> None:
        self.ids.append(token)
        if token not in self.seen:
            self.seen = np.append(self.seen, token)


class PagedEngine:
    """An `Engine` (see `engine`) on the folder of a generator's graph."""

    def __init__(self, folder: Path, longest: int) -> None:
        """longest: tokens of an answer."""
        from transformers import AutoTokenizer

        told = json.loads((folder / "writer.json").read_text("utf8"))
        self._ends = set(told["ends"])
        self._longest = longest
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        if not self._tokenizer.chat_template:
            self._tokenizer.chat_template = PLAIN_TEMPLATE
        self._graph = _Graph(folder / "graph.xml", told["windows"])
        self._blocks = Blocks(self._graph.blocks, self._graph.block_size)
        self._answers: list[_Answer] = []
        log.info("generator %s on OpenVINO", folder.name)

    @property
    def writing(self) -> list[Job]:
        return [answer.job for answer in self._answers]

    @property
    def has_room(self) -> bool:
        return len(self._answers) < _MOST

    def begin(self, job: Job) -> None:
        ids = prompt_ids(self._tokenizer, job.messages)
        length = len(ids) + self._longest
        if self._blocks.needed(length) > self._blocks.number:
            raise ValueError(f"the prompt has {len(ids)} tokens, more than the generator keeps in memory")
        self._answers.append(_Answer(job, ids, length, Decoded(decoder(self._tokenizer)), np.unique(ids)))

    def step(self, gone: Gone) -> list[Job]:
        for answer in self._answers:
            answer.ended = gone(answer.job)
        run = self._planned()
        if run:
            scores = self._graph.run(run)
            for answer, row in zip([one for one, new in run if new == len(one.ids) - one.done], scores, strict=True):
                self._write(answer, row)
            for answer, new in run:
                answer.done += new
        over = [answer for answer in self._answers if answer.ended]
        self._answers = [answer for answer in self._answers if not answer.ended]
        for answer in over:
            self._blocks.give_back(answer.blocks)
        return [answer.job for answer in over]

    def drop(self) -> None:
        self._answers = []
        self._blocks = Blocks(self._graph.blocks, self._graph.block_size)

    def _planned(self) -> list[tuple[_Answer, int]]:
        """Which answers go on in this step, and how many of their tokens it takes: first those that are written."""
        alive = [answer for answer in self._answers if not answer.ended]
        run = [(answer, 1) for answer in alive if len(answer.ids) - answer.done == 1 and answer.blocks]
        left = _READ - len(run)
        for answer in alive:
            if any(answer is one for one, _ in run):
                continue
            if left <= 0 or not self._placed(answer):
                break
            new = min(left, len(answer.ids) - answer.done)
            self._blocks.fill(answer.blocks, answer.ids[: answer.done + new])
            run.append((answer, new))
            left -= new
        return run

    def _placed(self, answer: _Answer) -> bool:
        """Whether the answer has its blocks by now; what others have read of its prompt it need not read again."""
        if not answer.blocks:
            taken = self._blocks.take(answer.ids, answer.length)
            if taken is not None:
                answer.blocks, answer.done = taken
        return bool(answer.blocks)

    def _write(self, answer: _Answer, scores: NDArray[np.float32]) -> None:
        """Add the likeliest token, those that were there already being less so, as transformers reckons it."""
        known = scores[answer.seen]
        scores[answer.seen] = np.where(known > 0, known / REPETITION_PENALTY, known * REPETITION_PENALTY)
        token = int(scores.argmax())
        answer.add(token)
        answer.job.stream.put(answer.text.add([token]))
        answer.ended = token in self._ends or len(answer.ids) == answer.length


class _Graph:
    """The compiled graph with its cache."""

    def __init__(self, path: Path, windows: list[int]) -> None:
        core = open_openvino().Core()
        graph = core.read_model(path)
        _page(graph, windows)
        compiled = core.compile_model(graph, "CPU", _SETTINGS)
        self._request: Any = compiled.create_infer_request()
        caches = {one.get_any_name(): one for one in compiled.inputs if "_cache." in one.get_any_name()}
        shapes = {name: [size.get_length() for size in list(one.partial_shape)[1:]] for name, one in caches.items()}
        a_block = sum(int(np.prod(shapes[name])) * one.element_type.size for name, one in caches.items())
        self.blocks = min(_MOST_BLOCKS, _CACHE // a_block)
        self.block_size = shapes["value_cache.0"][1]
        for name, one in caches.items():
            self._request.set_tensor(name, open_openvino().Tensor(one.element_type, [self.blocks, *shapes[name]]))

    def run(self, answers: list[tuple[_Answer, int]]) -> NDArray[np.float32]:
        """Scores of all tokens, [answers whose last token is among the new ones, tokens]; may be written to."""
        ids: list[int] = []
        positions: list[int] = []
        begins, blocks, block_begins, last = [0], list[int](), [0], list[int]()
        for answer, new in answers:
            end = answer.done + new
            ids += answer.ids[answer.done : end]
            positions += range(answer.done, end)
            begins.append(len(ids))
            blocks += answer.blocks[: -(-end // self.block_size)]
            block_begins.append(len(blocks))
            if end == len(answer.ids):
                last.append(len(ids) - 1)
        inputs = {
            "input_ids": np.array(ids, np.int64),
            "position_ids": np.array(positions, np.int64),
            "last": np.array(last or [0], np.int64),
            "past_lens": np.array([answer.done for answer, _ in answers], np.int32),
            "subsequence_begins": np.array(begins, np.int32),
            "block_indices": np.array(blocks, np.int32),
            "block_indices_begins": np.array(block_begins, np.int32),
            "max_context_len": np.array(max(answer.done + new for answer, new in answers), np.int32),
        }
        self._request.infer(inputs)
        scores: NDArray[np.float32] = self._request.get_tensor("logits").data[: len(last), 0]
        return scores


def _page(graph: Any, windows: list[int]) -> None:
    """Turn the graph's attention into attention to blocks; where a layer looks back only so far, say so."""
    from openvino import opset13 as ops
    from openvino._offline_transformations import paged_attention_transformation

    paged_attention_transformation(graph, False, False, False)
    for node in graph.get_ops():
        if node.get_type_name() == "PagedAttentionExtension":
            window = windows[int(node.input_value(3).get_node().get_friendly_name().rsplit(".", 1)[1])]
            node.input(10).replace_source_output(ops.constant(np.int32(window)).output(0))
