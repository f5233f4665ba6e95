"""Turns an answer into a row of values and back. Knows the form in which answers are stored, no database.

Of each hit everything is kept but the passage's text: the knowledge base keeps that with its revisions, under
source id and version.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from bot.types import Answer, Citation
from knowledge_base.types import Hit, Passage


def to_row(answer: Answer) -> dict[str, Any]:
    """The columns of the answer table for an answer; its id and text are the message's."""
    row = {
        "kind": answer.kind,
        "language": answer.language,
        "confidence": answer.confidence,
        "query": answer.query,
        "reason": answer.reason,
        "release": answer.release,
        "stopped": answer.stopped,
    }
    hits = [asdict(replace(hit, passage=replace(hit.passage, text=""))) for hit in answer.hits]
    for hit in hits:
        hit["passage"] = _dated(hit["passage"])
    return row | {
        "hits": hits,
        "citations": [_dated(asdict(citation)) for citation in answer.citations],
        "options": list(answer.options),
        "latency_ms": dict(answer.latency_ms),
    }


def from_row(message_id: str, text: str, row: Mapping[str, Any]) -> Answer:
    """The answer of a row of the answer table and its message."""
    return Answer(
        id=message_id,
        kind=row["kind"],
        text=text,
        language=row["language"],
        confidence=row["confidence"],
        query=row["query"],
        hits=tuple(Hit(**hit | {"passage": Passage(**_read(hit["passage"]))}) for hit in row["hits"]),
        citations=tuple(Citation(**_read(citation)) for citation in row["citations"]),
        options=tuple(row["options"]),
        reason=row["reason"],
        release=row["release"],
        stopped=row["stopped"],
        latency_ms=row["latency_ms"],
    )


def _dated(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"updated": values["updated"].isoformat()}


def _read(values: dict[str, Any]) -> dict[str, Any]:
    updated = datetime.fromisoformat(values["updated"])
    return values | {"updated": updated, "headings": tuple(values["headings"])}
