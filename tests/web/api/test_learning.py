"""Learning over HTTP: examples are decided, rounds run beside the server, releases are promoted and rolled back."""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from sqlalchemy import Engine, insert

from bot.calibration import BUILT_IN
from bot.examples import Example, Examples
from bot.releases import Releases
from bot.tables import conversation
from tests.web.api.conftest import SignIn
from web.console.words import words
from web.desk import Desk
from web.learning import Learning

ROUND = """
import json, os, sys, time
from pathlib import Path
from filelock import FileLock
folder = Path(sys.argv[1]); name = sys.argv[2]
with FileLock(folder / ".lock", timeout=5):
    (folder / "running").write_text(json.dumps({"name": name, "pid": os.getpid()}))
    kept = {"name": name, "began": "2026-01-01T00:00:00+00:00", "options": {"wanted": "auto"}, "state": "running"}
    (folder / name / "state.json").write_text(json.dumps(kept | {"steps": {}}))
    line = {"step": "encoder", "done": 10, "total": 40, "loss": 0.5, "seconds_left": 30}
    (folder / name / "progress.jsonl").write_text(json.dumps(line) + "\\n" + '{"step": "enc')
    print("threads", os.environ["OMP_NUM_THREADS"], os.nice(0), flush=True)
    print("alone", os.getpgid(0) == os.getpid(), "beside", os.getsid(0) == os.getsid(os.getppid()), flush=True)
    time.sleep(60)
"""


def keep(engine: Engine, count: int) -> list[str]:
    with engine.begin() as connection:
        connection.execute(insert(conversation).values(id="c1", opened=Example("", "", "staff", "en", "", "").at))
    ids = [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(count)]
    Examples(engine).add(
        Example(id, "c1", "staff", "en", f"question {id}", "answer", masked={"phone": 1}) for id in ids
    )
    return ids


def release(data: Path, name: str, passed: bool | None = True) -> None:
    folder = data / "releases" / name
    folder.mkdir(parents=True)
    (folder / "calibration.json").write_bytes(BUILT_IN.read_bytes())
    if passed is not None:
        (folder / "judgement.json").write_text(json.dumps({"passed": passed, "checks": []}))
    files = {"calibration.json": hashlib.sha256(BUILT_IN.read_bytes()).hexdigest()}
    (folder / "release.json").write_text(json.dumps({"calibration": "calibration.json", "files": files}))


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def at_rest() -> None:
    """Here processes are begun."""


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds that are a small program, which only tells that it runs."""
    begin = Learning._begin

    def instead(self: Learning, arguments: Any, log: Path) -> Any:
        if "training" in arguments:
            arguments = [sys.executable, "-c", ROUND, str(self.folder), arguments[arguments.index("round") + 1]]
        return begin(self, arguments, log)

    monkeypatch.setattr(Learning, "_begin", instead)


def test_examples_are_listed_decided_and_counted(desk: Desk, sign_in: SignIn) -> None:
    first, second = keep(desk.access.engine, 2)
    agent = sign_in("agent")
    page = agent.get("/api/learning/examples", params={"status": "new"}).json()
    assert page["total"] == 2 and page["items"][0]["masked"] == {"phone": 1}
    edited = agent.post(f"/api/learning/examples/{first}", json={"status": "approved", "answer": " better\x00 "}).json()
    assert (edited["answer"], edited["status"], edited["staff_name"]) == ("better", "approved", "agent")
    assert agent.post(f"/api/learning/examples/{second}", json={"status": "rejected"}).status_code == 200
    found = agent.get("/api/learning/counts").json()
    assert (found["new"], found["approved"], found["rejected"]) == (0, 1, 1)
    assert {one["part"]: (one["train"], one["fewest"]) for one in found["lessons"]}["calibration"] == (False, 50)
    assert agent.post(f"/api/learning/examples/{'0' * 64}", json={"status": "new"}).status_code == 404
    assert agent.post(f"/api/learning/examples/{first}", json={"status": "new", "answer": "\x00"}).status_code == 400
    noted = [one for one in desk.access.audit.page(10, 0)[0] if one.action == "example.decide"]
    assert len(noted) == 2 and "better" not in str(noted)


def test_a_doubted_label_is_called_right_until_something_else_is_decided(desk: Desk, sign_in: SignIn) -> None:
    first, second = keep(desk.access.engine, 2)
    agent = sign_in("agent")

    def decide(**body: Any) -> bool:
        return bool(agent.post(f"/api/learning/examples/{first}", json=body).json()["sure"])

    assert not decide(status="approved") and decide(status="approved", sure=True)
    noted = desk.access.audit.page(1, 0)[0][0].after or {}
    assert noted["sure"] and {f"field_{name}" for name in noted} <= words("audit").keys()
    assert not decide(status="rejected", sure=True) and not decide(status="new") and not decide(status="approved")
    kept = {one["id"]: one["sure"] for one in agent.get("/api/learning/examples").json()["items"]}
    assert kept == {first: False, second: False}


@pytest.mark.usefixtures("faked")
def test_a_round_runs_beside_the_server_and_is_known_to_the_next_one(desk: Desk, sign_in: SignIn) -> None:
    trainer = sign_in("trainer")
    assert trainer.post("/api/learning/rounds", json={"name": "default"}).status_code == 409
    assert trainer.post("/api/learning/rounds", json={"name": "../x"}).status_code == 400
    assert trainer.post("/api/learning/rounds", json={"name": "may"}).json()["state"] == "running"
    until(lambda: trainer.get("/api/learning/rounds/may").json()["step"])
    found = trainer.get("/api/learning/rounds/may").json()
    assert (found["done"], found["total"], found["seconds_left"]) == (10, 40, 30) and found["loss"] == [
        {"part": "encoder", "step": 10, "loss": 0.5}
    ]
    assert trainer.get("/api/learning/rounds/may/log").json().split("\n")[:2] == [
        "threads 1 19",
        "alone True beside True",
    ]
    refused = trainer.post("/api/learning/rounds", json={"name": "june"})
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "round_running"
    process = desk.learning._starting[1]  # type: ignore[index]
    desk._learning = Learning(desk.settings)  # as after a restart
    assert trainer.get("/api/learning/rounds").json()[0]["state"] == "running"
    assert trainer.post("/api/learning/rounds/may/stop").status_code == 202
    process.wait(30)
    assert trainer.get("/api/learning/rounds/may").json()["state"] == "stopped"
    assert trainer.post("/api/learning/rounds/may/stop").status_code == 409
    assert trainer.post("/api/learning/rounds/may/resume").json()["state"] == "running"
    assert trainer.post("/api/learning/rounds/may/stop").status_code == 202
    assert trainer.get("/api/learning/rounds/none").status_code == 404


def test_a_lock_that_a_crash_has_left_behind_holds_nobody_up(desk: Desk) -> None:
    desk.learning.folder.mkdir()
    with FileLock(desk.learning.folder / ".lock"):
        (desk.learning.folder / "running").write_text('{"name": "may", "pid": 1}')
        assert desk.learning.running() == "may"
    assert desk.learning.running() is None


def test_releases_are_judged_promoted_and_rolled_back(desk: Desk, sign_in: SignIn) -> None:
    data = desk.settings.data
    release(data, "good")
    release(data, "better")
    release(data, "bad", passed=False)
    trainer = sign_in("trainer")
    found = trainer.get("/api/learning/releases").json()
    assert found["items"][0]["name"] == "default" and found["items"][0]["serving"] and not found["can_roll_back"]
    assert trainer.post("/api/learning/rollback", json={}).status_code == 409
    assert trainer.get("/api/learning/releases/bad/judgement").json()["passed"] is False
    assert trainer.get("/api/learning/releases/default/judgement").status_code == 404
    assert trainer.post("/api/learning/releases/bad/promote", json={}).json()["error"]["code"] == "not_promotable"
    Releases(data / "releases").promote("good")
    assert trainer.post("/api/learning/releases/good/promote", json={}).status_code == 409
    assert trainer.post("/api/learning/releases/better/promote", json={"why": "it reads alike"}).status_code == 202
    until(lambda: not trainer.get("/api/learning/releases").json()["promoting"])
    found = trainer.get("/api/learning/releases").json()
    assert found["failed"] == "" and found["items"][0]["name"] == "better", found
    assert found["items"][0]["story"][-1]["why"] == "trainer: it reads alike"
    back = trainer.post("/api/learning/rollback", json={"why": "worse"}).json()
    assert back["items"][0]["name"] == "good" and back["items"][0]["serving"]
    assert trainer.post("/api/learning/releases/better/promote", json={"share": 0.0}).status_code == 400
    assert trainer.post("/api/learning/releases/better/promote", json={"share": 0.2}).status_code == 202
    until(lambda: not trainer.get("/api/learning/releases").json()["promoting"])
    found = trainer.get("/api/learning/releases").json()
    assert {one["name"]: one["trial"] for one in found["items"]} == {"good": 0, "better": 0.2, "bad": 0, "default": 0}
    assert found["watch"]["release"] == "better" and found["watch"]["before"] == "good"
    assert len(found["watch"]["figures"]) == 6 and found["can_roll_back"]
    assert not any(one["trial"] for one in trainer.post("/api/learning/rollback", json={}).json()["items"])
    assert Releases(data / "releases").serving() == "good"
    actions = [one.action for one in desk.access.audit.page(10, 0)[0]]
    assert {"release.promote", "release.rollback"} <= set(actions)
