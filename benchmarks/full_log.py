"""Fills a data folder with many FAQs and logged messages, in bulk. Knows the tables, measures nothing."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, insert

from bot import tables
from bot.log import MIGRATIONS, VERSION_TABLE
from knowledge_base import tables as knowledge_tables
from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE_MIGRATIONS
from knowledge_base.database import migrate, open_database
from knowledge_base.entries import faq_entries
from knowledge_base.records import entry_values, source_hash, stored
from knowledge_base.types import Faq
from tests.fakes import HashEncoder

_KINDS = ("faq", "faq", "faq", "faq", "grounded", "grounded", "clarify", "abstain", "abstain", "handoff")
_RELEASES = ("2026.1", "2026.2")
_TURNS = 2  # questions in a conversation, each with its answer
_DAYS = 60
_HITS = 10


def fill(folder: Path, faqs: int, messages: int) -> Engine:
    """A database in `folder` with so many FAQs, and messages over the last 60 days; the same on every call."""
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, KNOWLEDGE_MIGRATIONS, "knowledge_base_version")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    random_ = random.Random(4)
    _write_faqs(engine, faqs)
    _write_log(engine, messages // (2 * _TURNS), faqs, random_)
    return engine


def _faq(number: int) -> Faq:
    if number % 2:
        question, answer = f"型号 {number} 的保修期是多久？", f"型号 {number} 保修 {number % 36 + 1} 个月。"
        return Faq(f"f{number:05}", question, answer, "zh", (f"{number} 保修多长时间",), category=f"类别 {number % 20}")
    question, answer = f"How long is model {number} under warranty?", f"Model {number}: {number % 36 + 1} months."
    return Faq(f"f{number:05}", question, answer, "en", (f"warranty of {number}",), category=f"category {number % 20}")


def _write_faqs(engine: Engine, count: int) -> None:
    encoder = HashEncoder()
    sources: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    vectors: dict[str, bytes] = {}
    for faq in map(_faq, range(count)):
        values = {"content_hash": source_hash(faq), "version": 1, "updated": knowledge_tables.now()}
        sources.append(stored(faq) | values)
        for ordinal, entry in enumerate(faq_entries(faq)):
            place = {"kind": "faq", "source_id": faq.id, "ordinal": ordinal}
            entries.append(entry_values(entry) | place)
            vectors[entry.hash] = encoder.encode_passages([entry.search_text])[0].astype("<f4").tobytes()
    kept = [{"content_hash": h, "encoder": encoder.fingerprint, "data": data} for h, data in vectors.items()]
    changes = [{"entry_id": number, "added": True} for number in range(1, len(entries) + 1)]
    _insert(engine, knowledge_tables.faq, sources)
    _insert(engine, knowledge_tables.entry, entries)
    _insert(engine, knowledge_tables.vector, kept)
    _insert(engine, knowledge_tables.change, changes)


def _write_log(engine: Engine, conversations: int, faqs: int, random_: random.Random) -> None:
    rows: dict[Table, list[dict[str, Any]]] = {
        table: []
        for table in (
            tables.conversation,
            tables.message,
            tables.answer,
            tables.answer_source,
            tables.feedback,
            tables.handoff,
        )
    }
    now, number = datetime.now(UTC), 0
    for index in range(conversations):
        opened = now - timedelta(days=_DAYS) * (1 - index / conversations)
        id = f"c{index:031x}"
        solved = random_.choice((None, None, None, None, True, False))
        rows[tables.conversation].append({"id": id, "opened": opened, "solved": solved})
        for turn in range(_TURNS):
            at = opened + timedelta(minutes=turn)
            number += 2
            faq = _faq(random_.randrange(faqs))
            said = {"conversation_id": id, "author": None}
            question = {"number": number - 1, "id": f"q{number}", "role": "customer", "text": faq.question, "at": at}
            rows[tables.message] += [
                said | question,
                said | {"number": number, "id": f"a{number}", "role": "bot", "text": faq.answer, "at": at},
            ]
            _answered(rows, number, faq, at, random_)
            if rows[tables.answer][-1]["kind"] == "handoff":
                claimed = at + timedelta(seconds=random_.randrange(10, 600))
                rows[tables.handoff].append(_handoff(id, faq, at, claimed))
    for table, values in rows.items():
        _insert(engine, table, values)


def _answered(
    rows: dict[Table, list[dict[str, Any]]], number: int, faq: Faq, at: datetime, random_: random.Random
) -> None:
    kind = random_.choice(_KINDS)
    passage = {"id": 1, "kind": "faq", "source_id": faq.id, "title": faq.question, "headings": [], "text": ""}
    passage |= {"language": faq.language, "version": 1, "updated": at.isoformat(), "phrasing": faq.question}
    hit = {"passage": passage, "score": 0.8, "dense": 0.7, "keyword": 0.6, "exact": False, "rerank": 0.5}
    answered = kind in ("faq", "grounded")
    rows[tables.answer].append(
        {
            "message_number": number,
            "kind": kind,
            "language": faq.language,
            "confidence": random_.random(),
            "query": faq.question,
            "hits": [hit] * _HITS,
            "citations": [{"number": 1, "kind": "faq", "source_id": faq.id, "title": faq.question}] * answered,
            "options": [],
            "reason": "above threshold 0.51",
            "release": random_.choice(_RELEASES),
            "stopped": False,
            "latency_ms": {"search": 20.0, "first_token": random_.uniform(20, 200), "total": random_.uniform(40, 900)},
        }
    )
    if answered:
        rows[tables.answer_source].append({"message_number": number, "kind": "faq", "source_id": faq.id})
    if random_.random() < 0.1:
        helpful = random_.random() < 0.7
        judged = {"message_number": number, "helpful": helpful, "reason": "" if helpful else "wrong"}
        rows[tables.feedback].append(judged | {"comment": "", "at": at})


def _handoff(id: str, faq: Faq, asked: datetime, claimed: datetime) -> dict[str, Any]:
    handed = {"conversation_id": id, "reason": "asked", "language": faq.language, "asked": asked, "claimed": claimed}
    return handed | {"staff_id": "0" * 32, "staff_name": "An", "ended": claimed, "outcome": "solved"}


def _insert(engine: Engine, table: Table, values: list[dict[str, Any]]) -> None:
    if values:
        with engine.begin() as connection:
            connection.execute(insert(table), values)
