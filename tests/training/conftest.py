"""A small golden set of its own writing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import HashEncoder

FAQS = [
    {"id": "f1", "question": "怎么申请退货？", "answer": "在订单页申请。", "language": "zh", "similar": ["我要退货"]},
    {"id": "f2", "question": "How long does delivery take?", "answer": "Three days.", "language": "en", "similar": []},
]
PASSAGES = [
    {"id": "p1", "title": "水壶", "text": "水壶的容量是 1.7 升。水壶保修两年。", "language": "zh"},
    {"id": "p2", "title": "Lamp", "text": "The lamp weighs 900 grams. It has three levels.", "language": "en"},
]
QUESTIONS = [
    {"id": "q1", "question": "我要退货", "language": "zh", "relevant": ["f1"], "answers": [], "answerable": True},
    {
        "id": "q2",
        "question": "How much does the lamp weigh?",
        "language": "en",
        "relevant": ["p2"],
        "answers": ["900 grams"],
        "answerable": True,
    },
    {"id": "q3", "question": "火星上有水吗", "language": "zh", "relevant": [], "answers": [], "answerable": False},
]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The golden set as files, for a test to damage."""
    folder = tmp_path / "shop"
    folder.mkdir()
    write_rows(folder / "faq.jsonl", FAQS)
    write_rows(folder / "passages.jsonl", PASSAGES)
    write_rows(folder / "questions.jsonl", QUESTIONS)
    return folder


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()
