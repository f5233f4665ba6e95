"""How soon a staff message is in the customer's hands, with many live conversations over real websockets."""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import websockets

from benchmarks.echo import URL, Echo
from benchmarks.rows import Row, at_most
from benchmarks.server_speed import CHAT, PORT, QUESTIONS, Server, answers, quantile
from benchmarks.work import Work
from web.settings import Settings
from web.staff.access import open_access

CONVERSATIONS = 50
MESSAGES = 400
_PAUSE = 2.0  # seconds between two messages of one customer
_PASSWORD = uuid4().hex


class Customer:
    """One live conversation: says something now and then, and notes when staff messages arrive."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.arrived: dict[str, float] = {}
        self.conversation = ""
        self._socket = socket

    async def begin(self) -> None:
        """Ask for a person and wait until people have the conversation."""
        self.conversation = (await self._until("session"))["conversation"]
        await self._say("I want to talk to a person")
        await self._until("answer")

    async def listen(self) -> None:
        """Note arrivals for ever."""
        async for raw in self._socket:
            frame = json.loads(raw)
            if frame["type"] == "staff_message":
                self.arrived[frame["text"]] = time.perf_counter()

    async def talk(self) -> None:
        """Say something again and again."""
        while True:
            await asyncio.sleep(_PAUSE)
            await self._say("Are you still there?")

    async def _say(self, text: str) -> None:
        await self._socket.send(json.dumps({"type": "message", "text": text, "id": uuid4().hex}))

    async def _until(self, kind: str) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = json.loads(await self._socket.recv())
            if frame["type"] == kind:
                return frame


async def message_times() -> list[float]:
    """Milliseconds from sending a reply over the API to its frame at the customer's."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as agent:
        me = (await agent.post("/api/session", json={"name": "bench", "password": _PASSWORD})).json()
        agent.headers["x-csrf-token"] = me["csrf"]
        sockets = [await websockets.connect(CHAT) for _ in range(CONVERSATIONS)]
        customers = [Customer(socket) for socket in sockets]
        for customer in customers:
            await customer.begin()
            (await agent.post(f"/api/inbox/{customer.conversation}/claim")).raise_for_status()
        work = [asyncio.create_task(act()) for one in customers for act in (one.listen, one.talk)]
        try:
            return [await _sent(agent, customers[number % CONVERSATIONS], number) for number in range(MESSAGES)]
        finally:
            for task in work:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for socket in sockets:
                await socket.close()


async def _sent(agent: httpx.AsyncClient, customer: Customer, number: int) -> float:
    text, began = f"message {number}", time.perf_counter()
    (await agent.post(f"/api/inbox/{customer.conversation}/reply", json={"text": text})).raise_for_status()
    while text not in customer.arrived:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    return (customer.arrived[text] - began) * 1000


def rows(work: Work) -> list[Row]:
    """Beside a bare echo to as many."""
    data = work.demo()
    _add_agent(data)
    with Echo():
        bare = [told.ms for told in answers(CONVERSATIONS, MESSAGES // CONVERSATIONS, QUESTIONS, url=URL)]
    with Server(data):
        work.say(f"{MESSAGES} messages of staff in {CONVERSATIONS} conversations")
        times = asyncio.run(message_times())
    what, beside = f"staff's message until the customer has it, {CONVERSATIONS} live conversations, ", "bare echo"
    return [
        Row(what + "p50", quantile(times, 0.5), "ms", quantile(bare, 0.5), beside),
        Row(what + "p95", quantile(times, 0.95), "ms", quantile(bare, 0.95), beside, at_most(300, "ms")),
    ]


def _add_agent(data: Path) -> None:
    access = open_access(Settings(data=data))
    known = access.accounts.named("bench")
    if known is None:
        access.accounts.add("bench", _PASSWORD, "agent", "en")
    else:
        access.accounts.change(known.id, {"password": _PASSWORD})
    access.engine.dispose()
