"""A connection that the server's own websocket layer has closed while an answer was on its way."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def test_text_that_is_no_utf8_ends_the_connection_and_nothing_else(
    running: Callable[..., Any], bot: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = running()
    with caplog.at_level(logging.ERROR), connect(server.ws(), open_timeout=60) as chat:
        conversation = json.loads(chat.recv(60))["conversation"]
        chat.send('{"type":"message","text":"hold on"}')
        while json.loads(chat.recv(60))["type"] != "token":
            pass
        for _ in range(30):  # which are still being answered when the connection ends
            chat.send("junk")
        chat.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                chat.recv(60)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1007
        bot.gate.set()
        with connect(server.ws(), open_timeout=60) as other:
            other.recv(60)
            other.send('{"type":"message","text":"are you there"}')
            while (frame := json.loads(other.recv(60)))["type"] != "answer":
                pass
        assert frame["text"] == "You asked: are you there"
    assert bot.log.load(conversation).messages[-1].role == "bot"  # a lost connection still leaves a logged answer
    assert [r.getMessage() for r in caplog.records if "ASGI" in r.getMessage()] == []
