"""The overview over HTTP, and its tables as CSV."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from starlette.testclient import TestClient

from bot.bot import Bot
from bot.types import Answer, Citation, Message
from knowledge_base.types import Faq
from web.api.csv_text import csv_text
from web.api.overview import TableName

SignIn = Callable[..., TestClient]


@pytest.fixture
def asked(bot: Bot) -> None:
    """One question, answered from an FAQ whose question looks like a formula."""
    bot.knowledge.put_faqs([Faq("f1", '=HYPERLINK("http://x")', "…", "en")])  # type: ignore[attr-defined]
    id, now = bot.log.open().id, datetime.now(UTC)
    cited = (Citation(1, "faq", "f1", 1, "t", (), "q", 1, now),)
    bot.log.ask(id, Message("q0", "customer", "?", now))
    bot.log.answer(id, Answer("a0", "faq", "…", "en", citations=cited, latency_ms={"first_token": 9, "total": 20}))


@pytest.mark.usefixtures("asked")
def test_numbers_come_with_what_they_are_of(sign_in: SignIn) -> None:
    agent = sign_in("agent")
    today = f"{date.today()}"
    found = agent.get("/api/overview", params={"since": today, "until": today}).json()
    assert found["days"] == {today: {"open": 1}} and (found["answered"], found["questions"]) == (1, 1)
    assert found["whole"] == {"count": 1, "median": 20.0, "high": 20.0}
    assert found["top"][0]["id"] == "f1" and (found["unused_count"], found["published"]) == (0, 1)
    assert agent.get("/api/overview", params={"language": "zh"}).json()["questions"] == 0
    assert agent.get("/api/overview", params={"until": "2001-01-01"}).json()["unused"] == [
        {"id": "f1", "question": '=HYPERLINK("http://x")'}
    ]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("table", get_args(TableName))
def test_every_table_is_a_csv_file(sign_in: SignIn, table: str) -> None:
    response = sign_in("agent").get(f"/api/overview/{table}.csv", params={"until": f"{date.today()}"})
    assert response.headers["content-type"].startswith("text/csv")
    assert f'filename="{table}_' in response.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len({len(row) for row in rows}) == 1
    assert table == "unused" or len(rows) > 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_an_unknown_table_is_refused(sign_in: SignIn) -> None:
    assert sign_in("agent").get("/api/overview/secrets.csv").status_code == 400


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    _, row = csv.reader(io.StringIO(csv_text(["a", "b"], [[cell, -1]]), newline=""))
    assert row == ["'" + cell, "-1"]
