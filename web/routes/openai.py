"""Routes for programs that speak OpenAI's chat completions; shapes are in web.completions."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from web.asking import checked
from web.channel import Channel, Question, Reply
from web.completions import MODEL, Completion, CompletionRequest, completion
from web.desk import Desk, desk_of
from web.frames import AnswerFrame, ErrorFrame, TokenFrame, error
from web.hub import Overloaded
from web.problems import MOST_BODY, ApiError, api_error
from web.wording import wording


def _with_key(request: Request) -> None:
    if not desk_of(request).key.admits(request.headers.get("authorization")):
        raise ApiError(401, "wrong or missing API key; send it as `Authorization: Bearer …`", "invalid_api_key")


router = APIRouter(prefix="/v1", dependencies=[Depends(_with_key)], max_body_size=MOST_BODY)


@router.get("/models")
async def models() -> dict[str, Any]:
    """The one model there is."""
    return {"object": "list", "data": [_model()]}


@router.get("/models/{name}")
async def model(name: str) -> dict[str, Any]:
    """That model."""
    if name != MODEL:
        raise ApiError(404, f"there is no model {name!r} here; use {MODEL!r}", "model_not_found")
    return _model()


@router.post("/chat/completions")
async def completions(request: Request, body: CompletionRequest) -> Response:
    """Answer the last user message, the earlier ones being the history; streamed if asked for."""
    desk = desk_of(request)
    asked = body.question()
    if asked is None:
        raise ApiError(400, "the last message must be the user's", "invalid_request")
    text = checked(desk, asked)
    if isinstance(text, ErrorFrame):
        raise api_error(text)
    channel, reply = await _begin(desk, Question(text, history=body.history(desk.settings.max_message)))
    shape = completion(channel.conversation_id, body)
    if body.stream:
        pieces = _stream(channel, reply, shape, body.wants_usage())
        return StreamingResponse(pieces, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
    return JSONResponse(shape.whole(await _answer(channel, reply)))


async def _begin(desk: Desk, question: Question) -> tuple[Channel, Reply]:
    conversation = await desk.call(desk.bot.log.open)
    channel = desk.hub.channel(conversation.id)
    try:
        return channel, desk.hub.ask(desk.bot_for(conversation.id), channel, question)
    except Overloaded as overloaded:
        raise api_error(error("busy", retry_after=overloaded.retry_after)) from overloaded


async def _answer(channel: Channel, reply: Reply) -> AnswerFrame:
    async with aclosing(channel.follow(0)) as frames:
        async for kept in frames:
            if isinstance(kept.frame, AnswerFrame):
                return kept.frame
            if isinstance(kept.frame, ErrorFrame):
                raise api_error(kept.frame)
    raise AssertionError("a channel is followed for ever")


async def _stream(channel: Channel, reply: Reply, shape: Completion, with_usage: bool) -> AsyncIterator[str]:
    """What the bot says as it says it. A stream cannot take words back: what was replaced is corrected."""
    said = ""
    yield _event(shape.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(channel.follow(0)) as frames:
            async for kept in frames:
                match kept.frame:
                    case TokenFrame(text=piece):
                        said += piece
                        yield _event(shape.chunk({"content": piece}))
                    case AnswerFrame() as answer:
                        for last in _ending(answer, said, shape, with_usage):
                            yield last
                        return
                    case ErrorFrame() as problem:
                        yield _event(api_error(problem).body())
                        return
    finally:
        reply.stop()  # the client has gone, or there is nothing left to stop


def _ending(answer: AnswerFrame, said: str, shape: Completion, with_usage: bool) -> list[str]:
    if answer.text.startswith(said):
        rest = answer.text.removeprefix(said)
    elif answer.stopped:
        rest = ""
    else:
        rest = f"\n\n{wording('correction')[answer.language]}\n{answer.text}"
    events = [_event(shape.chunk({"content": rest}))] if rest else []
    events.append(_event(shape.chunk({}, answer=answer)))
    if with_usage:
        events.append(_event(shape.usage_chunk(said + rest)))
    return [*events, "data: [DONE]\n\n"]


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "kefu"}
