"""Words that only a customer can have written, through every door: none is in what operators see."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from websockets.sync.client import connect

from tests.web.console.conftest import ROOT
from tests.web.console.server import PASSWORD

CANARY = "kanarienvogel"
CHINESE = "金丝雀密语"
PHONE = "13912345678"


def test_no_word_of_a_customer_is_in_logs_metrics_or_refusals(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.web.logged_server", str(tmp_path / "data")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url.startswith("http://"), (tmp_path / "log").read_text()
        try:
            refusals = use(url)
        finally:
            server.terminate()
            server.wait(60)
    logged = (tmp_path / "log").read_text(encoding="utf-8")
    assert "chat opened" in logged and "reply failed" in logged
    for word in (CANARY, CHINESE, PHONE, PASSWORD):
        assert word not in logged, next(line for line in logged.splitlines() if word in line)
        assert word not in refusals
    for line in logged.splitlines():
        json.loads(line)


def use(url: str) -> str:
    """Do everything that a customer and staff may do with such words; returns what refusals and metrics say."""
    told = []
    with connect(f"ws{url[4:]}/ws/chat", open_timeout=60) as chat:
        chat.recv(60)
        for text in (f"break {CANARY}", f"{CANARY} {PHONE}", CHINESE, "转人工", f"{CHINESE} {PHONE}"):
            chat.send(json.dumps({"type": "message", "text": text}))
            while json.loads(chat.recv(60))["type"] not in ("answer", "error", "received"):
                pass
        for frame in (f'{{"type":"{CANARY}"', f'{{"type":"message","text":{CANARY}}}', "x" * 20_000 + CANARY):
            chat.send(frame)
        chat.send(json.dumps({"type": "contact", "contact": PHONE, "text": CANARY}))
        chat.send(json.dumps({"type": "feedback", "message_id": "m", "helpful": False, "comment": CANARY}))
        chat.send('{"type":"ping"}')
        while json.loads(chat.recv(60))["type"] != "pong":
            pass
        chat.send(CANARY.encode() + b"\xff", text=True)
    with httpx.Client(base_url=url, timeout=60) as client:
        client.post("/chat/stream", json={"text": f"{CANARY} over http"})
        told.append(client.post("/chat/stream", json={"text": 1, "id": CANARY}).text)
        told.append(client.post("/chat/contact", json={"token": CANARY, "contact": PHONE}).text)
        told.append(client.get(f"/{CANARY}?q={CHINESE}").text)
        key = {"Authorization": f"Bearer {'k' * 32}"}
        said = {"model": "kefu", "messages": [{"role": "user", "content": CANARY}]}
        client.post("/v1/chat/completions", json=said, headers=key)
        me = client.post("/api/session", json={"name": "admin", "password": PASSWORD}).json()
        client.headers["x-csrf-token"] = me["csrf"]
        found = client.get("/api/conversations", params={"text": CANARY}).json()
        assert found["total"] >= 2, "the log of conversations has them"
        id = found["items"][0]["id"]
        client.put(f"/api/conversations/{id}/messages/none/correction", json={"text": CANARY})
        client.post("/api/try", json={"question": CANARY})
        broken = {"json": {"question": f"break {CANARY}"}, "headers": client.headers, "cookies": client.cookies}
        told.append(httpx.post(f"{url}/api/try", timeout=60, **broken).text)  # after which the connection is closed
        client.delete(f"/api/conversations/{id}")
        told.append(client.get("/metrics").text)
        told.append(client.get("/api/audit").text)
    return "\n".join(told)
