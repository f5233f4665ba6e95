"""One visitor of a site for as long as one likes: asks, vanishes, comes back, reads slowly, wants a person.

Notes what the protocol promises and raises Wrong where it is broken: numbers without a hole, every question answered
once, nothing lost from the history and nothing twice in it, the answer of nobody else.
"""

import asyncio
import json
import random
import socket as sockets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from knowledge_base.types import Faq

PATIENCE = 120.0  # seconds for one frame
LITTLE = 2_048  # bytes that a slow reader's socket takes
PERSON = {"zh": "转人工", "en": "I want to talk to a person"}
Frame = dict[str, Any]


class Wrong(AssertionError):
    """The server has broken a promise."""


@dataclass
class Tally:
    """What all visitors together have seen."""

    seen: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)  # seconds from question to answer, where nobody vanished
    retries: list[float] = field(default_factory=list)  # seconds to wait, as refusals said


class Visitor:
    """Comes from an address of its own, in one conversation after another."""

    def __init__(self, url: str, number: int, faqs: Sequence[Faq], tally: Tally, seed: int, pause: float) -> None:
        """pause: mean seconds between two acts."""
        self.tally = tally
        self.token = self.conversation = ""
        self._url = url
        self._address = f"10.0.{number // 250}.{number % 250 + 1}"
        self._faqs = faqs
        self._dice = random.Random(f"{seed}/{number}")
        self._pause = pause
        self._socket: ClientConnection | None = None
        self._forget()

    async def stay(self, until: float) -> None:
        """Have conversations until that moment of the monotonic clock. Raises Wrong."""
        await asyncio.sleep(self._dice.random() * self._pause)
        acts: dict[Callable[[], Awaitable[None]], int] = {
            self._ask_one: 60,
            self._vanish: 12,
            self.enter_again: 10,
            self._read_slowly: 6,
            self._judge: 10,
            self._call_for_a_person: 2,
        }
        while time.monotonic() < until:
            await self.arrive()
            for _ in range(self._dice.randint(3, 10)):
                await asyncio.sleep(min(self._dice.expovariate(1 / self._pause), max(0.0, until - time.monotonic())))
                if time.monotonic() >= until:
                    break
                await self._dice.choices(list(acts), list(acts.values()))[0]()
            await self.enter_again()
            await self.leave()

    # ---- coming and going

    async def arrive(self) -> None:
        """Begin a new conversation."""
        self._forget()
        await self._enter()

    async def leave(self, *, rudely: bool = False) -> None:
        """Close the connection, or let it break."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        if rudely:
            socket.transport.abort()
        await socket.close()

    async def enter_again(self, **options: Any) -> None:
        """Come back into the same conversation over a new connection."""
        await self.leave()
        await self._enter(**options)

    async def _enter(self, max_queue: int | None = None, **options: Any) -> None:
        """max_queue: frames that are taken from the socket before they are read; None: all, as browsers do."""
        query = f"?token={self.token}&last_seq={self._seq}" if self.token else ""
        headers = {"X-Forwarded-For": self._address}
        options |= {"max_queue": max_queue, "max_size": None, "ping_interval": None, "proxy": None}
        self._socket = await connect(self._url + query, additional_headers=headers, open_timeout=PATIENCE, **options)
        frame = await self.read()
        if frame["type"] != "session" or frame["resumed"] is not bool(self.token):
            raise Wrong(f"a visitor was not let in: {frame}")
        if self.token and frame["conversation"] != self.conversation:
            raise Wrong("a token opened somebody else's conversation")
        self.token, self.conversation, self._seq = frame["token"], frame["conversation"], frame["last_seq"]
        self._compare(frame["history"])

    def _compare(self, history: list[Frame]) -> None:
        """The history must hold everything that was answered, once, and nothing else."""
        ids = Counter(said["id"] for said in history)
        if twice := [id for id, times in ids.items() if times > 1]:
            raise Wrong(f"messages {twice} are twice in the history")
        asked = [said["text"] for said in history if said["role"] == "customer"]
        settled = [text for id, text in self._asked.items() if id in self._answers]
        waiting = [text for id, text in self._asked.items() if id not in self._answers]
        if asked[: len(settled)] != settled or asked[len(settled) :] not in ([], waiting):
            raise Wrong(f"asked {len(settled)} and {len(waiting)} under way, the history has {len(asked)}")
        if lost := set(self._answers.values()) - set(ids):
            raise Wrong(f"{len(lost)} answers are lost from the history")
        self._history = set(ids)
        self.tally.seen["histories compared"] += 1

    def _forget(self) -> None:
        self.token = self.conversation = ""
        self._seq = 0
        self._asked: dict[str, str] = {}
        self._answers: dict[str, str] = {}  # by the question's id
        self._last_answer = ""  # of the bot
        self._history: set[str] = set()  # ids of its messages when it was last seen

    # ---- what visitors do

    async def _ask_one(self) -> None:
        faq = self._dice.choice(self._faqs)
        began = time.monotonic()
        answer = await self.ask(self._dice.choice((faq.question, *faq.similar)))
        self.tally.waits.append(time.monotonic() - began)
        found = {citation["source_id"].rsplit(".", 1)[0] for citation in answer.get("citations", ())}
        if answer["kind"] != "faq" or faq.id.rsplit(".", 1)[0] not in found:
            raise Wrong(f"asked about {faq.id}, answered from {found or answer['kind']}")

    async def ask(self, text: str, id: str = "") -> Frame:
        """Ask and read the answer; where the server has no room, again after the time that it says."""
        id = id or uuid4().hex
        await self.say(text, id)
        while True:
            frame = await self.until("answer", "received", "error")
            if frame["type"] != "error":
                if frame["reply_to"] == id:
                    return frame
                continue
            self.tally.retries.append(frame["retry_after"])
            await asyncio.sleep(frame["retry_after"] * (1 + self._dice.random()))
            await self.say(text, id)

    async def say(self, text: str, id: str) -> None:
        """Send a question; it is known by that id."""
        self._asked.setdefault(id, text)
        assert self._socket is not None
        await self._socket.send(json.dumps({"type": "message", "text": text, "id": id}))

    async def _vanish(self) -> None:
        """Ask, let the connection break at once or in the middle of the answer, come back and ask under the same id.

        A server that knows the question sends the same answer once more, under its old numbers.
        """
        id, text = uuid4().hex, self._dice.choice(self._faqs).question
        await self.say(text, id)
        if self._dice.random() < 0.5:
            await self.read()
        await self.leave(rudely=True)
        await asyncio.sleep(self._dice.random())
        await self._enter()
        if id not in self._answers:
            await self.ask(text, id)
        self.tally.seen["vanished in the middle"] += 1

    async def _read_slowly(self) -> None:
        """Take an answer in small pieces, over a connection that holds little."""
        small = sockets.socket()
        small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, LITTLE)
        small.setblocking(False)
        host, port = self._url.removeprefix("ws://").split("/")[0].split(":")
        await asyncio.get_running_loop().sock_connect(small, (host, int(port)))
        await self.enter_again(sock=small, max_queue=1)
        id = uuid4().hex
        await self.say(self._dice.choice(self._faqs).question, id)
        while id not in self._answers:
            await asyncio.sleep(self._dice.random())
            await self.read()
        await self.enter_again()
        self.tally.seen["read slowly"] += 1

    async def _judge(self) -> None:
        if not self._last_answer:
            return
        assert self._socket is not None
        frame = {"type": "feedback", "message_id": self._last_answer, "helpful": self._dice.random() < 0.8}
        await self._socket.send(json.dumps(frame))
        await self.until("feedback_saved")

    async def _call_for_a_person(self) -> None:
        """Ask for a person, talk to them until they have closed, and go."""
        answer = await self.ask(PERSON[self._dice.choice(("zh", "en"))])
        if answer["type"] == "answer" and answer["kind"] != "handoff":
            raise Wrong(f"asked for a person, got {answer['kind']}")
        heard = await self.until("staff_message")
        await self.ask("谢谢，知道了" if self._dice.random() < 0.5 else "Thanks, I see")
        while (await self.until("desk"))["state"] not in ("bot", "closed"):
            pass
        self.tally.seen["served by a person"] += 1
        await self.enter_again()
        if heard["message_id"] not in self._history:
            raise Wrong("a person's words are lost")

    # ---- what they see

    async def until(self, *types: str) -> Frame:
        """The next frame of one of those types."""
        while (frame := await self.read())["type"] not in types:
            pass
        return frame

    async def read(self) -> Frame:
        """The next frame, noted. Raises Wrong for one that should not come, TimeoutError when none does."""
        assert self._socket is not None
        frame: Frame = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
        self.tally.seen[frame["type"]] += 1
        seq = frame.get("seq")
        if seq is not None and seq <= self._seq and frame["type"] != "session":
            known = frame.get("reply_to") in self._asked or frame["type"] in ("start", "token")
            if not known:
                raise Wrong(f"frame {seq} came twice: {frame['type']}")
        elif seq is not None:
            if seq != self._seq + 1:
                raise Wrong(f"frame {seq} after {self._seq}")
            self._seq = seq
        if frame["type"] == "error" and (frame["code"] != "busy" or not frame.get("retry_after")):
            raise Wrong(f"refused with {frame['code']}")
        if frame["type"] == "answer":
            self._last_answer = frame["message_id"]
        if frame["type"] in ("answer", "received") and frame["reply_to"]:
            self._answered(frame)
        return frame

    def _answered(self, frame: Frame) -> None:
        """Every question has one answer, however often it comes."""
        before = self._answers.setdefault(frame["reply_to"], frame["message_id"])
        if before != frame["message_id"]:
            raise Wrong(f"answered twice: {before} and {frame['message_id']}")
