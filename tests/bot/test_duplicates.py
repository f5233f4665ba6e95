"""Clashes of a draft with what is stored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.calibration import Calibration
from bot.duplicates import warnings
from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq
from tests.fakes import HashEncoder

STORED = Faq("hours.en", "When are you open?", "Daily.", "en", ("opening hours",), ("When do you open the new shop?",))
DRAFT = Faq("new.en", "Is parking free?", "Yes.", "en", status="draft")


@pytest.fixture
def knowledge(tmp_path: Path, database_url: str) -> Iterator[KnowledgeBase]:
    opened = open_in(tmp_path, Retrieval(HashEncoder()), database_url)
    opened.put_faqs([STORED, replace(DRAFT, id="other.en", question="Where do I park?")])
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("changes", "clashes"),
    [
        ({}, []),
        ({"question": "when are YOU open"}, [("same", "hours.en")]),
        ({"similar": ("Opening hours?",)}, [("same", "hours.en")]),
        ({"similar": ("when do you open the new shop",)}, [("refused", "hours.en")]),
        ({"never": ("is parking free",)}, [("own", "new.en")]),
        ({"question": "Where do I park?"}, [("same", "other.en")]),
        ({"question": "are you open when"}, [("near", "hours.en")]),
        ({"id": "hours.zh", "question": "When are you open?"}, []),
        ({"question": "?"}, []),
    ],
)
def test_clashes(
    knowledge: KnowledgeBase, calibration: Calibration, changes: dict[str, object], clashes: list[tuple[str, str]]
) -> None:
    found = warnings(knowledge, calibration, replace(DRAFT, **changes))
    assert [(one.clash, one.faq_id) for one in found] == clashes
