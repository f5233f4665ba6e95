"""What `doctor` asks of a knowledge base: does the store agree with both indexes and with the encoder?"""

from sqlalchemy import text

from knowledge_base.failures import DAMAGED
from knowledge_base.indexes import Indexes
from knowledge_base.lists import TARGET
from knowledge_base.store import Store
from knowledge_base.types import Encoder, Finding

_REBUILD = "Run: kefu rebuild"
_SAMPLE = 3  # stored vectors that are computed again
_SAME = 0.99  # cosine from which two vectors of one text agree


def check(store: Store, indexes: Indexes, encoder: Encoder) -> list[Finding]:
    """Findings on the database, the vectors and both indexes; of a damaged database nothing else. Changes nothing."""
    database = _database(store)
    if not database.ok:
        return [database]
    stored = set(store.entry_ids())
    dense, keyword = indexes.ids()
    never = {row.id for row in store.index_rows(stored) if row.role == "never"}
    return [
        database,
        _vectors(store, len(stored)),
        _encoder_agrees(store, stored, encoder),
        _compare("dense index", stored, dense),
        _recall(indexes, len(dense)),
        _compare("keyword index", stored - never, keyword),
    ]


def _database(store: Store) -> Finding:
    if store.engine.dialect.name != "sqlite":
        return Finding("database", True, store.engine.dialect.name)
    with store.engine.connect() as connection:  # not quick_check: it misses an index that lacks rows of its table
        result = " ".join(str(connection.execute(text("PRAGMA integrity_check(1)")).scalar()).split())
    if result == "ok":
        return Finding("database", True, result)
    return Finding("database", False, f"{store.engine.url.database} is damaged: {result}", DAMAGED)


def _vectors(store: Store, total: int) -> Finding:
    missing = len(store.texts_without_vector())
    if missing:
        return Finding("vectors", False, f"{missing} of {total} texts have no vector of this encoder", _REBUILD)
    return Finding("vectors", True, f"all {total} entries are encoded")


def _encoder_agrees(store: Store, stored: set[int], encoder: Encoder) -> Finding:
    """Encodes a few stored texts again: another model under the same name would show."""
    rows = [row for row in store.index_rows(sorted(stored)[:_SAMPLE]) if row.vector is not None]
    if not rows:
        return Finding("encoder", True, "nothing stored to compare with")
    again = encoder.encode_passages([row.search_text for row in rows])
    worst = min(float(vector @ row.vector) for vector, row in zip(again, rows, strict=True) if row.vector is not None)
    if worst < _SAME:
        return Finding("encoder", False, f"stored vectors differ from this encoder's (cosine {worst:.3f})", _REBUILD)
    return Finding("encoder", True, f"stored vectors are this encoder's (cosine {worst:.3f})")


def _recall(indexes: Indexes, rows: int) -> Finding:
    """Measured anew by making the index as a server does."""
    made = indexes.settle()
    if made is None:
        return Finding("dense search", True, f"exact over {rows} entries")
    detail = f"{made.probed} of {made.lists} lists are searched: recall@10 {made.recall:.3f} of exact search, measured"
    well = made.recall >= TARGET
    return Finding("dense search", well, f"{detail} on {made.questions} questions", "" if well else _REBUILD)


def _compare(name: str, stored: set[int], held: set[int]) -> Finding:
    missing, surplus = len(stored - held), len(held - stored)
    if missing or surplus:
        detail = f"{missing} entries of the store are missing from it, {surplus} of its entries are not in the store"
        return Finding(name, False, detail, _REBUILD)
    return Finding(name, True, f"equals the store ({len(held)} entries)")
