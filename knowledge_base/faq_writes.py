"""Writes and deletes many FAQs in one transaction, if they still are what the writer saw. Knows no model.

Vectors are stored before, by content, and the rows worked out: what takes long is done while nobody waits for the
database.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from knowledge_base import tables
from knowledge_base.batches import batches
from knowledge_base.database import writing
from knowledge_base.faq_list import StoredFaq, stored_faq
from knowledge_base.records import Entry, entry_key, entry_values, source_hash, stored
from knowledge_base.store import Store, VectorsGone
from knowledge_base.types import Faq

Cut = tuple[Faq, Sequence[Entry]]
"""An FAQ with its entries."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """An FAQ as it is stored: its row but for the version, and those of its entries in order."""

    id: str
    values: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]] = ()


class Conflict(Exception):
    """FAQs are no longer what the writer saw; nothing was written. `stored`: what they are now, None for none."""

    def __init__(self, stored: Mapping[str, StoredFaq | None]) -> None:
        super().__init__(f"changed by somebody else: {', '.join(list(stored)[:5])}")
        self.stored = dict(stored)


class FaqWrites:
    """Writes FAQs whose vectors the store has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, faqs: Sequence[Cut], seen: Mapping[str, int]) -> dict[str, int]:
        """Write all of them or none; returns their versions by id.

        seen: the versions that the writer saw, 0 for an FAQ that was not there; ids left out are not compared.
        Raises Conflict when one is another by now, VectorsGone when a text has no vector.
        """
        ready = [_ready(faq, entries) for faq, entries in faqs]
        hashes = {entry["content_hash"] for one in ready for entry in one.entries}
        versions: dict[str, int] = {}
        with writing(self._store.engine) as connection:
            _compare(connection, seen)
            if hashes - self._store.known(connection, hashes):
                raise VectorsGone
            for batch in batches(ready):
                versions |= self._write(connection, batch)
        return versions

    def delete(self, ids: Sequence[str], seen: Mapping[str, int]) -> list[str]:
        """Delete all of them or none; returns those that were there. Raises Conflict, see write."""
        gone: list[str] = []
        with writing(self._store.engine) as connection:
            _compare(connection, seen)
            for batch in batches(dict.fromkeys(ids)):
                rows = list(_rows(connection, batch).values())
                _note(connection, rows, "delete")
                self._write_entries(connection, [_Ready(row.id, {}) for row in rows])
                connection.execute(delete(tables.faq).where(tables.faq.c.id.in_([row.id for row in rows])))
                gone += [row.id for row in rows]
        return gone

    def _write(self, connection: Connection, faqs: Sequence[_Ready]) -> dict[str, int]:
        rows = _rows(connection, [one.id for one in faqs])
        before = _last_versions(connection, [one.id for one in faqs if one.id not in rows])
        before |= {id: row.version for id, row in rows.items()}
        changed = [one for one in faqs if one.id not in rows or rows[one.id].content_hash != one.values["content_hash"]]
        values = [{**one.values, "version": before.get(one.id, 0) + 1, "updated": tables.now()} for one in changed]
        _note(connection, [rows[one.id] for one in changed if one.id in rows], "put")
        if new := [one for one in values if one["id"] not in rows]:
            connection.execute(insert(tables.faq), new)
        if known := [{**one, "_id": one["id"]} for one in values if one["id"] in rows]:
            columns: dict[str, Any] = {name: bindparam(name) for name in values[0]}
            connection.execute(update(tables.faq).where(tables.faq.c.id == bindparam("_id")).values(columns), known)
        self._write_entries(connection, changed)
        return before | {one["id"]: one["version"] for one in values}

    def _write_entries(self, connection: Connection, wanted: Sequence[_Ready]) -> None:
        """Make these the entries of the FAQs; one whose text is unchanged keeps its row id.

        Of an FAQ whose entries all stay, one is noted as new: what others remember of it is out of date.
        """
        mine = (tables.entry.c.kind == "faq") & tables.entry.c.source_id.in_([one.id for one in wanted])
        before = connection.execute(select(tables.entry).where(mine)).all()
        left = {(row.source_id, *entry_key(row)): row for row in before}
        new: list[dict[str, Any]] = []
        moved: list[dict[str, int]] = []
        for entry in (entry for one in wanted for entry in one.entries):
            key = (entry["source_id"], entry["role"], entry["language"], entry["text"], entry["content_hash"])
            row = left.pop(key, None)
            if row is None:
                new.append(dict(entry))
            elif row.ordinal != entry["ordinal"]:
                moved.append({"_id": row.id, "_ordinal": entry["ordinal"]})
        if new:
            connection.execute(insert(tables.entry), new)
        if moved:
            to = update(tables.entry).where(tables.entry.c.id == bindparam("_id")).values(ordinal=bindparam("_ordinal"))
            connection.execute(to, moved)
        known = {row.id for row in before}
        added = set(connection.execute(select(tables.entry.c.id).where(mine)).scalars()) - known if new else set()
        gone = list(left.values())
        other = {one["source_id"] for one in new} | {row.source_id for row in gone}
        shown = {row.source_id: row.id for row in before if row.source_id not in other}
        self._drop(connection, gone, [*sorted(added), *shown.values()])

    def _drop(self, connection: Connection, gone: Sequence[Row[Any]], added: Sequence[int]) -> None:
        """Delete entries and the vectors that only they had, and note what came and went."""
        for batch in batches([row.id for row in gone]):
            connection.execute(delete(tables.entry).where(tables.entry.c.id.in_(batch)))
        self._store.forget_vectors(connection, {row.content_hash for row in gone})
        changes = [{"entry_id": id, "added": True} for id in added]
        changes += [{"entry_id": row.id, "added": False} for row in gone]
        if changes:
            connection.execute(insert(tables.change), changes)


def _ready(faq: Faq, entries: Sequence[Entry]) -> _Ready:
    place = {"kind": "faq", "source_id": faq.id}
    rows = [entry_values(entry) | place | {"ordinal": ordinal} for ordinal, entry in enumerate(entries)]
    return _Ready(faq.id, stored(faq) | {"content_hash": source_hash(faq)}, rows)


def _compare(connection: Connection, seen: Mapping[str, int]) -> None:
    other: dict[str, StoredFaq | None] = {}
    for batch in batches(seen):
        rows = _rows(connection, batch)
        for id in batch:
            row = rows.get(id)
            if (row.version if row else 0) != seen[id]:
                other[id] = stored_faq(row) if row else None
    if other:
        raise Conflict(other)


def _rows(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    found = connection.execute(select(tables.faq).where(tables.faq.c.id.in_(ids)))
    return {row.id: row for row in found}


def _last_versions(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The last versions of FAQs that were deleted."""
    columns = tables.revision.c
    last = select(columns.source_id, func.max(columns.version).label("version"))
    mine = last.where(columns.kind == "faq", columns.source_id.in_(ids)).group_by(columns.source_id)
    return {row.source_id: row.version for row in connection.execute(mine)}


def _note(connection: Connection, rows: Iterable[Row[Any]], action: str) -> None:
    """Keep what the FAQs said until now."""
    noted = [
        {
            "kind": "faq",
            "source_id": row.id,
            "version": row.version,
            "at": tables.now(),
            "action": action,
            "content": json.loads(json.dumps(stored(stored_faq(row).faq), default=str)),
        }
        for row in rows
    ]
    if noted:
        connection.execute(insert(tables.revision), noted)
