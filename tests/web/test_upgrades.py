"""A data folder of each earlier migration opens with today's code: nothing is lost, and questions are answered."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, func, insert, select
from starlette.testclient import TestClient

from bot.log import MIGRATIONS as BOT
from bot.log import VERSION_TABLE as BOT_VERSION
from bot.log import ConversationLog
from bot.types import Answer, Citation, Message
from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE_BASE
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database, writing
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq
from tests.fakes import HashEncoder
from tests.web.console.server import PASSWORD, open_bot
from web.app import create_app
from web.moving import _count_on, _tables
from web.settings import Settings
from web.staff.access import MIGRATIONS as WEB
from web.staff.access import VERSION_TABLE as WEB_VERSION
from web.staff.access import open_access

HISTORIES = {
    "knowledge_base": (KNOWLEDGE_BASE, "knowledge_base_version"),
    "bot": (BOT, BOT_VERSION),
    "web": (WEB, WEB_VERSION),
}
NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
RETURN = Faq("returns.zh", "怎么退货？", "十天内。", "zh", ("退货流程",))
TERMS = Document("terms.md", "Terms", "# Terms\n\nThe kettle has a warranty of two years.", "en")
Revisions = dict[str, str]
Rows = dict[str, list[dict[str, Any]]]


@cache
def script(package: str) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(HISTORIES[package][0]))
    return ScriptDirectory.from_config(config)


def revisions(package: str) -> list[str]:
    """Of one package, oldest first."""
    return [one.revision for one in script(package).walk_revisions()][::-1]


@pytest.mark.parametrize("package", HISTORIES)
def test_a_migration_s_file_begins_with_its_revision_as_migrate_takes_for_granted(package: str) -> None:
    files = sorted((HISTORIES[package][0] / "versions").glob("[0-9]*.py"))
    assert [file.name.split("_")[0] for file in files] == revisions(package)


def states() -> Iterator[Revisions]:
    """Each revision of each package, the others at their oldest; staff have had no tables at all at first."""
    oldest = {"knowledge_base": revisions("knowledge_base")[0], "bot": revisions("bot")[0]}
    yield oldest
    for package in HISTORIES:
        for revision in revisions(package):
            if oldest.get(package) != revision:
                yield oldest | {package: revision}
    yield {package: revisions(package)[-1] for package in HISTORIES}


def named(state: Revisions) -> str:
    return "-".join(state.get(package, "none") for package in HISTORIES)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Rows in every table that a company fills, by table."""
    folder = tmp_path_factory.mktemp("content")
    knowledge = open_in(folder, Retrieval(HashEncoder()))
    knowledge.put_faqs([replace(RETURN, answer="七天内。")])
    knowledge.put_faqs([RETURN])
    knowledge.put([TERMS])
    knowledge.close()
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, BOT, BOT_VERSION)
    log = ConversationLog(engine)
    log.ask("c1", Message("m1", "customer", "怎么退货？", NOW))
    cited = Citation(1, "faq", RETURN.id, 1, RETURN.question, (), RETURN.answer, 2, NOW)
    log.answer("c1", Answer("a1", "faq", RETURN.answer, "zh", 0.9, citations=(cited,), latency_ms={"search": 1.5}))
    log.feedback("c1", "a1", True)
    log.contact("c1", "13800000000", "回电")
    log.handoffs.begin("c1", "asked", "zh")
    log.handoffs.claim("c1", "s1", "An")
    log.handoffs.end("c1", "solved")
    log.handoffs.note("c1", "An", "老客户")
    access = open_access(Settings(data=folder))
    access.accounts.add("An", PASSWORD, "admin", "en")
    access.audit.note("An", "faq.publish", RETURN.id, None, {"a": 1})
    access.kept.put("desk.sensitive", ["发票"])
    with engine.connect() as connection:
        rows = {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in _tables()}
    access.engine.dispose()
    log.close()
    return rows


def upgrade(engine: Engine, package: str, revision: str) -> None:
    folder, version_table = HISTORIES[package]
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes.update(engine=engine, version_table=version_table)
    command.upgrade(config, revision)


def fill(engine: Engine, content: Rows) -> dict[str, list[dict[str, Any]]]:
    """Put in what this state of the tables can hold; returns it by table."""
    there = MetaData()
    there.reflect(engine)
    kept: dict[str, list[dict[str, Any]]] = {}
    with writing(engine) as connection:
        for table in _tables():
            if table.name in there.tables and content[table.name]:
                names = there.tables[table.name].columns.keys()
                rows = [{name: row[name] for name in names} for row in content[table.name]]
                connection.execute(insert(table), rows)
                _count_on(connection, table)
                kept[table.name] = rows
    return kept


@pytest.mark.parametrize("state", list(states()), ids=named)
def test_a_database_of_any_revision_opens_and_serves(
    state: Revisions, content: Rows, empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_DATABASE_URL", empty_database_url)
    engine = open_database(empty_database_url)
    for package, revision in state.items():
        upgrade(engine, package, revision)
    kept = fill(engine, content)
    assert kept.keys() >= {"faq", "document", "entry", "vector", "change", "message", "answer", "feedback", "contact"}
    bot = open_bot(tmp_path)
    settings = Settings(data=tmp_path, api_key="k" * 32)
    with TestClient(create_app(bot, settings), base_url="http://kefu.test") as client:
        signed = client.post("/api/session", json={"name": "An", "password": PASSWORD})
        assert signed.status_code == (200 if "web" in state else 401)
        assert_kept(engine, kept, changed=("staff",))
        assert said(client) == RETURN.answer
    assert all(finding.ok for finding in bot.knowledge.check())  # type: ignore[attr-defined]
    loaded = bot.log.load("c1")
    assert loaded is not None and [one.text for one in loaded.messages] == ["怎么退货？", RETURN.answer]
    assert loaded.messages[1].answer is not None and loaded.messages[1].answer.citations[0].source_id == RETURN.id
    with engine.connect() as connection:
        table = next(table for table in _tables() if table.name == "answer_source")
        (cited,) = connection.execute(select(table.c.source_id).where(table.c.message_number == 2)).scalars()
        assert cited == RETURN.id  # also where an older state had it among the citations only
    bot.close()
    engine.dispose()


def assert_kept(engine: Engine, kept: Rows, changed: tuple[str, ...]) -> None:
    """Every row is there as it was; of `changed` tables, which signing in touches, as many as there were."""
    with engine.connect() as connection:
        for table in _tables():
            wanted = kept.get(table.name, [])
            if table.name in changed:
                assert connection.execute(select(func.count()).select_from(table)).scalar() == len(wanted)
                continue
            found = [dict(row) for row in connection.execute(select(table)).mappings()]
            assert all(any(row.items() <= one.items() for one in found) for row in wanted), table.name


def said(client: TestClient) -> str:
    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        socket.send_json({"type": "message", "text": "退货流程"})
        while (frame := socket.receive_json())["type"] not in ("answer", "error"):
            pass
    return str(frame.get("text"))
