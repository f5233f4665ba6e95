"""The least that answers over a websocket: a FastAPI app on uvicorn that says every message back in Kefu's frames."""

import json
import sys

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.server_speed import Process

PORT = 18_766
URL = f"ws://127.0.0.1:{PORT}/ws"

app = FastAPI()


@app.get("/ready")
def ready() -> dict[str, bool]:
    """That it serves."""
    return {"ready": True}


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """A session frame, then an answer to each message."""
    await socket.accept()
    await socket.send_text(json.dumps({"type": "session"}))
    try:
        while True:
            said = json.loads(await socket.receive_text())
            await socket.send_text(json.dumps({"type": "answer", "kind": "echo", "text": said["text"]}))
    except WebSocketDisconnect:
        return


class Echo(Process):
    """The app as a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "benchmarks.echo:app", "--port", str(PORT)]
        flags = ["--no-access-log", "--ws-per-message-deflate", "false"]
        super().__init__([*command, *flags], f"http://127.0.0.1:{PORT}/ready", {})

    def __enter__(self) -> "Echo":
        return self
