"""Turns texts into vectors with any sentence-transformers model, from many threads at once.

Knows the model's own prefixes for queries and passages, nothing of passages, indexes or where models come from.
"""

import copy
import hashlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge_base.adapter import Adapter, merge_adapter
from knowledge_base.device import choose_device, encoder_dtype, generator_dtype
from knowledge_base.model_folder import digest, folder_of
from knowledge_base.recent import remember
from knowledge_base.types import KnowledgeBaseError, Progress, Vectors

log = logging.getLogger(__name__)

_REMEMBERED = 512  # queries
_SPLIT = ("bert", "roberta")  # models whose embeddings are a module of their own
_LONGEST_READ = 224  # tokens of a passage that are looked at one by one
_LONGEST_ASKED = 64  # and of a query
_LONGEST_TOKEN = 64  # characters, on average; what lies beyond max_tokens of them is cut off anyway
_E5 = re.compile(r"(?:^|[-_/.])e5(?![-\w.]*instruct)(?:[-_.]|$)", re.IGNORECASE)


class SentenceTransformerEncoder:
    """An `Encoder` (see `types`) around a Hugging Face name or a local folder.

    Queries overtake a running `encode_passages` between two of its batches.
    """

    def __init__(self, folder_or_name: str, device: str = "auto", adapter: Adapter | None = None) -> None:
        """Load the model; `adapter` is merged into it.

        Raises KnowledgeBaseError, naming the remedy, when model or adapter cannot be loaded.
        """
        self.name = folder_or_name
        self._device = choose_device(device)
        self._model = _load(folder_or_name, self._device)
        if adapter is not None:
            merge_adapter(self._model[0].auto_model, adapter, folder_or_name)  # in place
        self._quick = _for_queries(self._model, self._device)
        self.dimension: int = self._model.get_embedding_dimension()
        self.max_tokens: int = self._model.max_seq_length or 512
        self._query_prefix, self._passage_prefix = prefixes(folder_or_name, self._model.prompts)
        folders = [folder_of(folder_or_name), *([adapter.folder] if adapter else [])]
        shape = [self._query_prefix, self._passage_prefix, self.max_tokens, str(self._model.dtype)]
        self.fingerprint = _hash([digest(folder) for folder in folders] + [repr(shape)])
        self._batch = 256 if self._device.startswith("cuda") else 16
        self._turns = _Turns()
        both = (self._query_prefix, self._passage_prefix)  # a prefix's trailing space goes into the text's first token
        self._before = {prefix: 1 + self.count_tokens([prefix.rstrip()])[0] for prefix in both}
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._gate = threading.Lock()
        self._waiting: list[_Queries] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of search queries, one row each; recent ones come from memory.

        Queries that wait for their turn are encoded together by whoever gets it first.
        """
        rows = [rows[0] for rows in self._queries(texts)]
        return np.stack(rows) if rows else self._nothing()

    def _queries(self, texts: Sequence[str]) -> list[Vectors]:
        """What `_read` makes of each query."""
        own = _Queries(tuple(texts))
        with self._gate:
            self._waiting.append(own)
        with self._turns.urgent():
            if own.read is None:
                self._read_waiting(own)
        assert own.read is not None, "whoever took it along has read it"
        return own.read

    def _read_waiting(self, own: "_Queries") -> None:
        """Read all queries that wait; the caller has the turn. If it fails, the others wait on."""
        with self._gate:
            batch, self._waiting = self._waiting, []
        try:
            texts = dict.fromkeys(text for queries in batch for text in queries.texts)
            unknown = [text for text in texts if text not in self._recent]
            known = {text: self._recent[text] for text in texts if text in self._recent}
            known |= zip(unknown, self._read(unknown, self._query_prefix), strict=True)
        except BaseException:
            with self._gate:
                self._waiting = [queries for queries in batch if queries is not own] + self._waiting
            raise
        for queries in batch:
            queries.read = [known[text] for text in queries.texts]
        remember(self._recent, known, _REMEMBERED)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors of passages, one row each, in the order given; longest first inside, for even batches."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        # bytes, not characters, tell how many tokens a text has in Chinese and English alike
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i].encode("utf-8", "replace")))
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            with self._turns.patient():
                vectors[rows] = self._encode([texts[row] for row in rows], self._passage_prefix)
            if progress:
                progress(start + len(rows), len(order))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model sees it, without prefix and without begin and end marks."""
        if not texts:
            return []
        with self._turns.urgent():
            encoded = self._model.tokenizer(
                [_well_formed(text) for text in texts],
                add_special_tokens=False,
                truncation=False,
                padding=False,
                return_attention_mask=False,
                verbose=False,
            )
        return [len(ids) for ids in encoded["input_ids"]]

    def encode_tokens(self, texts: Sequence[str], query: bool = False) -> list[Vectors]:
        """One unit vector a token of each text's beginning, [tokens, dimension], without prefix and end marks."""
        if query:
            return [rows[1:] for rows in self._queries(texts)]
        with self._turns.urgent():
            return [rows[1:] for rows in self._read(list(texts), self._passage_prefix, _LONGEST_READ)]

    def _encode(self, texts: list[str], prefix: str) -> Vectors:
        if not texts:
            return self._nothing()
        vectors = self._model.encode(
            [_well_formed(text[: self.max_tokens * _LONGEST_TOKEN]) for text in texts],
            prompt=prefix,
            batch_size=self._batch,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)

    def _read(self, texts: list[str], prefix: str, longest: int | None = None) -> list[Vectors]:
        """Of each text the vector of the whole, then those of its first tokens: [1 + tokens, dimension], unit rows.

        longest: tokens that the model sees of a text; all that it can when None.
        """
        if not texts:
            return []
        found = self._quick.encode(
            [_well_formed(text[: self.max_tokens * _LONGEST_TOKEN]) for text in texts],
            prompt=prefix,
            batch_size=self._batch,
            output_value=None,
            processing_kwargs={
                "text": {"max_length": min(longest or self.max_tokens, self.max_tokens), "truncation": True}
            },
            show_progress_bar=False,
        )
        before = self._before[prefix]
        return [_rows(one, slice(before, before + (longest or _LONGEST_ASKED))) for one in found]

    def _nothing(self) -> Vectors:
        return np.empty((0, self.dimension), np.float32)


@dataclass(slots=True, eq=False)
class _Queries:
    """The queries of one caller, and what was made of them once somebody has read them."""

    texts: tuple[str, ...]
    read: list[Vectors] | None = None


class _Turns:
    """One holder at a time; the urgent go before the patient, so that a search need not wait for an upload."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._taken = False
        self._urgent = 0

    @contextmanager
    def urgent(self) -> Iterator[None]:
        with self._free:
            self._urgent += 1
            self._free.wait_for(lambda: not self._taken)
            self._urgent -= 1
            self._taken = True
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def patient(self) -> Iterator[None]:
        with self._free:
            self._free.wait_for(lambda: not self._taken and not self._urgent)
            self._taken = True
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._free:
            self._taken = False
            self._free.notify_all()


def prefixes(folder_or_name: str, prompts: dict[str, str]) -> tuple[str, str]:
    """What to put before queries and before passages: the model's own prompts, else E5's for an E5 model."""
    query = prompts.get("query") or ""
    passage = prompts.get("passage") or prompts.get("document") or ""
    if not query and not passage and _E5.search(folder_or_name):
        return "query: ", "passage: "
    return query, passage


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _rows(found: dict[str, Any], shown: slice) -> Vectors:
    """The vector of a whole text and those of its tokens that are shown, without the mark at its end; unit rows."""
    tokens = found["token_embeddings"][found["attention_mask"].bool()][:-1][shown]
    rows = np.concatenate([np.asarray(one.float().cpu()) for one in (found["sentence_embedding"][None], tokens)])
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _well_formed(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _for_queries(model: Any, device: str) -> Any:
    """The model in the precision that computes quickest here; only what is stored must be the same everywhere.

    On a processor with bfloat16 a text takes three fifths of the time, and its vector stays within 0.0001 of the other.
    Not int8: measured beside it (torch's dynamic quantisation of the linear layers), a query took 19 instead of 24 ms
    of one core, passages a quarter more time, vectors moved by 0.035 of cosine on average, and of the demo shop's
    golden questions 37 % instead of 51 % were answered, at 0.831 instead of 0.843 right sources first.
    """
    quickest = generator_dtype(device)
    reader: Any = getattr(model[0], "auto_model", None)
    if device != "cpu" or quickest == model.dtype or getattr(reader, "base_model_prefix", "") not in _SPLIT:
        return model
    shared = {id(p) for p in reader.embeddings.parameters()}  # by far the most of it; few of its rows are ever read
    known = {
        id(p): p if id(p) in shared else type(p)(p.data.to(quickest), requires_grad=False) for p in model.parameters()
    }
    quick = copy.deepcopy(model, known)  # takes these for its parameters
    quick[0].auto_model.embeddings.register_forward_hook(lambda _, __, found: found.to(quickest))
    return quick


def _load(folder_or_name: str, device: str) -> Any:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(folder_or_name, device=device, model_kwargs={"dtype": encoder_dtype(device)})
    except Exception as error:  # safetensors, the hub's client and transformers raise their own kinds
        raise KnowledgeBaseError(
            f'cannot load the encoder {folder_or_name!r}: {error}; set KEFU_ENCODER to "embedded", to a '
            "Hugging Face name that can be reached, or to a whole sentence-transformers folder"
        ) from error
    log.info("encoder %s on %s", folder_or_name, device)
    return model.eval()
