"""The whole loop over websockets and the API, with a real server, a real round and real promotions; only the model is
small.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from knowledge_base.types import Language
from tests.journeys.learning_shop import ASKED, LONG, SAID, THINGS, long
from tests.web.console.conftest import Console

pytestmark = pytest.mark.timeout(900)
_PATIENCE = 300.0  # seconds for what processes of their own do, on a busy machine
_ROLLBACK = 5.0  # seconds
PERSON: dict[Language, str] = {"zh": "转人工", "en": "I want to talk to a person"}


class LearningShop(Console):
    """The shop that learns."""

    program = "tests.journeys.learning_shop"

    def serving(self) -> str:
        return str(httpx.get(f"{self.url}/ready", timeout=30).json()["release"])

    def chat(self) -> ClientConnection:
        return connect(f"ws{self.url.removeprefix('http')}/ws/chat")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LearningShop]:
    made = LearningShop(tmp_path / "data", None)  # type: ignore[arg-type]  # no page is opened
    yield made
    made.stop()


def say(chat: ClientConnection, text: str) -> dict[str, Any]:
    """The answer."""
    chat.send(json.dumps({"type": "message", "text": text}))
    while (frame := json.loads(chat.recv(60)))["type"] != "answer":
        assert frame["type"] != "error", frame
    return dict(frame)


def until(true: Callable[[], Any], patience: float = _PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def answered_by_a_person(shop: LearningShop, language: Language) -> None:
    """A customer asks what the bot abstains from; staff insert what an FAQ says."""
    with shop.chat() as chat, shop.client("agent") as staff:
        conversation = json.loads(chat.recv(60))["conversation"]
        assert say(chat, ASKED[language][4].format(THINGS[language][0]))["kind"] == "abstain"
        assert say(chat, PERSON[language])["kind"] == "handoff"
        assert staff.post(f"/api/inbox/{conversation}/claim").status_code == 200
        suggested = staff.get(f"/api/inbox/{conversation}/suggestions").json()[0]["text"]
        assert suggested == SAID[language].format(THINGS[language][0])
        assert staff.post(f"/api/inbox/{conversation}/reply", json={"text": suggested}).status_code == 201


def approved(trainer: httpx.Client, language: Language) -> None:
    assert trainer.post("/api/learning/collect", json={"all": True}).status_code == 202
    until(lambda: not trainer.get("/api/learning/counts").json()["collecting"])
    (found,) = trainer.get("/api/learning/examples", params={"status": "new"}).json()["items"]
    assert found["source_id"] == f"{THINGS['en'][0]}.{language}" and found["label"] == "staff"
    assert trainer.post(f"/api/learning/examples/{found['id']}", json={"status": "approved"}).status_code == 200


def trained(shop: LearningShop, name: str) -> None:
    """The server is killed and started again while the round runs; the round does not mind."""
    with shop.client("trainer") as trainer:
        assert trainer.post("/api/learning/rounds", json={"name": name}).status_code == 202
        until(lambda: trainer.get(f"/api/learning/rounds/{name}").json()["step"])
    shop.stop(signal.SIGKILL)
    shop.start()
    with shop.client("trainer") as trainer:
        until(lambda: trainer.get(f"/api/learning/rounds/{name}").json()["state"] != "running")
        found = trainer.get(f"/api/learning/rounds/{name}").json()
        assert found["state"] == "passed", (found, trainer.get(f"/api/learning/rounds/{name}/log").text)
        judged = trainer.get(f"/api/learning/releases/{name}/judgement").json()
        assert judged["passed"] and judged["changed"]["better"] > 40 and judged["changed"]["worse"] == 0


def promoted_while_it_streams(shop: LearningShop, trainer: httpx.Client, language: Language, name: str) -> None:
    with shop.chat() as chat:
        chat.recv(60)
        chat.send(json.dumps({"type": "message", "text": LONG[language]}))
        while json.loads(chat.recv(60))["type"] != "token":
            pass
        assert trainer.post(f"/api/learning/releases/{name}/promote", json={}).status_code == 202
        until(lambda: shop.serving() == name)
        (shop.data / "go-on").touch()
        while (frame := json.loads(chat.recv(60)))["type"] != "answer":
            assert frame["type"] == "token"
        assert frame["text"] == long(language) and not frame["stopped"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_person_answered_once_the_bot_answers_until_it_is_rolled_back(
    shop: LearningShop, language: Language
) -> None:
    rephrased = ASKED[language][3].format(THINGS[language][0])

    def asked() -> dict[str, Any]:
        with shop.chat() as chat:
            chat.recv(60)
            return say(chat, rephrased)

    answered_by_a_person(shop, language)
    with shop.client("trainer") as trainer:
        approved(trainer, language)
    trained(shop, "spring")
    assert asked()["kind"] == "abstain"
    with shop.client("trainer") as trainer:
        promoted_while_it_streams(shop, trainer, language, "spring")
        answer = asked()
        assert (answer["kind"], answer["text"]) == ("faq", SAID[language].format(THINGS[language][0]))
        until(lambda: not trainer.get("/api/learning/releases").json()["promoting"])
        began = time.monotonic()
        assert trainer.post("/api/learning/rollback", json={}).status_code == 200
        until(lambda: shop.serving() == "cautious")
        assert time.monotonic() - began < _ROLLBACK
        assert asked()["kind"] == "abstain"
        story = trainer.get("/api/learning/releases").json()["items"][0]["story"]
    acts = [(one["act"], one["release"]) for one in story]
    assert acts == [("promote", "cautious"), ("promote", "spring"), ("rollback", "cautious")]
