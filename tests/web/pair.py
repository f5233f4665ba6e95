"""Two servers in processes of their own over one PostgreSQL, a proxy that takes them in turn, a slow engine."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.web.console.server import PASSWORD

ROOT = Path(__file__).parents[2]
SECRET = "a secret that all the machines share"
Frame = dict[str, Any]


class Server:
    """One server, with a data folder of its own as on a machine of its own."""

    def __init__(self, data: Path, environment: dict[str, str]) -> None:
        self.data = data
        self._environment = environment
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "tests.web.console.server", str(self.port), str(self.data)]
        environment = os.environ | self._environment | {"PYTHONPATH": str(ROOT)}
        with self.data.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.data.with_suffix(".log").read_text()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; SIGKILL as a crash would."""
        self.process.send_signal(how)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    @contextmanager
    def staff(self, role: str) -> Iterator[httpx.Client]:
        """Somebody of that role, signed in here."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False) as client:
            me = client.post("/api/session", json={"name": role, "password": PASSWORD}).json()
            client.headers["x-csrf-token"] = me["csrf"]
            yield client


@contextmanager
def enter(port: int, token: str = "", last_seq: int = 0) -> Iterator[tuple[ClientConnection, Frame]]:
    """A customer's connection and its session frame."""
    query = f"?token={token}&last_seq={last_seq}" if token else ""
    with connect(f"ws://127.0.0.1:{port}/ws/chat{query}", max_size=None, proxy=None) as connection:
        yield connection, until(connection, "session")


def until(connection: ClientConnection, type_: str, /, **fields: Any) -> Frame:
    """The first frame of that type with those fields."""
    while True:
        frame: Frame = json.loads(connection.recv(60))
        if frame["type"] == type_ and all(frame.get(name) == value for name, value in fields.items()):
            return frame


def ask(connection: ClientConnection, text: str, id: str) -> None:
    connection.send(json.dumps({"type": "message", "text": text, "id": id}))


class Proxy:
    """Hands each connection to the next server, as a balancer without sticky sessions does."""

    def __init__(self, servers: list[Server]) -> None:
        self._next = cycle(servers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:  # closed
                return
            far = socket.create_connection(("127.0.0.1", next(self._next).port))
            threading.Thread(target=_carry, args=(near, far), daemon=True).start()


def _carry(near: socket.socket, far: socket.socket) -> None:
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either end is gone
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Engine(ThreadingHTTPServer):
    """An OpenAI-compatible engine that writes `said` in two pieces and holds the second until `gate` is open."""

    daemon_threads = True

    def __init__(self, said: tuple[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Completions)
        self.said = said
        self.gate = threading.Event()
        self.asked = threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Completions(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self._write(self.server.said[0])
        self.server.asked.release()
        self.server.gate.wait(60)
        self._write(self.server.said[1], finish="stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _write(self, text: str, finish: str | None = None) -> None:
        event = {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()
