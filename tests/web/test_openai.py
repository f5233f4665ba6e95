"""The completions API: with the official client against a real server, and its refusals."""

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from starlette.testclient import TestClient

from web.app import create_app
from web.completions import CompletionRequest, estimated_tokens
from web.settings import Settings

KEY = "k" * 32
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def official(running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{running().http}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def client(bot, settings: Callable[..., Settings]):
    with TestClient(create_app(bot, settings())) as made:
        yield made


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "kefu", "messages": [{"role": "user", "content": text}], **more}


def test_a_conversation_through_the_official_client(official: openai.OpenAI, bot) -> None:
    done = official.chat.completions.create(
        model="gpt-4o-mini",
        temperature=0.2,
        max_tokens=10,
        user="customer 7",
        messages=[
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": "你好"},
            {"role": "assistant", "content": "您好"},
            {"role": "user", "content": [{"type": "text", "text": "多少钱"}]},
        ],
    )
    choice = done.choices[0]
    assert (choice.message.role, choice.message.content) == ("assistant", "You asked: 多少钱")
    assert choice.finish_reason == "stop" and done.model == "kefu" and done.object == "chat.completion"
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0
    assert done.kefu["kind"] == "grounded" and done.kefu["citations"][0]["quote"] == "30 days"
    assert [(said.role, said.text) for said in bot.seen[0].messages] == [("customer", "你好"), ("bot", "您好")]


def test_a_stream_through_the_official_client(official: openai.OpenAI, bot) -> None:
    stream = official.chat.completions.create(**ask("hold on"), stream=True, stream_options={"include_usage": True})
    chunks = []
    for chunk in stream:
        chunks.append(chunk)
        if len(chunks) == 2:
            assert chunk.choices[0].delta.content == "You "  # it has come while the bot waits
            bot.gate.set()
    *pieces, usage = chunks
    assert pieces[0].choices[0].delta.role == "assistant"
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "You asked: hold on"
    assert [piece.choices[0].finish_reason for piece in pieces] == [None] * (len(pieces) - 1) + ["stop"]
    assert usage.choices == [] and usage.usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_what_verification_replaced_is_corrected_in_a_stream(official: openai.OpenAI) -> None:
    stream = official.chat.completions.create(**ask("rewrite"), stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "You asked: rewrite\n\nCorrection, in the words of our documents:\nauthoritative"
    whole = official.chat.completions.create(**ask("rewrite"))
    assert whole.choices[0].message.content == "authoritative"


def test_models(official: openai.OpenAI) -> None:
    assert [model.id for model in official.models.list()] == ["kefu"]
    assert official.models.retrieve("kefu").owned_by == "kefu"
    with pytest.raises(openai.NotFoundError, match="gpt-4"):
        official.models.retrieve("gpt-4")


def test_errors_are_the_official_clients_errors(official: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        official.with_options(api_key="wrong").chat.completions.create(**ask("hi"))
    with pytest.raises(openai.BadRequestError, match="over 2000 characters"):
        official.chat.completions.create(**ask("x" * 2_001))
    with pytest.raises(openai.InternalServerError):
        official.chat.completions.create(**ask("fail"))
    with pytest.raises(openai.APIError, match="Something went wrong"):
        list(official.chat.completions.create(**ask("fail"), stream=True))


def test_a_client_that_leaves_stops_the_reply(official: openai.OpenAI, bot) -> None:
    stream = official.chat.completions.create(**ask("hold on"), stream=True)
    next(iter(stream))
    assert bot.holding.wait(5)
    stream.close()
    conversation = bot.seen[0].id
    for _ in range(500):
        logged = bot.log.load(conversation).messages
        if len(logged) == 2:
            break
        bot.gate.wait(0.01)
    assert logged[1].answer.stopped and logged[1].text == "You "


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "messages"),
        ({"messages": []}, 400, "messages"),
        ({"messages": "hi"}, 400, "messages"),
        (ask("hi", n=2), 400, "n"),
        (ask(" \x00 "), 400, "no text"),
        ({"messages": [{"role": "system", "content": "hi"}]}, 400, "last message"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, 400, "last message"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, 400, "no text"),
        ({"messages": [{"role": "user", "content": None}]}, 400, "no text"),
        (ask("x" * 1_100_000), 413, "too large"),
    ],
)
def test_bad_requests(client: TestClient, bot, body: dict[str, Any], status: int, words: str) -> None:
    response = client.post("/v1/chat/completions", json=body, headers=HEADERS)
    error = response.json()["error"]
    assert response.status_code == status and words in error["message"]
    assert error["type"] == "invalid_request_error" and set(error) == {"message", "type", "param", "code"}
    assert not bot.log.conversations


@pytest.mark.parametrize("headers", [{}, {"authorization": KEY}, {"authorization": "Bearer wrong"}])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models")])
def test_without_the_key_nothing_works(client: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    response = client.request(method, path, headers=headers, json=ask("hi"))
    assert response.status_code == 401 and response.json()["error"]["code"] == "invalid_api_key"


def test_overload_and_loading_are_503(bot, settings: Callable[..., Settings]) -> None:
    app = create_app(bot, settings(replies=1, queue=0))
    with TestClient(app) as client:
        with client.websocket_connect("/ws/chat") as socket:
            socket.receive_json()
            socket.send_json({"type": "message", "text": "hold on"})
            while socket.receive_json()["type"] != "token":
                pass
            busy = client.post("/v1/chat/completions", json=ask("hi"), headers=HEADERS)
            assert busy.status_code == 503 and int(busy.headers["retry-after"]) >= 1
            bot.gate.set()
    with TestClient(create_app(None, settings())) as client:
        assert client.post("/v1/chat/completions", json=ask("hi"), headers=HEADERS).status_code == 503


def test_the_history_is_the_latest_and_each_message_is_cut() -> None:
    turns = [{"role": "user", "content": f"{number} " + "x" * 100} for number in range(30)]
    request = CompletionRequest(messages=turns)
    history = request.history(10)
    assert request.question() == turns[-1]["content"] and len(history) == 20
    assert [said.text for said in history][-1] == "28 xxxxxxx"


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("word word", 3), ("退货", 2), ("iPhone手机", 4)])
def test_estimated_tokens(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens
