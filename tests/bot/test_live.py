"""How the conversations of a release are counted, and which release is watched."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from bot import tables
from bot.corrections import correct
from bot.live import Watched, compared, counted, watched
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.releases import Releases
from bot.types import Answer, Kind
from bot.watch import Share
from knowledge_base.database import migrate, open_database
from tests.bot.test_releases import make

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    migrate(made, MIGRATIONS, VERSION_TABLE)
    yield made
    made.dispose()


def say(engine: Engine, release: str, *kinds: Kind, language: str = "zh", days_ago: float = 1) -> str:
    """A conversation with these answers; its id."""
    log = ConversationLog(engine)
    id = log.open().id
    for number, kind in enumerate(kinds):
        log.answer(id, Answer(f"{number}", kind, "…", language, release=release))  # type: ignore[arg-type]
    with engine.begin() as connection:
        mine = update(tables.message).where(tables.message.c.conversation_id == id)
        connection.execute(mine.values(at=NOW - timedelta(days=days_ago)))
    return id


def test_conversations_are_counted_not_answers(engine: Engine) -> None:
    log = ConversationLog(engine)
    say(engine, "a", "abstain", "abstain", "handoff")
    liked = say(engine, "a", "faq", "faq")
    log.feedback(liked, "0", helpful=True)
    disliked = say(engine, "a", "grounded", "abstain", "smalltalk")
    log.feedback(disliked, "0", helpful=True)
    log.feedback(disliked, "1", helpful=False)
    for number in ("0", "1"):
        correct(engine, disliked, number, "better", "An")
    say(engine, "a", "smalltalk")
    say(engine, "a", "faq", language="en")
    say(engine, "b", "abstain")
    say(engine, "a", "abstain", days_ago=9)
    found = counted(engine, "a", NOW - timedelta(days=7))
    assert {figure: found[figure, "zh"] for figure in ("abstained", "disliked", "corrected")} == {
        "abstained": Share(2, 3), "disliked": Share(1, 2), "corrected": Share(1, 2),
    }  # fmt: skip
    assert found["abstained", "en"] == Share(0, 1) and found["disliked", "en"] == Share(0, 0)
    assert counted(engine, "a", NOW - timedelta(days=30), NOW - timedelta(days=7))["abstained", "zh"] == Share(1, 1)


def test_a_trial_is_watched_then_what_was_promoted_lately(engine: Engine, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path / "releases", name)
    releases = Releases(tmp_path / "releases")
    now = datetime.now(UTC)
    assert watched(releases, 14, now) is None
    trial = releases.begin_trial("a", 0.2)
    assert watched(releases, 0, now) == Watched("a", "default", trial.since, trial.since, None)
    releases.promote("a")
    at = releases.story()[-1].at
    span = timedelta(days=14)
    assert watched(releases, 14, now) == Watched("a", "default", at, at - span, at)
    assert watched(releases, 14, at + span) is None
    say(engine, "default", "abstain", days_ago=(NOW - at).days + 1)
    before, after = compared(engine, Watched("a", "default", at, at - span, at))
    assert before["abstained", "zh"] == Share(1, 1) and after == {}
    releases.rollback()
    assert watched(releases, 14, now) is None, "what was brought back has been watched before"
