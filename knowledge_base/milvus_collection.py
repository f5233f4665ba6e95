"""One collection of Milvus: rows of id, vector and weighed words, and the revision they are of. Knows no store.

Whatever Milvus refuses is raised as a KnowledgeBaseError that names the remedy, after seconds and never later.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from knowledge_base.batches import batches
from knowledge_base.types import KnowledgeBaseError, Vectors

PREFIX = "kefu_"
_STATE = 0  # the row that says which revision the others are of; the store's rows begin with 1
_NOTHING = {0: 1.0}  # the words of a row without any: no query asks for number 0
_READ, _WRITE = 5, 60  # seconds
_UNSORTED = 64  # rows that a file may hold unsorted, which it searches slowly; a server sorts by itself
_GONE = (100, 101)  # Milvus' codes for a collection that is not there, or not loaded
_STRONG = "Strong"  # as all have left it; elsewhere it is enough to see what this process wrote


class CollectionLost(KnowledgeBaseError):
    """The collection is not there, or not in Milvus' memory; `ensure` makes or loads it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row; `words` weighs them by number."""

    id: int
    vector: Vectors
    length: int
    words: dict[int, float]


class MilvusCollection:
    """The collection of this name. All methods may be called from any thread; writers take turns."""

    def __init__(self, uri: str, token: str, name: str, dimension: int) -> None:
        self.name = PREFIX + name
        self._uri = uri
        self._dimension = dimension
        self._unsorted = 0  # rows put since the last flush
        self._pymilvus = _import()
        if self._is_file:
            _prepare(Path(uri))
        with self._refusals_named():
            self._client: Any = self._pymilvus.MilvusClient(uri, token=token, timeout=_READ, dedicated=True)
        try:
            self.ensure()
        except BaseException:
            self.close()
            raise

    def ensure(self) -> None:
        """Make it where it is not there, and load it into Milvus' memory."""
        with self._refusals_named():
            if not self._is_there():
                self._create()
            if not self._client.list_indexes(self.name, timeout=_READ):
                self._client.create_index(self.name, self._indexes(), timeout=_WRITE, sync=False)
            self._client.load_collection(self.name, timeout=_WRITE)

    def close(self) -> None:
        self._client.close()

    # --- changing

    def put(self, records: Sequence[Record]) -> None:
        """Add rows; those that are there are replaced."""
        with self._refusals_named():
            for some in batches(records):
                self._client.upsert(self.name, [_row(record) for record in some], timeout=_WRITE)
            self._unsorted += len(records)
            if self._is_file and self._unsorted > _UNSORTED:
                self._client.flush(self.name, timeout=_WRITE)
                self._unsorted = 0

    def stand(self, revision: int) -> None:
        """Note the revision that the rows are of."""
        state = Record(_STATE, np.zeros(self._dimension, np.float32), 0, {})
        with self._refusals_named():
            self._client.upsert(self.name, [_row(state) | {"revision": revision}], timeout=_WRITE)

    def forget(self, ids: Iterable[int]) -> None:
        """Remove rows, from the collections of other encoders too; unknown ids are ignored."""
        gone = list(ids)
        with self._refusals_named():
            for name in [*self._others(), self.name] if gone else ():
                for some in batches(gone):
                    self._client.delete(name, ids=some, timeout=_WRITE)

    def drop_others(self) -> None:
        """Drop the collections of other encoders: where one is of use after all, it is made anew from the store."""
        with self._refusals_named():
            for name in self._others():
                self._client.drop_collection(name, timeout=_WRITE)

    # --- reading

    def revision(self) -> int:
        """Where the rows stand, as all writers have left it; 0 when it is new."""
        rows = self._query(ids=[_STATE], output_fields=["revision"])
        return int(rows[0]["revision"]) if rows else 0

    def count(self) -> int:
        """How many rows it holds."""
        return int(self._query(filter=f"id > {_STATE}", output_fields=["count(*)"])[0]["count(*)"])

    def ids(self, with_words: bool = False) -> set[int]:
        """The ids of its rows, or of those that have words."""
        found: set[int] = set()
        with self._refusals_named():
            pages = self._client.query_iterator(
                self.name,
                filter="length > 0" if with_words else f"id > {_STATE}",
                output_fields=["id"],
                batch_size=10_000,
                timeout=_WRITE,
                consistency_level=_STRONG,
            )
            while page := pages.next():
                found.update(row["id"] for row in page)
            pages.close()
        return found

    def words(self, ids: Iterable[int]) -> Iterator[tuple[int, int, dict[int, float]]]:
        """Of those rows that have words: id, how many words, and what each weighs."""
        for some in batches(ids):
            for row in self._query(ids=some, output_fields=["length", "words"]):
                if row["length"]:
                    yield row["id"], row["length"], row["words"]

    def near(self, vector: Vectors, limit: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """The rows with the highest inner products, best first; among: no others than these."""
        chosen = "" if among is None else f"id in {list(among)}"
        return self._search("vector", vector, limit, chosen)

    def by_words(self, weights: dict[int, float], limit: int) -> list[int]:
        """The rows whose weighed words have the highest inner products with the query's, best first."""
        return [id for id, _ in self._search("words", weights, limit)]

    # --- inside

    @property
    def _is_file(self) -> bool:
        return self._uri.endswith(".db")

    def _search(self, field: str, query: Any, limit: int, chosen: str = "") -> list[tuple[int, float]]:
        with self._refusals_named():
            (found,) = self._client.search(
                self.name,
                data=[query],
                anns_field=field,
                filter=chosen,
                limit=limit + 1,  # the row of the state may be among them
                output_fields=["id"],
                timeout=_READ,
            )
            return [(hit["id"], hit["distance"]) for hit in found if hit["id"] != _STATE][:limit]

    def _query(self, **asked: Any) -> list[dict[str, Any]]:
        with self._refusals_named():
            return list(self._client.query(self.name, timeout=_WRITE, consistency_level=_STRONG, **asked))

    def _others(self) -> list[str]:
        names = self._client.list_collections(timeout=_READ)
        return [name for name in names if name.startswith(PREFIX) and name != self.name]

    def _is_there(self) -> bool:
        return bool(self._client.has_collection(self.name, timeout=_READ))

    def _create(self) -> None:
        kinds = self._pymilvus.DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", kinds.INT64, is_primary=True)
        schema.add_field("revision", kinds.INT64)
        schema.add_field("length", kinds.INT64)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=self._dimension)
        schema.add_field("words", kinds.SPARSE_FLOAT_VECTOR)
        try:
            self._client.create_collection(self.name, schema=schema, consistency_level="Session", timeout=_WRITE)
        except self._pymilvus.MilvusException:
            if not self._is_there():  # else another process was faster
                raise

    def _indexes(self) -> Any:
        indexes = self._client.prepare_index_params()
        indexes.add_index("vector", index_type="FLAT", metric_type="IP")
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        return indexes

    @contextmanager
    def _refusals_named(self) -> Iterator[None]:
        import grpc

        try:
            yield
        except (self._pymilvus.MilvusException, grpc.RpcError) as error:
            if getattr(error, "code", None) in _GONE:
                raise CollectionLost(f"Milvus has lost the collection {self.name}. Run: kefu rebuild") from error
            raise KnowledgeBaseError(self._remedy(error)) from error

    def _remedy(self, error: Exception) -> str:
        said = " ".join(str(getattr(error, "message", error)).split())[:300]
        if self._is_file:
            return (
                f"Milvus' file {self._uri} cannot be used ({said}). One process at a time may: stop the other, or run"
                " a Milvus server and name it in KEFU_MILVUS. What is stored is safe."
            )
        address = urlsplit(self._uri).netloc.rpartition("@")[2] or "the address in KEFU_MILVUS"
        return (
            f"Milvus at {address} does not serve ({said}). Start it, and check"
            " KEFU_MILVUS and KEFU_MILVUS_TOKEN; without them this machine searches by itself. What is stored is safe."
        )


def _import() -> Any:
    try:
        import pymilvus
    except ImportError as error:
        raise KnowledgeBaseError(
            "KEFU_MILVUS is set, but pymilvus is not installed. Run: pip install kefu[milvus]"
        ) from error
    for name in ("pymilvus", "pymilvus.milvus_client"):  # what it would say of an error is raised
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return pymilvus


def _prepare(file: Path) -> None:
    """Make its folder; see that what opens it is there."""
    try:
        import milvus_lite  # noqa: F401

        file.parent.mkdir(parents=True, exist_ok=True)
    except ImportError as error:
        raise KnowledgeBaseError(f"{file} is opened by milvus-lite. Run: pip install milvus-lite") from error
    except OSError as error:
        raise KnowledgeBaseError(f"{file.parent} cannot be made ({error.strerror}). Mend KEFU_MILVUS.") from error


def _row(record: Record) -> dict[str, Any]:
    words = record.words or _NOTHING
    return {"id": record.id, "revision": 0, "length": record.length, "vector": record.vector, "words": words}
