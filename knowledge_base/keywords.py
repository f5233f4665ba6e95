"""Keyword search: BM25 over our own search words in tantivy. A cache of the store's texts, by row id.

Knows which revision of the store it reflects, so that whichever process finds it behind brings it up to date.
"""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy
from filelock import FileLock

from knowledge_base import bm25, keyword_files
from knowledge_base.types import KnowledgeBaseError
from knowledge_base.words import PROBE, words

_LOG = logging.getLogger(__name__)
_FORMAT = hashlib.sha256(f"3 {words(PROBE)}".encode()).hexdigest()[:16]  # changes when words() does
_HEAP = 32_000_000  # bytes for the writer


class KeywordsDamaged(KnowledgeBaseError):
    """Its files are not what was written; `renew` begins anew."""


class KeywordIndex:
    """Inverted index in a folder. Any number of processes may read; writers take turns by a file lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / "kefu.json"
        with _refusals_named(folder, "opened"):
            folder.mkdir(parents=True, exist_ok=True)
            self.lock = FileLock(folder.with_suffix(".lock"), timeout=60)
            with self.lock:
                self._index = self._open()
                self.reload()

    def revision(self) -> int:
        """The store's revision that the files on disk reflect; 0 when they are new."""
        state = self._read_state()
        return int(state["revision"]) if state and state.get("format") == _FORMAT else 0

    def apply(self, added: Sequence[tuple[int, str]], removed: Sequence[int], revision: int) -> None:
        """Add (id, text) rows, remove ids, and stand at `revision`. Call with `lock` held; safe to repeat."""
        with self._writing(revision) as writer:
            for row in (*removed, *(i for i, _ in added)):
                writer.delete_documents_by_term("id", row)
            for row, text in added:
                writer.add_document(tantivy.Document(id=row, words=" ".join(words(text))))

    def clear(self) -> None:
        """Forget everything; the next apply starts from revision 0. Call with `lock` held."""
        with self._writing(0) as writer:
            writer.delete_all_documents()

    def renew(self) -> None:
        """Begin anew at revision 0, in place of damaged files. Call with `lock` held."""
        with _refusals_named(self._folder, "written"):
            self._state.unlink(missing_ok=True)
            self._index = self._open()
            self.reload()

    def reload(self) -> None:
        """See what another process has committed."""
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, query: str, limit: int) -> list[tuple[int, float]]:
        """The `limit` best rows: (id, share of the query's word weight found there, 0..1), best first.

        The share is BM25 over the score of a text that is the query itself: 0.3 says that rare words of the
        query do not stand there. Words that stand nowhere in the index count as its rarest.
        Raises KeywordsDamaged.
        """
        with _damage_named(self._folder):
            return self._found(query, limit)

    def _found(self, query: str, limit: int) -> list[tuple[int, float]]:
        searcher = self._searcher
        counted = Counter(words(query))
        if not counted or not searcher.num_docs:
            return []
        parts = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(self._term(word), float(count)))
            for word, count in counted.items()
        ]
        found = searcher.search(tantivy.Query.boolean_query(parts), limit, count=False).hits
        ids = searcher.fast_field_values("id", [address for _, address in found])
        highest = sum(self._weights(counted).values())
        return [(int(i), min(1.0, score / highest)) for i, (score, _) in zip(ids, found, strict=True)]

    def weights(self, query: str) -> dict[str, float]:
        """What each of a query's words weighs: its occurrences there times its inverse document frequency."""
        with _damage_named(self._folder):
            return self._weights(Counter(words(query)))

    def ids(self) -> set[int]:
        """All row ids that it holds."""
        searcher = self._searcher
        if not searcher.num_docs:
            return set()
        found = searcher.search(tantivy.Query.all_query(), searcher.num_docs, count=False).hits
        return {int(i) for i in searcher.fast_field_values("id", [address for _, address in found])}

    @contextmanager
    def _writing(self, revision: int) -> Iterator[Any]:
        """A writer whose work is committed as that of `revision`, or not at all."""
        with _refusals_named(self._folder, "written"):
            writer = self._index.writer(_HEAP, 1)
            writer.garbage_collect_files()  # what one that was killed has left: tantivy writes over no file
            yield writer
            writer.commit()
            writer.wait_merging_threads()
            self._write_state(revision)
        self.reload()

    def _term(self, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, "words", word, "freq")

    def _weights(self, counted: Counter[str]) -> dict[str, float]:
        return {word: count * self._weight(word) for word, count in counted.items()}

    def _weight(self, word: str) -> float:
        """BM25's inverse document frequency, at least as tantivy computes it, for one occurrence."""
        return bm25.weight(self._searcher.num_docs, self._searcher.doc_freq("words", word))

    def _open(self) -> tantivy.Index:
        schema = (
            tantivy.SchemaBuilder()
            .add_integer_field("id", indexed=True, fast=True)
            .add_text_field("words", tokenizer_name="whitespace", index_option="freq")
            .build()
        )
        state = self._read_state()
        if state is not None and state.get("format") == _FORMAT:
            try:
                keyword_files.check(self._folder)  # without its list tantivy would begin an empty one
                index = tantivy.Index(schema, str(self._folder))
                index.searcher().search(tantivy.Query.term_query(schema, "words", "", "freq"), 1)  # opens every part
                index.config_reader("manual")
                return index
            except ValueError as error:
                _LOG.warning("The keyword index is damaged (%s); it is built anew from the store.", error)
        for path in self._folder.iterdir():
            if not path.is_dir():  # as lost+found, where the folder is a disk of its own
                path.unlink()
        index = tantivy.Index(schema, str(self._folder))
        index.config_reader("manual")
        self._write_state(0)
        return index

    def _read_state(self) -> dict[str, Any] | None:
        try:
            state = json.loads(self._state.read_text("utf8"))
        except (FileNotFoundError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def _write_state(self, revision: int) -> None:
        temporary = self._state.with_suffix(".new")
        temporary.write_text(json.dumps({"format": _FORMAT, "revision": revision}), "utf8")
        os.replace(temporary, self._state)


@contextmanager
def _refusals_named(folder: Path, what: str) -> Iterator[None]:
    """Raises what the disk or tantivy refuses as a KnowledgeBaseError with its remedy."""
    try:
        yield
    except (ValueError, OSError) as error:  # tantivy's errors are ValueErrors
        raise KnowledgeBaseError(
            f"The keyword index in {folder} cannot be {what} ({error}). Free some disk space and make the data folder"
            " writable; what is stored is safe and is indexed at the next start."
        ) from error


@contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Raises what tantivy says of files that have been damaged since they were opened as KeywordsDamaged."""
    try:
        yield
    except BaseException as error:  # its panics are no Exceptions
        if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
            raise KeywordsDamaged(
                f"The keyword index in {folder} is damaged. Stop Kefu, then run: kefu rebuild"
            ) from error
        raise
