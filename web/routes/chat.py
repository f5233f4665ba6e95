"""Routes of the widget: websocket, the same frames as server-sent events, feedback and contact over HTTP."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.websockets import WebSocket

from web.asking import ask, checked, rate
from web.channel import Reply
from web.chat import Chat
from web.desk import Desk, desk_of
from web.entrance import Entrance, enter, reenter
from web.frames import Ask, Contact, Credential, ErrorFrame, Feedback, error
from web.hearing import hear
from web.limits import TooManyConnections, address_of
from web.problems import MOST_BODY, refusal
from web.saving import save

_SEQ = re.compile(r"\d{1,15}")


class AskBody(Ask):
    """A question over HTTP; without a token it opens a conversation."""

    token: Credential = ""


class FeedbackBody(Feedback):
    """A judgement over HTTP."""

    token: Credential


class ContactBody(Contact):
    """A contact over HTTP."""

    token: Credential


def _same_origin(request: Request) -> None:
    if not _admitted(request):
        raise HTTPException(403, "this site may not embed the chat; its operator can add it to KEFU_ORIGINS")


router = APIRouter()
posts = APIRouter(dependencies=[Depends(_same_origin)], max_body_size=MOST_BODY)


@router.websocket("/ws/chat")
async def chat(socket: WebSocket) -> None:
    """One visitor's connection; see web.chat."""
    desk = desk_of(socket)
    if not _admitted(socket):
        return await socket.close()  # before accept: the upgrade is refused with 403
    address = _address(socket)
    try:
        with desk.limits.connection(address), desk.metrics.connections.track_inprogress():
            await socket.accept()
            await Chat(desk, socket, address).run(*_coming_from(socket))
    except TooManyConnections:
        desk.metrics.limited.labels("connection").inc()
        await socket.send_denial_response(PlainTextResponse("too many connections", 503))


@posts.post("/chat/stream")
async def stream(request: Request, body: AskBody) -> Response:
    """The reply to one question as server-sent events: session, start, tokens, answer."""
    desk, address = desk_of(request), _address(request)
    wrong = checked(desk, body.text, body.id)
    if isinstance(wrong, ErrorFrame):
        return _refused(desk, wrong)
    entrance = await _entrance(desk, body.token, address)
    if isinstance(entrance, ErrorFrame):
        return _refused(desk, entrance)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    heard = await hear(desk, entrance.channel, body, address)
    if isinstance(heard, ErrorFrame):
        return _refused(desk, heard)
    if heard is not None:  # people have the conversation; what they say comes by websocket, or in the history
        said = (_event(frame.encode()) for frame in (entrance.frame, heard))
        return StreamingResponse(said, media_type="text/event-stream", headers=headers)
    reply = ask(desk, entrance.channel, body, address)
    if isinstance(reply, ErrorFrame):
        return _refused(desk, reply)
    return StreamingResponse(_events(entrance, reply), media_type="text/event-stream", headers=headers)


@posts.post("/chat/feedback")
async def feedback(request: Request, body: FeedbackBody) -> Response:
    """Store a judgement on an answer."""
    return await _saved(request, body, body.token)


@posts.post("/chat/contact")
async def contact(request: Request, body: ContactBody) -> Response:
    """Store how a person may reach the customer."""
    return await _saved(request, body, body.token)


async def _saved(request: Request, left: Feedback | Contact, token: str) -> Response:
    desk = desk_of(request)
    visitor = desk.tokens.read(token)
    if visitor is None:
        return _refused(desk, error("unauthorized"))
    limited = rate(desk, visitor.conversation_id, _address(request))
    done = limited or await save(desk, visitor.conversation_id, left)
    if isinstance(done, ErrorFrame):
        return _refused(desk, done)
    return Response(done.encode(), media_type="application/json")


async def _entrance(desk: Desk, token: str, address: str) -> Entrance | ErrorFrame:
    if not token:
        return await enter(desk, address)
    return await reenter(desk, token, 0) or error("unauthorized")


async def _events(entrance: Entrance, reply: Reply) -> AsyncIterator[str]:
    yield _event(entrance.frame.encode())
    async with aclosing(entrance.channel.follow(reply.first_seq - 1)) as frames:
        async for kept in frames:
            yield _event(kept.text)
            if reply.last_seq is not None and kept.seq >= reply.last_seq:
                return


def _event(text: str) -> str:
    return f"data: {text}\n\n"


def _refused(desk: Desk, frame: ErrorFrame) -> Response:
    desk.metrics.errors.labels(frame.code).inc()
    return refusal(frame)


def _admitted(connection: HTTPConnection) -> bool:
    headers = connection.headers
    return desk_of(connection).origins.admit(headers.get("origin"), headers.get("host"))


def _address(connection: HTTPConnection) -> str:
    return address_of(connection.client.host if connection.client else None)


def _coming_from(socket: WebSocket) -> tuple[str, int]:
    """Token and last frame number from the URL; a number that is none counts as 0."""
    seq = socket.query_params.get("last_seq", "")
    return socket.query_params.get("token", ""), int(seq) if _SEQ.fullmatch(seq) else 0
