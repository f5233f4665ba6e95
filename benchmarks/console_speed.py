"""How fast the console's lists and numbers come with 10,000 FAQs and 100,000 logged messages.

Times the API calls behind the pages, signed in, in this process, and one bare count of the messages for comparison.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import structlog
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from benchmarks.full_log import fill
from benchmarks.rows import Row, at_most
from benchmarks.work import Work
from bot.bot import Bot
from bot.calibration import load
from bot.log import ConversationLog
from knowledge_base.assemble import open_in
from knowledge_base.database import open_database
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder
from web.app import create_app
from web.settings import Settings

FAQS, MESSAGES = 10_000, 100_000
BAR_MS = 1_000
_TIMES = 5
_PASSWORD = "a long password"


def calls() -> dict[str, str]:
    """What is asked for, by what it is."""
    month, today = date.today() - timedelta(days=29), date.today()
    return {
        "FAQs, first page": "/api/faqs",
        "FAQs, searched": "/api/faqs?q=77",
        "FAQs, last page": f"/api/faqs?offset={FAQS - 50}",
        "conversations, first page": "/api/conversations",
        "conversations, last page": f"/api/conversations?offset={MESSAGES // 4 - 50}",
        "conversations with a text": "/api/conversations?text=型号 77",
        "… of a kind, language and release": "/api/conversations?kind=abstain&language=zh&release=2026.1",
        "… of an outcome": "/api/conversations?outcome=abandoned",
        "… citing an FAQ": "/api/conversations?source=f00077",
        "one transcript": f"/api/conversations/c{77:031x}",
        "overview, 30 days": f"/api/overview?since={month}&until={today}",
        "overview, 30 days, one language": f"/api/overview?since={month}&until={today}&language=zh",
        "overview, all time": "/api/overview",
    }


def measure(data: Path) -> dict[str, float]:
    """Median milliseconds of each call on a filled folder."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    engine = fill(data, FAQS, MESSAGES)
    bot = Bot(open_in(data, Retrieval(HashEncoder())), ConversationLog(open_database(str(engine.url))), load())
    app = create_app(bot, Settings(data=data, api_key="k" * 32, sign_ins_per_address=1000))
    app.state.desk.access.accounts.add("An", _PASSWORD, "admin", "en")
    times = {"SELECT count(*)": _median(lambda: _count(engine))}
    with TestClient(app) as client:
        client.post("/api/session", json={"name": "An", "password": _PASSWORD})
        for name, address in calls().items():
            assert client.get(address).status_code == 200, address
            times[name] = _median(lambda address=address: client.get(address))  # type: ignore[misc]
        times["unanswered, 2,000 questions anew"] = _gathering(client)
        times["unanswered, remembered"] = _median(lambda: client.get("/api/unanswered"))
    bot.close()
    return times


def _gathering(client: TestClient) -> float:
    began = time.perf_counter()
    while client.get("/api/unanswered").json()["working"]:
        time.sleep(0.05)
    return (time.perf_counter() - began) * 1000


def _count(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM message")).one()


def _median(act: Callable[[], object]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def rows(work: Work) -> list[Row]:
    """Every call beside the bare count."""
    work.say(f"{FAQS:,} FAQs and {MESSAGES:,} messages")
    with tempfile.TemporaryDirectory() as folder:
        (beside, bare), *times = measure(Path(folder)).items()
    return [Row(name, value, "ms", bare, beside, at_most(BAR_MS, "ms")) for name, value in times]
