"""One websocket: reads the visitor's frames, sends those of the conversation. Decides no answer."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from web.asking import ask, rate
from web.channel import Behind, Channel
from web.desk import Closed, Desk
from web.entrance import Entrance, enter, reenter
from web.frames import (
    AnyClientFrame,
    Ask,
    CancelHandoff,
    Contact,
    ErrorFrame,
    Feedback,
    Ping,
    Pong,
    Read,
    Resume,
    ServerFrame,
    Solved,
    StopReply,
    Typing,
    error,
    parse,
)
from web.hearing import hear, live
from web.saving import save

_PATIENCE = 40  # bad frames and frames beyond the rate until the socket is closed
_LOADING = 5.0  # seconds after which a visitor may try again while the bot is being loaded
_GONE, _POLICY, _TOO_BIG, _LATER = 1006, 1008, 1009, 1013
_log = structlog.stdlib.get_logger(__name__)


class Chat:
    """The session of one accepted websocket."""

    def __init__(self, desk: Desk, socket: WebSocket, address: str) -> None:
        self._desk = desk
        self._socket = socket
        self._address = address
        self._id = secrets.token_hex(6)
        self._channel: Channel | None = None
        self._pump: asyncio.Task[None] | None = None
        self._offences = 0
        self._closed = False

    async def run(self, token: str, last_seq: int) -> None:
        """Serve until the visitor leaves or is shown out."""
        with structlog.contextvars.bound_contextvars(connection=self._id):
            _log.info("chat opened")
            try:
                if not self._desk.ready:
                    await self._wait_for_bot()
                await self._begin(token, last_seq)
                while True:
                    await self._take(await self._read())
            except (WebSocketDisconnect, WebSocketDisconnected) as left:
                _log.info("chat closed", code=getattr(left, "code", 1006))
            finally:
                await self._unfollow()

    async def _begin(self, token: str, last_seq: int) -> None:
        try:
            known = await reenter(self._desk, token, last_seq) if token else None
            entrance: Entrance | ErrorFrame = known or await enter(self._desk, self._address)
        except Closed:
            return await self._close(_LATER)
        except Exception:  # whatever the database raises; the visitor is told, and comes again later
            _log.exception("chat not begun")
            entrance = error("internal")
        if isinstance(entrance, ErrorFrame):
            await self._send(entrance)
            return await self._close(_LATER)
        if token and known is None:
            await self._send(error("unauthorized"))  # first, so that the session's token is the last word
        await self._move(entrance)

    async def _wait_for_bot(self) -> None:
        """Answer `busy` to whatever comes until the bot is there."""
        opened = asyncio.ensure_future(self._desk.opened.wait())
        try:
            await self._send(error("busy", say="loading", retry_after=_LOADING))
            while not opened.done():
                reading = asyncio.ensure_future(self._read())
                try:
                    await asyncio.wait({opened, reading}, return_when=asyncio.FIRST_COMPLETED)
                    if reading.done():
                        await self._take(reading.result())
                finally:
                    reading.cancel()
        finally:
            opened.cancel()

    async def _read(self) -> AnyClientFrame | ErrorFrame:
        """The next frame, or what is wrong with it."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        wait = self._desk.limits.frame(self._id)
        if wait is not None:
            self._desk.metrics.limited.labels("frame").inc()
            return error("rate_limited", retry_after=wait)
        text = message.get("text")
        if text is None:
            return error("bad_frame")
        if len(text.encode("utf-8", "surrogatepass")) > self._desk.settings.max_frame:
            return error("too_large")
        return parse(text) or error("bad_frame")

    async def _take(self, frame: AnyClientFrame | ErrorFrame) -> None:
        if isinstance(frame, ErrorFrame):
            return await self._offended(frame)
        if isinstance(frame, Ping):
            return await self._send(Pong())
        channel = self._channel
        if channel is None:
            return await self._not_open(frame)
        try:
            await self._serve(channel, frame)
        except Closed:
            await self._not_open(frame)
        except (WebSocketDisconnect, WebSocketDisconnected):
            raise
        except Exception:  # whatever the database raises; the visitor is told, and the next frame may succeed
            _log.exception("frame failed", frame=frame.type)
            await self._send(error("internal", reply_to=frame.id if isinstance(frame, Ask) else None))

    async def _serve(self, channel: Channel, frame: AnyClientFrame) -> None:
        match frame:
            case Ask():
                await self._ask(channel, frame)
            case Feedback() | Contact() | Solved() | CancelHandoff():
                await self._save(channel, frame)
            case Typing() | Read():
                live(self._desk, channel.conversation_id, frame)
            case Resume():
                await self._resume(channel, frame)
            case StopReply():
                self._desk.hub.stop(channel)

    async def _not_open(self, frame: AnyClientFrame) -> None:
        reply_to = frame.id if isinstance(frame, Ask) else None
        await self._send(error("busy", say="loading", retry_after=_LOADING, reply_to=reply_to))

    async def _ask(self, channel: Channel, frame: Ask) -> None:
        heard = await hear(self._desk, channel, frame, self._address)
        if heard is not None:
            return await self._send(heard)
        reply = ask(self._desk, channel, frame, self._address, self._desk.inbox)
        if isinstance(reply, ErrorFrame):
            return await self._send(reply)
        if reply.last_seq is None:
            return  # it has just begun, or it is running already: the follower sends it
        for kept in channel.frames_of(reply):
            await self._write(kept.text)

    async def _save(self, channel: Channel, frame: Feedback | Contact | Solved | CancelHandoff) -> None:
        limited = rate(self._desk, channel.conversation_id, self._address)
        await self._send(limited or await save(self._desk, channel.conversation_id, frame))

    async def _resume(self, channel: Channel, frame: Resume) -> None:
        if channel.running is not None:
            return await self._send(error("busy", say="answering", retry_after=1.0))
        entrance = await reenter(self._desk, frame.token, frame.last_seq)
        if entrance is None:
            return await self._send(error("unauthorized"))
        await self._move(entrance)

    async def _offended(self, problem: ErrorFrame) -> None:
        self._offences += 1
        await self._send(problem)
        if self._offences >= _PATIENCE:
            _log.warning("chat shown out", reason=problem.code)
            await self._close(_TOO_BIG if problem.code == "too_large" else _POLICY)

    async def _move(self, entrance: Entrance) -> None:
        await self._unfollow()
        self._channel = entrance.channel
        await self._send(entrance.frame)
        self._pump = asyncio.create_task(self._follow(entrance.channel, entrance.seq))

    async def _follow(self, channel: Channel, seq: int) -> None:
        try:
            async with aclosing(channel.follow(seq)) as frames:
                async for kept in frames:
                    await self._write(kept.text)
        except Behind:
            _log.info("chat too slow")
            await self._shut(_LATER)
        except (WebSocketDisconnect, WebSocketDisconnected):
            _log.debug("chat gone while sending")

    async def _unfollow(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
            await asyncio.wait({pump})
            if not pump.cancelled():
                pump.result()

    async def _send(self, frame: ServerFrame) -> None:
        if isinstance(frame, ErrorFrame):
            self._desk.metrics.errors.labels(frame.code).inc()
        await self._write(frame.encode())

    async def _write(self, text: str) -> None:
        """Send, unless this side has closed: its follower and its reader do not wait for each other."""
        if self._closed:
            raise WebSocketDisconnect(_LATER)
        try:
            await self._socket.send_text(text)
        except RuntimeError as problem:  # the server has closed by itself: text that is no UTF-8, no pong, its own end
            raise WebSocketDisconnect(_GONE) from problem

    async def _shut(self, code: int) -> None:
        if not self._closed:
            self._closed = True
            await self._socket.close(code)

    async def _close(self, code: int) -> None:
        await self._shut(code)
        raise WebSocketDisconnect(code)
