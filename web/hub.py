"""Runs replies in worker threads and carries their events into the conversations' channels.

A reply belongs to its conversation, not to a connection: a slow or vanished reader never holds the bot, and a
closed tab still leaves a logged answer. Knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import structlog

from bot.types import Conversation, Done, Event, Start
from web.channel import Channel, Question, Reply
from web.frames import AnswerFrame, Code, NumberedFrame, answer_frame, error, to_frame
from web.metrics import Metrics
from web.notices import Notice, Notices, What
from web.settings import Settings

if TYPE_CHECKING:
    from bot.bot import Bot

_SWEEP = 30.0  # seconds between looks for idle channels
_LAST_WORDS = 5.0  # seconds that stopped replies get to log themselves
_ANSWERS = UUID("6b656675-0000-4000-8000-000000000001")  # the namespace of answer ids
_log = structlog.stdlib.get_logger(__name__)


class Overloaded(Exception):
    """As many replies are waiting as may; `retry_after` seconds from now there may be room."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after:g} s")
        self.retry_after = retry_after


class Answering(Exception):
    """The conversation's last question is still being answered."""


class Hub:
    """All channels and running replies of one app. Lives in the event loop."""

    def __init__(self, settings: Settings, metrics: Metrics, notices: Notices) -> None:
        self._notices = notices
        self._settings = settings
        self._metrics = metrics
        self._channels: dict[str, Channel] = {}
        self._swept = time.monotonic()
        self._running: dict[asyncio.Future[None], Reply] = {}
        self._workers = ThreadPoolExecutor(settings.replies, thread_name_prefix="reply")
        self._closing = False

    def channel(self, conversation_id: str) -> Channel:
        """The channel of a conversation, the same for all its connections."""
        self._sweep()
        if conversation_id not in self._channels:
            settings = self._settings
            self._channels[conversation_id] = Channel(conversation_id, settings.replay_frames, settings.replay_seconds)
        return self._channels[conversation_id]

    def tell(self, notice: Notice) -> None:
        """Send a notice's frame to the customer, if the conversation has a channel; else the history will tell."""
        if notice.what == "gap":
            for each in self._channels.values():
                each.break_off()
        channel = self._channels.get(notice.conversation_id)
        if channel is None:
            return
        if notice.what in ("joined", "followed", "answered", "stop"):
            return self._elsewhere(channel, notice)
        if notice.kept and isinstance(notice.frame, NumberedFrame):
            channel.publish(notice.frame)
        elif notice.frame is not None:
            channel.pass_on(notice.frame)

    def joined(self, channel: Channel) -> None:
        """Let the other servers know that the customer of a conversation, which they may have, is here now."""
        self._share(channel, "joined")

    def stop(self, channel: Channel) -> None:
        """End the conversation's reply, wherever it runs."""
        if channel.running is not None:
            channel.running.stop()
        self._share(channel, "stop")

    def _elsewhere(self, channel: Channel, notice: Notice) -> None:
        """Another server has the same conversation: its answers are wanted here, and ours there."""
        if notice.what == "stop":
            if channel.running is not None:
                channel.running.stop()
            return
        channel.elsewhere = notice.what != "joined" or channel.followed or channel.running is not None
        if notice.what == "joined" and channel.elsewhere:
            return self._share(channel, "followed", channel.last_answer)
        frame = notice.frame
        if not isinstance(frame, AnswerFrame) or channel.holds(frame.message_id):
            return
        if channel.running is None or channel.running.question.client_id != frame.reply_to:
            channel.publish(frame)  # else the reply here waits for that one, and gives the same

    def _share(self, channel: Channel, what: What, frame: AnswerFrame | None = None) -> None:
        self._notices.share(Notice(conversation_id=channel.conversation_id, what=what, frame=frame))

    def ask(self, bot: Bot, channel: Channel, question: Question) -> Reply:
        """Begin a reply; its frames appear in the channel. Raises Answering or Overloaded."""
        if channel.running is not None:
            raise Answering
        if self._closing or len(self._running) >= self._settings.replies + self._settings.queue:
            raise Overloaded(self._wait())
        loop = asyncio.get_running_loop()
        reply = channel.begin(question)

        def deliver(event: Event) -> None:
            loop.call_soon_threadsafe(self._publish, channel, reply, event)

        future = loop.run_in_executor(self._workers, _work, bot, channel.conversation_id, reply, deliver)
        self._running[future] = reply
        self._metrics.running.set(len(self._running))
        future.add_done_callback(lambda done: self._finished(channel, done))
        return reply

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return not self._running

    async def settled(self) -> None:
        """Once every reply that runs now has ended."""
        if self._running:
            await asyncio.wait(set(self._running))

    async def close(self, patience: float) -> None:
        """Take no more questions and let running replies end.

        After `patience` seconds they are stopped, which logs what they have.
        """
        self._closing = True
        if self._running:
            _log.info("draining", replies=len(self._running))
            await asyncio.wait(self._running, timeout=patience)
        for reply in self._running.values():
            reply.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=_LAST_WORDS)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _publish(self, channel: Channel, reply: Reply, event: Event) -> None:
        if isinstance(event, Start):
            reply.message_id = event.message_id
        client_id = reply.question.client_id
        if isinstance(event, Done):
            self._metrics.answered(event.answer)
            self._metrics.reply.observe(time.monotonic() - reply.began)
            frame = answer_frame(event.answer, client_id)
            channel.end(frame)
            if channel.elsewhere:
                self._share(channel, "answered", frame)
        else:
            channel.publish(to_frame(event, reply.message_id, client_id))

    def _finished(self, channel: Channel, future: asyncio.Future[None]) -> None:
        reply = self._running.pop(future)
        self._metrics.running.set(len(self._running))
        problem = None if future.cancelled() else future.exception()
        if problem is not None:
            _log.error("reply failed", conversation=channel.conversation_id, exc_info=problem)
        if channel.running is reply:  # it ended without an answer
            code: Code = "busy" if future.cancelled() else "internal"
            self._metrics.errors.labels(code).inc()
            channel.end(error(code, reply_to=reply.question.client_id))

    def _wait(self) -> float:
        return float(min(30, 2 + len(self._running) // self._settings.replies))

    def _sweep(self) -> None:
        if time.monotonic() - self._swept < _SWEEP:
            return
        self._swept = time.monotonic()
        for conversation_id in [name for name, channel in self._channels.items() if channel.idle]:
            del self._channels[conversation_id]


def _work(bot: Bot, conversation_id: str, reply: Reply, deliver: Callable[[Event], None]) -> None:
    """One reply from question to end, in a worker thread, whether or not anybody still listens."""
    history = reply.question.history
    if history is not None:
        return _answer(bot, Conversation(conversation_id, history), reply, deliver)
    with bot.log.turns.taken(conversation_id):
        conversation = bot.log.load(conversation_id)
        if conversation is None:
            raise LookupError(f"conversation {conversation_id!r} is not in the log any more")
        _answer(bot, conversation, reply, deliver)


def _answer(bot: Bot, conversation: Conversation, reply: Reply, deliver: Callable[[Event], None]) -> None:
    question, conversation_id = reply.question, conversation.id
    id = _answer_id(conversation_id, question.client_id)
    logged = next((said.answer for said in conversation.messages if said.id == id), None)
    if logged is not None and not logged.reason.startswith("failed"):  # asked before a restart, or long ago
        deliver(Start(logged.id, logged.language))
        deliver(Done(logged))
        return
    fresh = id if logged is None else None
    people = question.people
    replying = bot.reply(conversation, question.text, message_id=fresh, stop=reply.stopped, people=people)
    with closing(replying) as events:
        for event in events:
            deliver(event)


def _answer_id(conversation_id: str, client_id: str | None) -> str | None:
    """The same answer id whenever the client asks under the same id; None leaves it to the bot."""
    return None if client_id is None else uuid5(_ANSWERS, f"{conversation_id}/{client_id}").hex
