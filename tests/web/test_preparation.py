"""What the first answers would have to read is read while nobody asks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest

from bot.bot import Bot
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from web.app import create_app
from web.desk import Closed, Desk
from web.preparation import Preparation
from web.settings import Settings


class Counting(LateInteractionReranker):
    """A reranker that tells what it has read beforehand."""

    def __init__(self) -> None:
        super().__init__(HashEncoder())

    @property
    def read(self) -> set[str]:
        return {text.split("\n")[0] for text in self._recent._made}


@pytest.fixture
def reader(real: Bot) -> Counting:
    made = Counting()
    searching = cast(KnowledgeBase, real.knowledge).searching
    searching.retrieval = replace(searching.retrieval, reranker=made)
    return made


@pytest.fixture
def desk(real: Bot, settings: Callable[..., Settings]) -> Desk:
    made: Desk = create_app(real, settings()).state.desk
    return made


async def test_published_faqs_are_read_and_those_that_follow_too(desk: Desk, real: Bot, reader: Counting) -> None:
    knowledge = cast(KnowledgeBase, real.knowledge)
    knowledge.put_faqs([Faq("hours", "When do you open?", "At nine.", "en")])
    preparation = Preparation(desk)
    await preparation.once()
    assert reader.read == {"When do you open?"}
    knowledge.put_faqs([Faq("new", "Do you sell gift cards?", "Yes.", "en", ("gift vouchers",))])
    await preparation.once()
    assert reader.read == {"When do you open?", "Do you sell gift cards?"}, "an FAQ is one text, however it is asked"


async def test_what_has_not_changed_is_not_looked_at_again(
    desk: Desk, real: Bot, reader: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    preparation = Preparation(desk)
    await preparation.once()
    monkeypatch.setattr(KnowledgeBase, "prepare", None)
    await preparation.once()


async def test_another_bot_that_takes_over_ends_it(
    desk: Desk, real: Bot, reader: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(self: KnowledgeBase) -> Iterator[None]:
        desk._bot = None
        yield

    monkeypatch.setattr(KnowledgeBase, "prepare", prepare)
    preparation = Preparation(desk)
    with pytest.raises(Closed):
        await preparation.once()
