"""`kefu move`: what was stored in SQLite is in PostgreSQL, row by row, and goes on from there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import Answer, Citation, Message
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq
from tests.fakes import HashEncoder
from tests.postgresql import Postgresql
from web.cli import main
from web.moving import _tables
from web.settings import Settings
from web.staff.access import open_access

NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def fill(folder: Path) -> None:
    """Something in most tables of a data folder."""
    with_hits = open_in(folder, Retrieval(HashEncoder()))
    with_hits.put_faqs([Faq("returns.zh", "怎么退货？", "七天内。", "zh", ("退货流程",)), Faq("x", "a\0b?", "c", "en")])
    with_hits.put_faqs([Faq("returns.zh", "怎么退货？", "十天内。", "zh", ("退货流程",))])
    with_hits.put([Document("terms.md", "Terms", "The kettle has a warranty of two years. " * 40, "en")])
    with_hits.close()
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    log = ConversationLog(engine)
    for number in range(600):  # more than are copied at once
        log.ask(f"c{number % 50}", Message(f"m{number}", "customer", "怎么退货？😀", NOW))
    cited = Citation(1, "faq", "returns.zh", 1, "怎么退货？", (), "十天内。", 2, NOW)
    log.answer("c1", Answer("a1", "faq", "十天内。", "zh", 0.9, citations=(cited,), latency_ms={"search": 1.5}))
    log.feedback("c1", "a1", True)
    log.handoffs.begin("c2", "asked", "zh")
    log.handoffs.claim("c2", "s1", "An")
    log.close()
    access = open_access(Settings(data=folder))
    access.accounts.add("An", "a long password", "admin")
    access.audit.note("An", "faq.publish", "returns.zh", None, {"a": 1})
    access.engine.dispose()


def rows(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table; NUL, which PostgreSQL cannot hold, as the character that stands for it there."""

    def shown(row: tuple[object, ...]) -> str:
        return str([value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row])

    with engine.connect() as connection:
        return {t.name: sorted(shown(tuple(row)) for row in connection.execute(select(t))) for t in _tables()}


def test_everything_is_moved_once_and_goes_on(
    postgresql: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    run = CliRunner().invoke
    monkeypatch.delenv("KEFU_DATABASE_URL", raising=False)
    refused = run(main, ["move", "--data", str(tmp_path)])
    assert refused.exit_code and "set KEFU_DATABASE_URL" in refused.stderr
    with postgresql.nothing() as url:
        monkeypatch.setenv("KEFU_DATABASE_URL", url)
        moved = run(main, ["move", "--data", str(tmp_path)])
        assert moved.exit_code == 0, moved.stderr
        old, new = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}"), open_database(url)
        before, after = rows(old), rows(new)
        assert sum(map(bool, before.values())) >= 13 and len(before["message"]) == 601
        assert after == before
        again = run(main, ["move", "--data", str(tmp_path)])
        assert again.exit_code and "not empty" in again.stderr and rows(new) == after
        knowledge = open_in(tmp_path, Retrieval(HashEncoder()), url)
        knowledge.put_faqs([Faq("tea.en", "Do you sell tea?", "Yes.", "en")])  # numbers go on
        assert knowledge.search("Do you sell tea?", "en")[0].passage.text == "Yes."
        assert knowledge.search("怎么退货？", "zh")[0].passage.text == "十天内。"
        assert all(finding.ok for finding in knowledge.check())
        knowledge.close()
        log = ConversationLog(new)
        log.ask("c1", Message("later", "customer", "still there?", NOW))
        loaded = log.load("c1")
        assert loaded is not None and loaded.messages[-1].text == "still there?"
        log.close()
        old.dispose()


def test_without_anything_stored_there_is_nothing_to_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_DATABASE_URL", "postgresql://nobody@nowhere/kefu")
    refused = CliRunner().invoke(main, ["move", "--data", str(tmp_path)])
    assert refused.exit_code and "nothing is stored" in refused.stderr
