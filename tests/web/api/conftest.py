"""The app over a real knowledge base and a real log in a folder of their own; people of each role."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.calibration import Calibration, Threshold
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder
from web.app import create_app
from web.desk import Desk
from web.learning import Clash, Learning
from web.settings import Settings
from web.staff.roles import Role

PASSWORD = "a long password"
SignIn = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is begun beside the server."""

    def refused(self: Learning, arguments: object, log: Path) -> None:
        raise Clash("not in this test", "round_running")

    monkeypatch.setattr(Learning, "_begin", refused)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> str:
    """Where the app's database is, of each kind in turn; SQLite's file where the app would make it."""
    return f"sqlite:///{tmp_path / 'data' / 'kefu.sqlite'}" if database_url.startswith("sqlite") else database_url


@pytest.fixture
def bot(tmp_path: Path, database: str) -> Iterator[Bot]:
    """A real bot: confidence rises with the share of matched words, 0.5 at half of them."""
    folder = tmp_path / "data"
    folder.mkdir()
    threshold = Threshold(answer=0.6, clarify=0.3)
    calibration = Calibration(
        weights={"bias": -5.0, "keyword": 10.0},
        thresholds={f"{kind}.{language}": threshold for kind in ("faq", "document") for language in ("zh", "en")},
        tie=0.0,
        near=0.3,
        support=0.5,
    )
    engine = open_database(database)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    made = Bot(open_in(folder, Retrieval(HashEncoder()), database), ConversationLog(engine), calibration)
    yield made
    made.close()


@pytest.fixture
def app(bot: Bot, tmp_path: Path, database: str) -> FastAPI:
    settings = Settings(data=tmp_path / "data", database_url=database, api_key="k" * 32, sign_ins_per_address=1000)
    return create_app(bot, settings)


@pytest.fixture
def desk(app: FastAPI) -> Desk:
    made = app.state.desk
    assert isinstance(made, Desk)
    return made


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Nobody."""
    with TestClient(app, base_url="http://kefu.test") as made:
        yield made


@pytest.fixture
def sign_in(app: FastAPI, desk: Desk) -> SignIn:
    """sign_in(role, name=role): a client of somebody of that role, whose changes carry the CSRF token."""

    def signed(role: Role, name: str = "") -> TestClient:
        name = name or role
        if desk.access.accounts.named(name) is None:
            desk.access.accounts.add(name, PASSWORD, role, "en")
        client = TestClient(app, base_url="http://kefu.test")
        response = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert response.status_code == 200, response.text
        client.headers["x-csrf-token"] = response.json()["csrf"]
        return client

    return signed
