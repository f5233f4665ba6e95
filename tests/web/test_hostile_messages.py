"""Messages of every bad kind, from the websocket to the log and back, through the real bot and knowledge base."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import event
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bot.bot import Bot
from bot.calibration import load
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from web.app import create_app
from web.settings import Settings

RETURN = Faq("return.zh", "怎么申请退货？", "在订单页点击“申请退货”。", "zh", similar=("how to 退货",))


@pytest.fixture
def real_bot(tmp_path: Path) -> Iterator[Bot]:
    engine = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    knowledge = open_in(tmp_path, Retrieval(HashEncoder()))
    engine = open_database(f"sqlite:///{tmp_path / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    knowledge.put_faqs([RETURN])
    yield Bot(knowledge, ConversationLog(engine), load())
    engine.dispose()
    knowledge.close()


@pytest.fixture
def client(real_bot: Bot, settings: Callable[..., Settings]) -> Iterator[TestClient]:
    with TestClient(create_app(real_bot, settings())) as made:
        yield made


def until(socket: Any, *kinds: str) -> dict[str, Any]:
    while (frame := socket.receive_json())["type"] not in kinds:
        pass
    return frame


@pytest.mark.parametrize(
    ("text", "kind", "language"),
    [
        ("😀🤖🎉", "smalltalk", "zh"),
        ("👨‍👩‍👧👋🏽", "smalltalk", "zh"),
        ("？？？!!!", "smalltalk", "zh"),
        ("How to 退货?", "faq", "zh"),
        ("怎么申请\x07\x1b退货\x00？", "faq", "zh"),
        ("怎麼申請\u202e退貨？\u200b", "faq", "zh"),
        ("<script>alert(1)</script><img src=x onerror=alert(1)>", "abstain", "en"),
        ("[click](javascript:alert(1)) **bold** `code` # heading | table |", "abstain", "en"),
        ("'; DROP TABLE message; DELETE FROM faq WHERE '1'='1' --", "abstain", "en"),
        ('" OR id:* AND words:[* TO *] NOT (', "abstain", "en"),
        ("{{7*7}} ${jndi:ldap://x} %s %(a)s {0.__class__} ../../etc/passwd", "abstain", "en"),
        ("A" * 2_000, "abstain", "en"),
    ],
)
def test_it_is_answered_and_logged_as_it_was_shown(
    client: TestClient, real_bot: Bot, text: str, kind: str, language: str
) -> None:
    with client.websocket_connect("/ws/chat") as socket:
        conversation = socket.receive_json()["conversation"]
        socket.send_json({"type": "message", "text": text})
        answer = until(socket, "answer", "error")
        assert (answer.get("kind"), answer.get("language")) == (kind, language)
        socket.send_json({"type": "message", "text": "怎么申请退货？"})
        assert until(socket, "answer", "error")["text"] == RETURN.answer
    logged = real_bot.log.load(conversation)
    assert logged is not None
    shown = text.translate(dict.fromkeys(map(ord, "\x00\x07\x1b\u202e")))
    assert [message.text for message in logged.messages[:2]] == [shown, answer["text"]]
    assert real_bot.knowledge.faqs() == [RETURN]


def test_a_search_that_breaks_gets_an_error_frame_and_the_log_no_words(
    client: TestClient, real_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(query: str, *_: object) -> None:
        raise sqlite3.DatabaseError(f"malformed near {query}")

    monkeypatch.setattr(real_bot.knowledge, "search", broken)
    with structlog.testing.capture_logs() as logs, client.websocket_connect("/ws/chat") as socket:
        socket.send_json({"type": "message", "text": "call 13800000000", "id": "c1"})
        failed = until(socket, "answer", "error")
    assert (failed["code"], failed["reply_to"]) == ("internal", "c1")
    (event_,) = [event_ for event_ in logs if event_["event"] == "reply failed"]
    event_.pop("exc_info")  # its words are taken out by web.logs
    assert "13800000000" not in repr(event_)


def test_a_full_disk_is_told_by_error_frames_and_all_goes_on_once_there_is_room(
    client: TestClient, real_bot: Bot
) -> None:
    engine = real_bot.log._engine

    def full(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    with client.websocket_connect("/ws/chat") as socket:
        socket.receive_json()
        event.listen(engine, "connect", full)
        engine.dispose()
        socket.send_json({"type": "message", "text": "怎么申请退货？", "id": "c1"})
        assert until(socket, "answer", "error")["code"] == "internal"
        socket.send_json({"type": "contact", "contact": "a@b.example"})
        assert until(socket, "contact_saved", "error")["code"] == "internal"
        with client.websocket_connect("/ws/chat") as another:
            assert another.receive_json()["code"] == "internal"
            with pytest.raises(WebSocketDisconnect) as closed:
                another.receive_json()
            assert closed.value.code == 1013
        event.remove(engine, "connect", full)
        engine.dispose()
        socket.send_json({"type": "contact", "contact": "a@b.example"})
        assert until(socket, "contact_saved", "error")["type"] == "contact_saved"
        socket.send_json({"type": "message", "text": "怎么申请退货？", "id": "c1"})
        assert until(socket, "answer", "error")["text"] == RETURN.answer
