"""The recent frames of one conversation, numbered and kept for those who come back.

Knows nothing of bots or sockets. Lives in the event loop: only `Reply.stop` may be called from a thread.
"""

import asyncio
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import islice

from bot.handoff import People
from bot.types import Message
from web.frames import AnswerFrame, ErrorFrame, NumberedFrame, ServerFrame

_REMEMBERED = 50  # client ids of one conversation
_PASSING = 100  # unnumbered frames that wait for a slow follower; more are dropped, as they tell the moment only


class Behind(Exception):
    """A follower is so late that frames it has not had are gone."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a visitor asks. `history` None: the logged conversation; else what the caller says was said.

    people: who may take the conversation over; None where no person's words would reach the visitor.
    """

    text: str
    client_id: str | None = None
    history: tuple[Message, ...] | None = None
    people: People | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One sent frame: as a value and as JSON."""

    seq: int
    frame: ServerFrame
    text: str
    at: float

    @property
    def message_id(self) -> str | None:
        """The message of the history that it belongs to."""
        return getattr(self.frame, "message_id", None)


@dataclass(slots=True)
class Reply:
    """One reply in progress or finished. Its frames are those from `first_seq` to `last_seq`."""

    question: Question
    first_seq: int
    message_id: str = ""
    last_seq: int | None = None  # None while it runs
    began: float = field(default_factory=time.monotonic)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End it soon; the answer so far is logged as stopped."""
        self._stopped.set()

    def stopped(self) -> bool:
        """Whether it was told to stop; the bot asks this between pieces."""
        return self._stopped.is_set()


class Channel:
    """Numbers frames from 1, keeps the recent ones, and lets any number of followers read at their own pace.

    A slow follower holds nobody: when what it needs is gone it gets `Behind`. `epoch` tells this numbering
    from an earlier one of the same conversation, e.g. before a restart.
    """

    def __init__(self, conversation_id: str, most: int, seconds: float) -> None:
        self.conversation_id = conversation_id
        self.epoch = secrets.token_hex(4)
        self.last_seq = 0
        self.running: Reply | None = None
        self.touched = time.monotonic()
        self.elsewhere = False  # whether another server has followers of the conversation
        self._kept: deque[Kept] = deque(maxlen=most)
        self._seconds = seconds
        self._asked: OrderedDict[str, Reply] = OrderedDict()
        self._broken: set[asyncio.Event] = set()
        self._signals: dict[asyncio.Event, list[Kept]] = {}  # of each follower, with what passes by unnumbered

    @property
    def idle(self) -> bool:
        """Whether nobody would miss it."""
        quiet = time.monotonic() - self.touched > self._seconds
        return quiet and self.running is None and not self._signals

    @property
    def followed(self) -> bool:
        """Whether somebody is connected to it."""
        return bool(self._signals)

    @property
    def last_answer(self) -> AnswerFrame | None:
        """The last answer, while it is kept."""
        return next((kept.frame for kept in reversed(self._kept) if isinstance(kept.frame, AnswerFrame)), None)

    def begin(self, question: Question) -> Reply:
        """A new running reply. There may be none yet."""
        assert self.running is None, "one reply at a time"
        self.touched = time.monotonic()
        self.running = Reply(question, self.last_seq + 1)
        if question.client_id is not None:
            self._asked[question.client_id] = self.running
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return self.running

    def publish(self, frame: NumberedFrame) -> None:
        """Number a frame, keep it and wake the followers."""
        self.last_seq += 1
        self.touched = time.monotonic()
        numbered = frame.model_copy(update={"seq": self.last_seq})
        self._forget(self.touched - self._seconds)
        self._kept.append(Kept(self.last_seq, numbered, numbered.encode(), self.touched))
        for signal in self._signals:
            signal.set()

    def pass_on(self, frame: ServerFrame) -> None:
        """Send a frame to those who follow now, and to nobody later."""
        passing = Kept(self.last_seq, frame, frame.encode(), time.monotonic())
        for signal, passed in self._signals.items():
            if len(passed) < _PASSING:
                passed.append(passing)
                signal.set()

    def end(self, frame: AnswerFrame | ErrorFrame) -> None:
        """Publish the running reply's last frame. A question that failed may be asked again under its id."""
        assert self.running is not None
        reply, self.running = self.running, None
        reply.last_seq = self.last_seq + 1
        if isinstance(frame, ErrorFrame) and reply.question.client_id is not None:
            self._asked.pop(reply.question.client_id, None)
        self.publish(frame)

    def asked(self, client_id: str | None) -> Reply | None:
        """The reply to the message that the client named so, if it was asked before."""
        return self._asked.get(client_id) if client_id is not None else None

    def entry(self, epoch: str, last_seq: int) -> int:
        """After which number one who had `last_seq` of numbering `epoch` goes on, history being given.

        The history holds every finished reply, so only the frames of a reply in progress are sent again.
        """
        start = self.running.first_seq - 1 if self.running else self.last_seq
        start = max(start, self.last_seq - len(self._kept))
        return last_seq if epoch == self.epoch and start <= last_seq <= self.last_seq else start

    def after(self, seq: int) -> list[Kept]:
        """The kept frames numbered above `seq`. Raises Behind when some of them are gone."""
        missing = self.last_seq - seq
        if missing <= 0:
            return []
        if missing > len(self._kept):
            raise Behind
        return list(islice(self._kept, len(self._kept) - missing, None))

    def holds(self, message_id: str) -> bool:
        """Whether a kept frame belongs to that message."""
        return any(kept.message_id == message_id for kept in self._kept)

    def break_off(self) -> None:
        """Send every follower away with Behind: frames may have been missed, which the history has."""
        self._broken = set(self._signals)
        for signal in self._signals:
            signal.set()

    def answers_after(self, seq: int) -> set[str]:
        """The ids of the answers that the frames above `seq` belong to."""
        return {kept.message_id for kept in self._kept if kept.seq > seq and kept.message_id is not None}

    def frames_of(self, reply: Reply) -> list[Kept]:
        """Those frames of a finished reply that are still kept."""
        last = reply.last_seq or 0
        return [kept for kept in self._kept if reply.first_seq <= kept.seq <= last]

    async def follow(self, seq: int) -> AsyncGenerator[Kept, None]:
        """Every frame numbered above `seq`, and those that pass by, as they come. Raises Behind for one too slow."""
        signal = asyncio.Event()
        passing = self._signals[signal] = []
        try:
            while True:
                signal.clear()
                if signal in self._broken:
                    raise Behind
                for kept in self.after(seq):
                    seq = kept.seq
                    yield kept
                while passing:
                    yield passing.pop(0)
                if seq == self.last_seq and not passing:
                    await signal.wait()
        finally:
            del self._signals[signal]
            self._broken.discard(signal)
            self.touched = time.monotonic()

    def _forget(self, before: float) -> None:
        first = self.running.first_seq if self.running else self.last_seq
        while self._kept and self._kept[0].at < before and self._kept[0].seq < first:
            self._kept.popleft()
