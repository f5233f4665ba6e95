"""The staff of the site meanwhile: one serves who waits, one edits FAQs and documents, one looks at every list."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.web.soak.visitor import Tally, Wrong

PASSWORD = uuid4().hex
ROLES = ("agent", "editor", "admin")
FAQ = {"question": "浸泡测试的口令是什么？", "language": "zh", "status": "published"}
LISTS = ("/api/overview", "/api/conversations", "/api/unanswered", "/api/faqs", "/api/documents", "/api/audit")


@asynccontextmanager
async def signed_in(url: str, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of that role, who is named so."""
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
        me = (await client.post("/api/session", json={"name": role, "password": PASSWORD})).raise_for_status().json()
        client.headers["x-csrf-token"] = me["csrf"]
        yield client


async def serve(agent: httpx.AsyncClient, tally: Tally) -> None:
    """Take whoever waits, say something, and close once the customer has answered."""
    for row in (await got(agent, "/api/inbox?view=waiting"))["items"]:
        at = f"/api/inbox/{row['conversation_id']}"
        await sent(agent.post(f"{at}/claim"))
        await sent(agent.post(f"{at}/reply", json={"text": "您好，我来帮您。Hello, I am here."}))
        tally.seen["claimed"] += 1
    for row in (await got(agent, "/api/inbox?view=mine"))["items"]:
        at = f"/api/inbox/{row['conversation_id']}"
        if (await got(agent, at))["messages"][-1]["role"] != "customer":
            continue
        if tally.seen["claimed"] % 2:
            await sent(agent.post(f"{at}/return"))
        else:
            await sent(agent.post(f"{at}/close", json={"outcome": "solved"}))


async def edit(editor: httpx.AsyncClient, tally: Tally) -> None:
    """Publish an FAQ anew and a document, and see that the next answer is the new one."""
    number = tally.seen["published"]
    answer = f"口令是第 {number} 号。"
    id = "soak.zh"
    known = await editor.get(f"/api/faqs/item/{id}")
    if known.status_code == 404:
        await sent(editor.post("/api/faqs", json=FAQ | {"id": id, "answer": answer}))
    else:
        changed = FAQ | {"id": id, "answer": answer, "version": known.json()["version"]}
        await sent(editor.put(f"/api/faqs/item/{id}", json=changed))
    trial = (await sent(editor.post("/api/try", json={"question": FAQ["question"]}))).json()
    if answer not in trial["text"]:
        raise Wrong("a published FAQ is not what is answered")
    tally.seen["published"] += 1
    if number % 5 == 0:
        text = f"# 浸泡测试\n\n第 {number} 版说明书。\n".encode()
        await sent(editor.post("/api/documents", files={"file": ("soak.md", text, "text/markdown")}))


async def look(admin: httpx.AsyncClient, tally: Tally) -> None:
    """Open every list once."""
    for path in LISTS:
        await got(admin, path)
    tally.seen["lists read"] += len(LISTS)


async def work(url: str, tally: Tally, done: asyncio.Event) -> None:
    """All of them, until there is nothing left to do."""
    acts: tuple[Callable[[httpx.AsyncClient, Tally], Awaitable[None]], ...] = (serve, edit, look)
    async with asyncio.TaskGroup() as all_of_them:
        for role, act, pause in zip(ROLES, acts, (1.0, 10.0, 20.0), strict=True):
            all_of_them.create_task(_again(url, role, act, pause, tally, done))


async def _again(url: str, role: str, act: Any, pause: float, tally: Tally, done: asyncio.Event) -> None:
    async with signed_in(url, role) as client:
        while not done.is_set():
            await act(client, tally)
            await asyncio.sleep(pause)


async def got(client: httpx.AsyncClient, path: str) -> Any:
    """What a route says. Raises Wrong for any error."""
    return (await sent(client.get(path))).json()


async def sent(request: Awaitable[httpx.Response]) -> httpx.Response:
    """The response to a request that must succeed."""
    response = await request
    if response.is_error:
        raise Wrong(f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}")
    return response
