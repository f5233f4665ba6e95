"""Two servers, one PostgreSQL: whoever is connected to either sees one Kefu, and it survives the loss of one."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.postgresql import Postgresql
from tests.web.pair import SECRET, Engine, Proxy, Server, ask, enter, until

TEXT = "The kettle is descaled with vinegar. It takes twenty minutes."
QUESTION = "How is the kettle descaled with vinegar?"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(("The kettle is descaled ", "with vinegar."))
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def database(postgresql: Postgresql) -> Iterator[str]:
    with postgresql.nothing() as url:
        yield url


@pytest.fixture(scope="module")
def servers(database: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    folder: Path = tmp_path_factory.mktemp("machines")
    environment = {
        "KEFU_DATABASE_URL": database,
        "KEFU_SECRET": SECRET,
        "KEFU_GENERATOR_URL": engine.url,
        "KEFU_GENERATOR_MODEL": "scripted",
        "OMP_NUM_THREADS": "1",
    }
    started = [Server(folder / name, environment) for name in ("one", "two")]
    with started[0].staff("editor") as editor:
        body = {"file": ("kettle.md", f"# Kettle\n\n{TEXT}\n".encode())}
        assert editor.post("/api/documents", files=body).status_code in (200, 201)
    yield started
    for server in started:
        server.stop()


@pytest.fixture
def held(engine: Engine) -> Iterator[Engine]:
    """The engine, which does not end an answer before its gate is opened."""
    engine.gate.clear()
    yield engine
    engine.gate.set()


def test_the_customer_on_one_and_staff_on_the_other(servers: list[Server]) -> None:
    one, two = servers
    with enter(one.port) as (customer, session), two.staff("agent") as agent:
        id = session["conversation"]
        ask(customer, "转人工", "c1")
        until(customer, "answer", kind="handoff")
        ask(customer, "我的订单呢？", "c2")
        received = until(customer, "received")
        assert agent.get("/api/inbox").json()["items"][0]["text"] == "我的订单呢？"
        assert agent.post(f"/api/inbox/{id}/claim").status_code == 200
        assert until(customer, "desk", state="staff")["name"] == "agent"
        agent.post(f"/api/inbox/{id}/read")
        assert until(customer, "read")["message_id"] == received["message_id"]
        for text in ("在路上。", "长" * 1_990 + "😀" * 10):  # the second is too long for one notification
            assert agent.post(f"/api/inbox/{id}/reply", json={"text": text}).status_code == 201
            said = until(customer, "staff_message")
            assert said["text"] == text and said["seq"]
        customer.send(json.dumps({"type": "read", "message_id": said["message_id"]}))
        ask(customer, "谢谢，明白了", "c3")
        until(customer, "received", reply_to="c3")
        talk = agent.get(f"/api/inbox/{id}").json()
        assert [m["text"] for m in talk["messages"] if m["role"] == "customer"][-1] == "谢谢，明白了"
        with one.staff("agent") as same:  # who reads it there sees what was read here
            assert same.get(f"/api/inbox/{id}").json()["read_by_customer"] == said["message_id"]
        assert agent.post(f"/api/inbox/{id}/return").status_code == 204
        until(customer, "desk", state="bot")


def test_what_is_published_on_one_is_answered_on_the_other(servers: list[Server]) -> None:
    one, two = servers
    with enter(one.port) as (customer, _), two.staff("editor") as editor:
        for number in range(2):
            body = {"question": "Do you sell tea?", "answer": f"Yes, {number} kinds.", "language": "en"}
            body |= {"id": "tea.en", "status": "published"}
            if number:
                saved = editor.put("/api/faqs/item/tea.en", json=body | {"version": 1})
            else:
                saved = editor.post("/api/faqs", json=body)
            assert saved.is_success, saved.text
            ask(customer, "Do you sell tea?", f"t{number}")
            assert until(customer, "answer")["text"] == f"Yes, {number} kinds."


def test_no_sticky_sessions_are_needed(servers: list[Server]) -> None:
    with closing(Proxy(servers)) as proxy:
        token, said = "", []
        for number in range(4):
            with enter(proxy.port, token) as (customer, session):
                assert session["resumed"] == bool(token)
                assert [m["text"] for m in session["history"] if m["role"] == "customer"] == said
                token = session["token"]
                ask(customer, "hello", f"h{number}")
                until(customer, "answer")
                said.append("hello")


def test_who_moves_in_the_middle_of_an_answer_gets_it_once(servers: list[Server], held: Engine) -> None:
    one, two = servers
    with enter(one.port) as (customer, session):
        ask(customer, QUESTION, "m1")
        assert held.asked.acquire(timeout=60)
    with enter(two.port, session["token"]) as (moved, _):
        ask(moved, QUESTION, "m1")  # as the widget does with what has no answer
        held.gate.set()
        assert until(moved, "answer")["text"] == "The kettle is descaled with vinegar."
    with enter(one.port, session["token"]) as (_, resumed):
        pass
    assert [m["role"] for m in resumed["history"]] == ["customer", "bot"]
    assert not held.asked.acquire(blocking=False)  # the engine wrote it once


def test_pages_on_both_servers_see_the_same_and_either_may_stop_it(servers: list[Server], held: Engine) -> None:
    one, two = servers
    with enter(one.port) as (first, session), enter(two.port, session["token"]) as (second, _):
        ask(first, QUESTION, "p1")
        assert held.asked.acquire(timeout=60)
        second.send(json.dumps({"type": "stop"}))
        stopped = until(first, "answer")
        assert stopped["stopped"] and until(second, "answer")["message_id"] == stopped["message_id"]
        held.gate.set()
        ask(second, QUESTION, "p2")
        answer = until(second, "answer")
        assert until(first, "answer") | {"seq": 0} == answer | {"seq": 0}


def test_a_customer_misses_nothing_when_the_line_between_servers_was_cut(servers: list[Server], database: str) -> None:
    one, two = servers
    with enter(one.port) as (customer, session), two.staff("agent") as agent:
        id = session["conversation"]
        ask(customer, "转人工", "c1")
        until(customer, "answer", kind="handoff")
        agent.post(f"/api/inbox/{id}/claim")
        until(customer, "desk", state="staff")
        with psycopg.connect(database, autocommit=True) as operator:
            operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
            until(customer, "never")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013  # come again
        agent.post(f"/api/inbox/{id}/reply", json={"text": "还在吗？"})
        with enter(one.port, session["token"]) as (back, resumed):
            assert resumed["desk"]["state"] == "staff"
            if resumed["history"][-1]["text"] != "还在吗？":
                until(back, "staff_message", text="还在吗？")  # it may come as a frame, or as both: its id is one
            agent.post(f"/api/inbox/{id}/reply", json={"text": "好的。"})
            until(back, "staff_message", text="好的。")
        agent.post(f"/api/inbox/{id}/return")


def test_the_other_server_answers_what_a_killed_one_had_begun(servers: list[Server], held: Engine) -> None:
    one, two = servers
    with enter(one.port) as (customer, session):
        ask(customer, QUESTION, "k1")
        assert held.asked.acquire(timeout=60)
        one.stop(SIGKILL)
    held.gate.set()
    with enter(two.port, session["token"]) as (moved, _):
        ask(moved, QUESTION, "k1")
        assert until(moved, "answer", reply_to="k1")["text"] == "The kettle is descaled with vinegar."
    one.start()
    with enter(one.port, session["token"]) as (_, resumed):
        pass
    assert [m["text"] for m in resumed["history"] if m["role"] == "bot"] == ["The kettle is descaled with vinegar."]
