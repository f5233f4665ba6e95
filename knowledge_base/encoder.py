"""Turns texts into vectors with any sentence-transformers model, from many threads at once.

Knows the model's own prefixes for queries and passages, nothing of passages, indexes or where models come from.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge_base.adapter import Adapter
from knowledge_base.device import choose_device
from knowledge_base.graph import GraphReader, graph_folder
from knowledge_base.model_folder import digest, folder_of, sha256_text
from knowledge_base.reader import Reader, TorchReader
from knowledge_base.recent import Recent
from knowledge_base.types import Progress, Vectors

_REMEMBERED = 512  # queries
_LONGEST_READ = 224  # tokens of a passage that are looked at one by one
_LONGEST_ASKED = 64  # and of a query
_LONGEST_TOKEN = 64  # characters, on average; what lies beyond max_tokens of them is cut off anyway
_E5 = re.compile(r"(?:^|[-_/.])e5(?![-\w.]*instruct)(?:[-_.]|$)", re.IGNORECASE)


class SentenceTransformerEncoder:
    """An `Encoder` (see `types`) around a Hugging Face name or a local folder.

    Queries overtake a running `encode_passages` between two of its batches.
    """

    def __init__(
        self, folder_or_name: str, device: str = "auto", adapter: Adapter | None = None, graphs: Path | None = None
    ) -> None:
        """Load the model; `adapter` is merged into it. graphs: where what serves on a processor is kept; None: torch.

        Raises KnowledgeBaseError, naming the remedy, when model or adapter cannot be loaded.
        """
        self.name = folder_or_name
        self._reader = _reader(folder_or_name, choose_device(device), adapter, graphs)
        self.dimension = self._reader.dimension
        self.max_tokens = self._reader.max_tokens
        self._query_prefix, self._passage_prefix = prefixes(folder_or_name, self._reader.prompts)
        folders = [folder_of(folder_or_name), *([adapter.folder] if adapter else [])]
        files = [digest(folder) for folder in folders]
        shape = [self._query_prefix, self._passage_prefix, self.max_tokens, self._reader.precision]
        self.files_sha256 = sha256_text("\n".join(files))
        self.fingerprint = sha256_text("\n".join([*files, repr(shape)]))
        self._turns = _Turns()
        both = (self._query_prefix, self._passage_prefix)  # a prefix's trailing space goes into the text's first token
        self._before = {prefix: 1 + self.count_tokens([prefix.rstrip()])[0] for prefix in both}
        self._recent: Recent[Vectors] = Recent(_REMEMBERED)
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
            texts = [text for queries in batch for text in queries.texts]
            known = self._recent.of(texts, lambda new: self._read(new, self._query_prefix))
        except BaseException:
            with self._gate:
                self._waiting = [queries for queries in batch if queries is not own] + self._waiting
            raise
        for queries in batch:
            queries.read = [known[text] for text in queries.texts]

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors of passages, one row each, in the order given; longest first inside, for even batches."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        # bytes, not characters, tell how many tokens a text has in Chinese and English alike
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i].encode("utf-8", "replace")))
        for start in range(0, len(order), self._reader.batch):
            rows = order[start : start + self._reader.batch]
            with self._turns.patient():
                vectors[rows] = self._reader.encode(self._cut([texts[row] for row in rows]), self._passage_prefix)
            if progress:
                progress(start + len(rows), len(order))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model sees it, without prefix and without begin and end marks."""
        if not texts:
            return []
        with self._turns.urgent():
            return self._reader.count([_well_formed(text) for text in texts])

    def encode_tokens(self, texts: Sequence[str], query: bool = False, patient: bool = False) -> list[Vectors]:
        """One unit vector a token of each text's beginning, [tokens, dimension], without prefix and end marks.

        patient: whether everything else goes before.
        """
        if query:
            return [rows[1:] for rows in self._queries(texts)]
        with self._turns.patient() if patient else self._turns.urgent():
            return [rows[1:] for rows in self._read(list(texts), self._passage_prefix, _LONGEST_READ)]

    def _read(self, texts: list[str], prefix: str, longest: int | None = None) -> list[Vectors]:
        """Of each text the vector of the whole, then those of its first tokens: [1 + tokens, dimension], unit rows.

        longest: tokens that the model sees of a text; all that it can when None.
        """
        if not texts:
            return []
        seen = min(longest or self.max_tokens, self.max_tokens)
        before, shown = self._before[prefix], longest or _LONGEST_ASKED
        return [
            np.concatenate([rows[:1], rows[1 + before : 1 + before + shown]])
            for rows in self._reader.read(self._cut(texts), prefix, seen)
        ]

    def _cut(self, texts: Sequence[str]) -> list[str]:
        """The texts as a tokenizer takes them, without what it would take long over and then cut off."""
        return [_well_formed(text[: self.max_tokens * _LONGEST_TOKEN]) for text in texts]

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


def _reader(folder_or_name: str, device: str, adapter: Adapter | None, graphs: Path | None) -> Reader:
    folder = graph_folder(graphs, folder_or_name, adapter) if graphs and device == "cpu" else None
    return GraphReader(folder) if folder else TorchReader(folder_or_name, device, adapter)


def prefixes(folder_or_name: str, prompts: dict[str, str]) -> tuple[str, str]:
    """What to put before queries and before passages: the model's own prompts, else E5's for an E5 model."""
    query = prompts.get("query") or ""
    passage = prompts.get("passage") or prompts.get("document") or ""
    if not query and not passage and _E5.search(folder_or_name):
        return "query: ", "passage: "
    return query, passage


def _well_formed(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
